#!/usr/bin/env bash
# Fails on what a formatter or generator would change.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
if [ -n "$unformatted" ]; then
	echo "gofmt would change (run gofmt -w on them):" >&2
	echo "$unformatted" >&2
	exit 1
fi
go mod verify >/dev/null
