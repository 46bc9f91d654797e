#!/usr/bin/env bash
# One measurement in a job: prepares the machine, runs the suite, writes the job's
# summary and its outputs verdict, code, sentence and run. It ends with 0 even when
# the verdict is bad, so that later steps keep and tell it; hack/ci/gate.sh decides.
# Environment: PROFILE, TIMEOUT (such as 280m), RUNS (a folder; runs), FLAGS (more
# flags of the suite, one a line).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=hack/ci/inputs.sh
. "$here/inputs.sh"

profile=${PROFILE:-quick} timeout=${TIMEOUT:-120m} runs=${RUNS:-runs}
is_profile PROFILE "$profile"
is_duration TIMEOUT "$timeout"
cniperf=${CNIPERF:-cniperf}

# A hosted runner is no root, and the lab needs that for the machine's settings.
root=()
if [ "$(id -u)" != 0 ]; then root=(sudo --preserve-env env "PATH=$PATH"); fi

# Another night, another attempt: another folder.
run=$runs/$(date -u +%Y%m%dt%H%M%Sz)-$profile-${GITHUB_RUN_ID:-0}-${GITHUB_RUN_ATTEMPT:-0}
flags=(-profile "$profile" -timeout "$timeout" -run-dir "$run")
while read -r flag; do
	[ -z "$flag" ] || flags+=("$flag")
done <<<"${FLAGS:-}"
code=0
"${root[@]}" "$cniperf" doctor --fix || code=3
if [ $code = 0 ]; then "${root[@]}" "$cniperf" run "${flags[@]}" || code=$?; fi
if [ "$(id -u)" != 0 ] && [ -d "$runs" ]; then sudo chown -R "$(id -u):$(id -g)" "$runs"; fi

verdict=$(verdict_of "$code")
sentence="no report: the run broke before it measured"
if [ -f "$run/report.md" ]; then
	sentence=$(head -n 1 "$run/report.md" | sed 's/^#* *//')
	cat "$run/report.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
fi
printf 'The run ended with exit code %s: %s.\n' "$code" "$verdict" | tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
output code "$code"
output verdict "$verdict"
output sentence "$sentence"
output run "$run"
