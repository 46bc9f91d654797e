#!/usr/bin/env bash
# Compiles cniperf from the source around this script into a folder of the job, and
# puts that into the path of later steps. The suite is compiled from there as well.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)

bin=${RUNNER_TEMP:-/tmp}/cniperf-bin
mkdir -p "$bin"
(cd "$source" && hack/go.sh build -buildvcs=false -o "$bin/cniperf" ./cmd/cniperf)
echo "$bin" >>"${GITHUB_PATH:-/dev/null}"
echo "CNIPERF_SOURCE=$source" >>"${GITHUB_ENV:-/dev/null}"
"$bin/cniperf" --help >/dev/null
