#!/usr/bin/env bash
# Calls go on the module of an image recipe, such as hack/recipe-go.sh cilium get
# github.com/cilium/cilium@v1.19.7. A recipe's files are recipe.mod and recipe.sum,
# since a folder with a go.mod could not be embedded (hack/hack.go).
# usage: hack/recipe-go.sh COMPONENT ARGUMENT...
set -euo pipefail
cd "$(dirname "$0")/images"

component=${1:-}
[[ $component =~ ^[a-z0-9.-]+$ && -f $component/recipe.mod && $# -ge 2 ]] || {
	echo "usage: hack/recipe-go.sh COMPONENT ARGUMENT..., where hack/images/COMPONENT has a recipe.mod" >&2
	exit 2
}
shift
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp "$component/recipe.mod" "$copy/go.mod"
cp "$component/recipe.sum" "$copy/go.sum"
(cd "$copy" && GOFLAGS=-mod=mod GOWORK=off go "$@")
cp "$copy/go.mod" "$component/recipe.mod"
cp "$copy/go.sum" "$component/recipe.sum"
