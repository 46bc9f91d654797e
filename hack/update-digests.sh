#!/usr/bin/env bash
# Looks up the digests that hack/images/official.yaml lacks and writes them there.
# Needs registries that answer. With --check it only fails on a difference.
set -euo pipefail
cd "$(dirname "$0")/.."

go run ./cmd/cniperf images --update-digests
if [ "${1:-}" = --check ]; then
	git diff --exit-code -- hack/images/official.yaml
fi
