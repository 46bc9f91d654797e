#!/usr/bin/env bash
# Puts a candidate beside a baseline with cniperf qualify. Writes the outputs verdict,
# code, sentence and run, as hack/ci/measure.sh does.
# Environment: BASELINE and CANDIDATE (a version, an image reference, or checkout for
# the caller's own tree), PROFILE, TIMEOUT, RUNS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=hack/ci/inputs.sh
. "$here/inputs.sh"

is_candidate BASELINE "${BASELINE:-}"
is_candidate CANDIDATE "${CANDIDATE:-}"
is_profile PROFILE "${PROFILE:=nightly}"
is_duration TIMEOUT "${TIMEOUT:=280m}"
cniperf=${CNIPERF:-cniperf} runs=${RUNS:-runs}
root=()
if [ "$(id -u)" != 0 ]; then root=(sudo --preserve-env env "PATH=$PATH"); fi
run=$runs/$(date -u +%Y%m%dt%H%M%Sz)-qualify-${GITHUB_RUN_ID:-0}-${GITHUB_RUN_ATTEMPT:-0}
code=0
if ! "$cniperf" qualify --help >/dev/null 2>&1; then
	echo "cniperf: this version has no qualify" >&2
	code=3
else
	"${root[@]}" "$cniperf" doctor --fix || code=3
fi
if [ $code = 0 ]; then
	"${root[@]}" "$cniperf" qualify --baseline "$BASELINE" --candidate "$CANDIDATE" -profile "$PROFILE" -timeout "$TIMEOUT" -run-dir "$run" || code=$?
fi
if [ "$(id -u)" != 0 ] && [ -d "$runs" ]; then sudo chown -R "$(id -u):$(id -g)" "$runs"; fi
sentence="no report: the qualification broke before it measured"
if [ -f "$run/report.md" ]; then
	sentence=$(head -n 1 "$run/report.md" | sed 's/^#* *//')
	cat "$run/report.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
fi
output code "$code"
output verdict "$(verdict_of "$code")"
output sentence "$sentence"
output run "$run"
