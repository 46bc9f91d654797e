#!/usr/bin/env bash
# The ordinary user's road on Docker: images, a smoke run, down; and what the machine
# had before it has after it: containers, networks, volumes, iptables rules.
# usage: hack/test-docker.sh [suite flags…]     such as -images-from registry
# With Debian's Docker where CAP_SYS_RESOURCE is missing, see docs/users/docker.md.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(docker info --format '{{.ID}}' 2>/dev/null)" ] || {
	echo "test-docker: no Docker answers: $(docker info 2>&1 | tail -n 1)" >&2
	exit 3
}

# state lists all that a lab could leave. Counters of rules change by themselves.
state() {
	docker ps --all --format 'container {{.Names}}' | sort
	docker network ls --format 'network {{.Name}} {{.Driver}}' | sort
	docker volume ls --format 'volume {{.Name}}' | sort
	if [ "$(id -u)" = 0 ] && command -v iptables-save >/dev/null; then
		iptables-save | grep -v '^#' | sed 's/\[[0-9:]*\]//' | sort
	fi
}

before=$(mktemp) after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
state >"$before"

step() {
	local started=$SECONDS
	"${@:2}"
	printf '▶ %s took %d s\n' "$1" $((SECONDS - started))
}

hack/go.sh build -o bin/cniperf ./cmd/cniperf
step images bin/cniperf images --engine docker
code=0
step 'smoke on Docker' bin/cniperf run -profile smoke "$@" || code=$?
step down bin/cniperf down --engine docker
state >"$after"
if ! diff -u "$before" "$after"; then
	echo "test-docker: the lines above are what differs from before" >&2
	exit 1
fi
echo "nothing is left"
exit $code
