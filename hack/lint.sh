#!/usr/bin/env bash
# Lints Go, the workflows and the scripts. golangci-lint and actionlint are pinned in
# hack/lint/go.mod; actionlint looks into the workflows' scripts with shellcheck too.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v shellcheck >/dev/null || {
	echo "needs shellcheck (Debian: apt-get install -y shellcheck)" >&2
	exit 3
}
go tool -modfile=hack/lint/go.mod golangci-lint run ./...
go tool -modfile=hack/lint/go.mod actionlint
mapfile -t scripts < <(git ls-files '*.sh' .ci/run ':!hack/images')
shellcheck -x "${scripts[@]}"
mapfile -t inside < <(git ls-files "hack/images/*.sh")
shellcheck --severity=warning "${inside[@]}" # a comment there would make new images
