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
flags=(-profile "$profile")
if [ -n "${CNIPERF_RUN_DIR:-}" ]; then flags+=(-run-dir "$CNIPERF_RUN_DIR"); fi
for flag in "$@"; do
	case $flag in -resume | --resume | -resume=* | --resume=*) flags=() ;; esac
done

echo '▶ compiling cniperf (some minutes the first time)'
hack/go.sh build -o bin/cniperf ./cmd/cniperf
if [ "${CNIPERF_FIX:-}" = 1 ]; then
	bin/cniperf doctor --fix
else
	bin/cniperf doctor --ask
fi
exec bin/cniperf run "${flags[@]}" "$@"
