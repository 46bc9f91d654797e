#!/bin/sh
# Imports /context/images.tar and gives the images the second names listed in /context/names ("image name" per line).
set -eu

# Only the content store is used: unpacking would mount an overlay on the build's own.
containerd --root /var/lib/containerd --state /tmp/state --address /tmp/containerd.sock --log-level error > /tmp/containerd.log 2>&1 &
daemon=$!
stop() {
	kill $daemon 2> /dev/null || true
	wait $daemon || true
	rm -rf /tmp/state /tmp/containerd.sock* /tmp/containerd.log
}
trap stop EXIT
client() { ctr --address /tmp/containerd.sock --namespace k8s.io "$@"; }

tries=0
until client version > /dev/null 2>&1; do
	tries=$((tries + 1))
	if [ $tries -gt 100 ] || ! kill -0 $daemon 2> /dev/null; then
		echo 'containerd did not start:' >&2
		cat /tmp/containerd.log >&2
		exit 1
	fi
	sleep 0.1
done
client images import --no-unpack /context/images.tar
while read -r image name; do
	client images tag "$image" "$name"
done < /context/names
client images list --quiet
