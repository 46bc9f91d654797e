#!/usr/bin/env bash
# Slows an arm of a run that goes on, to see the gate fail: adds rules that match
# nothing to the OUTPUT chain inside the client pods of the arm, which then walk
# all of them for every packet they send. The copy that is the A/A control is
# slowed as well, and so are the fresh pods of a confirming batch, as soon as they
# run. Nothing outside those pods changes; the rules go with them.
# usage: hack/slow-arm.sh ARM RULES [CLUSTER]     beside the run, for half an hour or until stopped
set -euo pipefail

arm=${1:?usage: hack/slow-arm.sh ARM RULES [CLUSTER]}
rules=${2:?how many rules? A thousand cost a few microseconds a packet}
cluster=cniperf-${3:-kube-proxy}
engine=${CNIPERF_ENGINE:-podman}
[[ $arm =~ ^[a-z0-9-]+$ && $arm != node ]] || { echo "slow-arm: no arm with pods of its own: $arm" >&2; exit 2; }
[[ $rules =~ ^[0-9]{1,5}$ ]] || { echo "slow-arm: RULES is 1 to 99999, not $rules" >&2; exit 2; }

on() { "$engine" exec -i "$@"; }

slow() { # uid name node
	local id pid
	id=$(on "$3" ctr -n k8s.io containers ls -q "labels.\"io.kubernetes.pod.uid\"==$1,labels.\"io.kubernetes.container.name\"==client" </dev/null)
	pid=$(on "$3" ctr -n k8s.io tasks ls </dev/null | awk -v id="$id" 'id != "" && $1 == id {print $2}')
	[ -n "$pid" ] || { echo "slow-arm: no process of $2 on $3" >&2; return 1; }
	# 192.0.2.0/24 is reserved for documentation: no pod has such an address.
	{
		echo '*filter'
		for ((i = 0; i < rules; i++)); do echo "-A OUTPUT -s 192.0.2.$((i % 256))/32 -j ACCEPT"; done
		echo COMMIT
	} | on "$3" nsenter -t "$pid" -n iptables-legacy-restore --noflush
	echo "slow-arm: $2 walks $rules rules for every packet"
}

columns=UID:.metadata.uid,NAME:.metadata.name,NODE:.spec.nodeName,PHASE:.status.phase
slowed=
while read -r uid name node phase; do
	[[ $name =~ ^$arm(-control)?(-confirm)?(-set[0-9]+)?-client$ && $phase == Running && $slowed != *$uid* ]] || continue
	slow "$uid" "$name" "$node" && slowed+=" $uid"
done < <(on "$cluster-control-plane" timeout 30m kubectl --kubeconfig /etc/kubernetes/admin.conf get pods --all-namespaces \
	--selector cniperf.io/role=client --output "custom-columns=$columns" --no-headers --watch </dev/null)
