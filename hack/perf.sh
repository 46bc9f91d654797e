#!/usr/bin/env bash
# From a bare machine to the report of one run: mends the machine, then runs the
# suite, which builds the images and brings up the lab where they are missing.
# usage: hack/perf.sh PROFILE [suite flags…]
# Exit code: 0 pass, 1 fail, 2 inconclusive, 3 infrastructure, 130 interrupted.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=$1
shift
run_dir=${CNIPERF_RUN_DIR:-runs/$(date -u +%Y%m%dt%H%M%Sz)-$profile}

say() { printf '▶ %s\n' "$*"; }

say "compiling cniperf (about a minute the first time)"
go build -o bin/cniperf ./cmd/cniperf
bin/cniperf doctor --fix
say "starting the suite (compiling it takes about a minute the first time)"

# go test folds every failure into exit code 1; the run's own record has the
# true one. -v lets the output through as it comes.
status=0
go test ./e2e -tags perf -count=1 -v -timeout "${CNIPERF_TIMEOUT:-120m}" \
	-args -profile "$profile" -run-dir "$PWD/$run_dir" "$@" || status=$?
if [ -f "$run_dir/journal.jsonl" ]; then
	exec bin/cniperf report --exit-code "$run_dir" >/dev/null
fi
exit $((status == 0 ? 0 : 3))
