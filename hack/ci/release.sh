#!/usr/bin/env bash
# Compiles what a release has into dist/: cniperf for each architecture, with its
# version, and the checksums.
# usage: hack/ci/release.sh VERSION
# Environment: ARCHITECTURES (amd64 arm64), DIST (dist).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=hack/ci/inputs.sh
. "$here/inputs.sh"
cd "$here/../.."

version=${1:-} dist=${DIST:-dist}
is_release VERSION "$version"
rm -rf "$dist"
mkdir -p "$dist"
for arch in ${ARCHITECTURES:-amd64 arm64}; do
	[[ $arch =~ ^(amd64|arm64)$ ]] || refuse ARCHITECTURES "amd64 or arm64" "$arch"
	GOOS=linux GOARCH=$arch hack/go.sh build -o "$dist/cniperf-$version-linux-$arch" ./cmd/cniperf
done
(cd "$dist" && sha256sum -- * >SHA256SUMS)
# What a user of this version reads: the changelog's newest part.
awk '/^## /{n++} n==1' CHANGELOG.md >"$dist/notes.md"
