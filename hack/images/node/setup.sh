#!/bin/sh
# Adapts kind's files to Debian's containerd 1.6 and to machines without CAP_SYS_RESOURCE.
set -eu

chmod 0755 /kind /kind/bin /kind/bin/* /usr/local/bin/*

# Units that make no sense in a container, and the ones a node needs.
find /lib/systemd/system/sysinit.target.wants/ -name systemd-tmpfiles-setup.service -delete
rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
	/lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/sockets.target.wants/*udev* \
	/lib/systemd/system/sockets.target.wants/*initctl* /lib/systemd/system/basic.target.wants/*
echo 'ReadKMsg=no' >> /etc/systemd/journald.conf
ln -sf /usr/lib/systemd/systemd /sbin/init
# Lowering a score below zero needs CAP_SYS_RESOURCE; the unit would not start without it.
sed -i '/^OOMScoreAdjust=/d' /etc/systemd/system/containerd.service
systemctl enable kubelet.service containerd.service undo-mount-hacks.service
systemctl mask systemd-binfmt.service

# kind's files expect containerd and runc under /usr/local.
mkdir -p /usr/local/sbin
for program in containerd ctr containerd-shim-runc-v2; do
	ln -sf /usr/bin/$program /usr/local/bin/$program
done
ln -sf "$(command -v runc)" /usr/local/sbin/runc
# With no rules of either kind yet, kind takes iptables-legacy; the pods' tools are the nft ones, as Debian has them.
sed -i 's/"${num_legacy_lines}" -ge/"${num_legacy_lines}" -gt/' /usr/local/bin/entrypoint
grep -q 'num_legacy_lines}" -gt' /usr/local/bin/entrypoint
pause=$(kubeadm config images list --kubernetes-version "$(cat /kind/version)" | grep /pause:)
sed -i "s#sandbox_image = .*#sandbox_image = \"$pause\"#; s#restrict_oom_score_adj = false#restrict_oom_score_adj = true#" \
	/etc/containerd/config.toml
ctr oci spec | jq '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' \
	> /etc/containerd/cri-base.json

mkdir -p /etc/kubernetes/manifests
