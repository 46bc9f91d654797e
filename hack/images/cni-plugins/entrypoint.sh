#!/bin/sh
# Copies the CNI plugins to the node. Spiderpool's chart runs it as `/bin/sh entrypoint.sh`, with one variable per family of plugins.
set -eu

for family in OVS RDMA SRIOV IB_SRIOV IPOIB; do
	if eval "[ \"\${INSTALL_${family}_PLUGIN:-false}\" = true ]"; then
		echo "this image carries containernetworking/plugins only, not $family" >&2
		exit 1
	fi
done
[ "${INSTALL_CNI_PLUGINS:-false}" = true ] || exit 0

target=/host/opt/cni/bin
for plugin in /usr/plugins/cni/*; do
	# A plugin may be running: a rename is allowed on a busy file, a write is not.
	cp "$plugin" "$target/.${plugin##*/}.new"
	mv -f "$target/.${plugin##*/}.new" "$target/${plugin##*/}"
done
echo "installed $(ls /usr/plugins/cni | tr '\n' ' ')"
