#!/usr/bin/env bash
# Writes one comment under a pull request, and edits it in place afterwards.
# usage: hack/ci/comment.sh NUMBER FILE
# Environment: GH_TOKEN and GITHUB_REPOSITORY, as gh wants them.
set -euo pipefail
# shellcheck source=hack/ci/inputs.sh
. "$(dirname "$0")/inputs.sh"

number=${1:-} file=${2:-}
[[ $number =~ ^[1-9][0-9]{0,9}$ ]] || refuse NUMBER "the number of a pull request" "$number"
[ -f "$file" ] || refuse FILE "a file" "$file"
mark='<!-- cniperf -->' repo=${GITHUB_REPOSITORY:?}
body=$(mktemp)
trap 'rm -f "$body"' EXIT
# GitHub takes 65,536 characters.
{ echo "$mark" && head -c 60000 "$file"; } >"$body"
ours=$(gh api --paginate "repos/$repo/issues/$number/comments" --jq ".[] | select(.body | startswith(\"$mark\")) | .id" | head -n 1)
if [ -n "$ours" ]; then
	gh api --method PATCH "repos/$repo/issues/comments/$ours" --field "body=@$body" --silent
else
	gh api --method POST "repos/$repo/issues/$number/comments" --field "body=@$body" --silent
fi
