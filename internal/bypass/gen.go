package bypass

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -cc clang-19 -strip llvm-strip-19 -target bpfel -type counters bypass bpf/bypass.c -- -O2 -Wall -Werror
