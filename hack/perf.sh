#!/usr/bin/env bash
# From a bare machine to the report of one run: looks whether the machine can run
# the lab, then runs the suite, which builds the images and brings up the lab where
# they are missing. Where the machine has to be changed first it lists the changes
# and asks on a terminal; elsewhere it refuses, unless CNIPERF_FIX=1 agrees.
# usage: hack/perf.sh PROFILE [suite flags…]
# With -resume RUN (a folder or latest) that run goes on, by its own profile.
# Exit code: 0 pass, 1 fail, 2 inconclusive, 3 infrastructure, 130 interrupted.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=$1
shift
run_dir=${CNIPERF_RUN_DIR:-runs/$(date -u +%Y%m%dt%H%M%Sz)-$profile}
flags=(-profile "$profile" -run-dir "$PWD/$run_dir" "$@")
for ((i = 1; i <= $#; i++)); do
	case ${!i} in
	-resume | --resume) next=$((i + 1)) run_dir=${!next:?-resume wants a run} flags=("$@") ;;
	-resume=* | --resume=*) run_dir=${!i#*=} flags=("$@") ;;
	esac
done

say() { printf '▶ %s\n' "$*"; }

say "compiling cniperf and its suite (some minutes the first time)"
hack/go.sh build -o bin/cniperf ./cmd/cniperf
if [ "${CNIPERF_FIX:-}" = 1 ]; then
	bin/cniperf doctor --fix
else
	bin/cniperf doctor --ask
fi
hack/go.sh test -c -vet=off -tags perf -o bin/e2e.test ./e2e

# The suite by itself, since go test folds every failure into exit code 1. As
# with go test, it runs in its folder, and -v lets the output through as it comes.
status=0
(cd e2e && exec ../bin/e2e.test -test.v -test.timeout "${CNIPERF_TIMEOUT:-120m}" "${flags[@]}") || status=$?
if [ $status = 2 ]; then
	# A Go program that panics ends with 2 as well: the run's record has the truth.
	exec bin/cniperf report --exit-code "$run_dir" >/dev/null
fi
exit $status
