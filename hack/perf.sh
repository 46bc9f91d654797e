#!/usr/bin/env bash
# From a bare machine to the report of one run: looks whether the machine can run
# the lab, then runs the suite, which pulls or builds the images and brings up the
# lab where they are missing. Where the machine has to be changed first it lists the
# changes and asks on a terminal; elsewhere it refuses, unless CNIPERF_FIX=1 agrees.
# usage: hack/perf.sh PROFILE [suite flags…]
# With -resume RUN (a folder or latest) that run goes on, by its own profile.
# Exit code: 0 pass, 1 fail, 2 inconclusive, 3 infrastructure, 130 interrupted.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${1:?usage: hack/perf.sh PROFILE [suite flags…]}
shift
flags=(-profile "$profile" "$@")
for flag in "$@"; do
	case $flag in -resume | --resume | -resume=* | --resume=*) flags=("$@") ;; esac
done
if [ -n "${CNIPERF_RUN_DIR:-}" ]; then flags+=(-run-dir "$CNIPERF_RUN_DIR"); fi

# compile is go with the flags of the Makefile, and with memory for time as
# internal/toolchain has it.
compile() {
	local cores each env=("CGO_ENABLED=0" "GOFLAGS=$(go env GOFLAGS) $(<hack/go.flags)")
	cores=$(nproc)
	each=$(awk -v n="$cores" '$1 == "MemAvailable:" {print int($2 / 1024 / (n + 1))}' /proc/meminfo)
	if ((each >= 2048)); then
		env+=("GOGC=off" "GOMEMLIMIT=${each}MiB")
		if ((cores <= 4)); then env+=("GOMAXPROCS=1"); fi
	fi
	env "${env[@]}" go "$1" -p "$cores" "${@:2}"
}

echo '▶ compiling cniperf (some minutes the first time)'
compile build -o bin/cniperf ./cmd/cniperf
if [ "${CNIPERF_FIX:-}" = 1 ]; then
	bin/cniperf doctor --fix
else
	bin/cniperf doctor --ask
fi
exec bin/cniperf run "${flags[@]}"
