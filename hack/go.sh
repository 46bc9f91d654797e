#!/usr/bin/env bash
# go, with the flags of all programs here (hack/go.flags), trading memory for time
# as internal/toolchain does: a compiler with 2 GB of its own collects no
# garbage, and on few cores each compiler keeps to one.
# usage: hack/go.sh COMMAND [ARGUMENT...]
set -euo pipefail
flags=$(<"$(dirname "$0")/go.flags")

[ $# -ge 1 ] || { echo "usage: hack/go.sh COMMAND [ARGUMENT...]" >&2; exit 2; }
command=$1
shift
export CGO_ENABLED=0
GOFLAGS="$(go env GOFLAGS) $flags"
export GOFLAGS
cores=$(nproc)
each=$(awk -v n="$cores" '$1 == "MemAvailable:" {print int($2 / 1024 / (n + 1))}' /proc/meminfo)
if ((each >= 2048)); then
	export GOGC=off GOMEMLIMIT="${each}MiB"
	if ((cores <= 4)); then export GOMAXPROCS=1; fi
fi
exec go "$command" -p "$cores" "$@"
