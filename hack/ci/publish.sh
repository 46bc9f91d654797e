#!/usr/bin/env bash
# Makes the release of a tag from dist/, as hack/ci/release.sh left it.
# usage: hack/ci/publish.sh VERSION
# Environment: GH_TOKEN and GITHUB_REPOSITORY, as gh wants them; DIST (dist).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=hack/ci/inputs.sh
. "$here/inputs.sh"

version=${1:-} dist=${DIST:-dist}
is_release VERSION "$version"
[ -s "$dist/SHA256SUMS" ] || refuse DIST "a folder that hack/ci/release.sh made" "$dist"
(cd "$dist" && sha256sum --check --quiet SHA256SUMS)
gh release create "$version" --repo "${GITHUB_REPOSITORY:?}" --verify-tag --title "$version" --notes-file "$dist/notes.md" "$dist"/cniperf-* "$dist"/SHA256SUMS "$dist"/*.json
