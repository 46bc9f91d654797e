#!/usr/bin/env bash
# One issue tells of a regression: it is opened by the first bad night, commented by
# the next ones, and closed by the first good one. A night that can't tell, or that
# broke, changes nothing: it is no news about any datapath.
# usage: hack/ci/issue.sh VERDICT SENTENCE
# Environment: GH_TOKEN and GITHUB_REPOSITORY, as gh wants them; RUN_URL; REPRODUCE (a
# command line); LABEL (performance-regression).
set -euo pipefail
# shellcheck source=hack/ci/inputs.sh
. "$(dirname "$0")/inputs.sh"

verdict=${1:?usage: hack/ci/issue.sh VERDICT SENTENCE} sentence=${2:-}
label=${LABEL:-performance-regression}
[[ $label =~ ^[a-z0-9-]{1,50}$ ]] || refuse LABEL "a label" "$label"
repo=${GITHUB_REPOSITORY:?}

open=$(gh issue list --repo "$repo" --label "$label" --state open --json number --jq '.[0].number // empty')
body=$(mktemp)
trap 'rm -f "$body"' EXIT
printf '%s\n\nRun: %s\n\nTo reproduce:\n\n    %s\n' "$sentence" "${RUN_URL:-unknown}" "${REPRODUCE:-cniperf run -profile nightly}" >"$body"

case $verdict in
fail)
	if [ -n "$open" ]; then
		gh issue comment "$open" --repo "$repo" --body-file "$body"
	else
		gh label create "$label" --repo "$repo" --force --description "cniperf found a datapath slower"
		gh issue create --repo "$repo" --label "$label" --title "A datapath got slower" --body-file "$body"
	fi
	;;
pass)
	if [ -n "$open" ]; then gh issue close "$open" --repo "$repo" --comment "This night is as good as before: ${RUN_URL:-}"; fi
	;;
inconclusive | infrastructure | interrupted) echo "$verdict: the issue stays as it is" ;;
*) refuse VERDICT "a verdict" "$verdict" ;;
esac
