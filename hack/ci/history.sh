#!/usr/bin/env bash
# Keeps runs from night to night as an artifact: fetch takes the newest one of this
# workflow into RUNS, judge asks cniperf history about them, and writes the outputs
# verdict and sentence.
# usage: hack/ci/history.sh fetch|judge
# Environment: RUNS (runs), PROFILE, KEEP (nights, 60), ARTIFACT (nightly-runs),
# WORKFLOW (nightly.yml); for fetch GH_TOKEN and GITHUB_REPOSITORY, as gh wants them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=hack/ci/inputs.sh
. "$here/inputs.sh"

runs=${RUNS:-runs} profile=${PROFILE:-nightly} keep=${KEEP:-60}
is_profile PROFILE "$profile"
[[ $keep =~ ^[1-9][0-9]{0,2}$ ]] || refuse KEEP "a number of nights" "$keep"

fetch() {
	local id artifact=${ARTIFACT:-nightly-runs}
	mkdir -p "$runs"
	id=$(gh api "repos/${GITHUB_REPOSITORY:?}/actions/artifacts?name=$artifact&per_page=20" \
		--jq '[.artifacts[] | select(.expired | not)] | sort_by(.created_at) | last | .workflow_run.id // empty')
	if [ -z "$id" ]; then
		echo "no night before this one is kept"
		return
	fi
	gh run download "$id" --repo "$GITHUB_REPOSITORY" --name "$artifact" --dir "$runs"
	# Names begin with the time.
	find "$runs" -mindepth 1 -maxdepth 1 -type d | sort -r | tail -n "+$((keep + 1))" | while read -r old; do rm -rf -- "$old"; done
}

judge() {
	local code=0 text
	text=$("${CNIPERF:-cniperf}" history --profile "$profile" "$runs"/*/ 2>&1) || code=$?
	# shellcheck disable=SC2016 # Markdown's quotes
	printf '```\n%s\n```\n' "$text" | tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
	output code "$code"
	output verdict "$(verdict_of "$code")"
	output sentence "$(grep -m 1 -i slower <<<"$text" || tail -n 1 <<<"$text")"
}

case ${1:-} in
fetch | judge) "$1" ;;
*)
	echo "usage: hack/ci/history.sh fetch|judge" >&2
	exit 2
	;;
esac
