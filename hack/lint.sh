#!/usr/bin/env bash
# Lints Go, the workflows and the scripts. golangci-lint is pinned in hack/lint/go.mod,
# actionlint in hack/actionlint/go.mod: the two want different versions of a library.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v shellcheck >/dev/null || {
	echo "needs shellcheck (Debian: apt-get install -y shellcheck)" >&2
	exit 3
}
go tool -modfile=hack/lint/go.mod golangci-lint run ./...
go tool -modfile=hack/actionlint/go.mod actionlint
mapfile -t scripts < <(git ls-files '*.sh' .ci/run ':!hack/images')
shellcheck -x "${scripts[@]}"
mapfile -t inside < <(git ls-files "hack/images/*.sh")
shellcheck --severity=warning "${inside[@]}" # a comment there would make new images
