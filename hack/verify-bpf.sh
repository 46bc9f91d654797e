#!/usr/bin/env bash
# Fails unless the committed eBPF objects are what clang makes of their source.
# Update them with: go generate ./internal/bypass
set -euo pipefail
cd "$(dirname "$0")/.."

command -v clang-19 llvm-strip-19 >/dev/null || {
	echo "needs clang-19 and llvm-strip-19 (Debian: clang-19, llvm-19)" >&2
	exit 3
}
# Inside the module, so that the pinned bpf2go is found.
copy=$(mktemp -d internal/verify-bpf-XXXXXX)
trap 'rm -rf "$copy"' EXIT
cp -r internal/bypass/bpf internal/bypass/gen.go "$copy"
(cd "$copy" && go generate .)
for file in bypass_bpfel.o bypass_bpfel.go; do
	cmp "internal/bypass/$file" "$copy/$file" || {
		echo "$file doesn't match its source: run go generate ./internal/bypass and commit" >&2
		exit 1
	}
done
