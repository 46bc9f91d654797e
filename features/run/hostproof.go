package run

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/cni/cilium"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/trailer"
)

// tunnels are how the names of interfaces begin that wrap packets into others.
var tunnels = []string{"vxlan", "geneve", "tunl", "ipip", "gre", "sit", "wg", "wireguard", "cilium_vxlan", "cilium_geneve", "cilium_wg"}

// maxTunnelled is the part of a sample's bytes that a tunnel may have moved
// meanwhile: the agents' own health checks, not the sample.
const maxTunnelled = 0.01

// hostChecks are the proofs that only the client's node can give.
func (p proof) hostChecks(t trailer.Trailer) []journal.Check {
	var checks []journal.Check
	if p.arm.HostInterface != "" {
		checks = append(checks, p.entered(t))
	}
	checks = append(checks, p.untunnelled(t))
	if q := p.question(); q.Rules {
		checks = append(checks, p.translated()...)
	} else if q.Cilium {
		checks = append(checks, p.agent())
	}
	return checks
}

// entered proves that what the client sent came out of the node's end of its
// interface. Only that direction: eBPF host routing hands packets for a pod to
// it past that end.
func (p proof) entered(t trailer.Trailer) journal.Check {
	sent, _ := t.Delta(plan.PodInterface)
	check := journal.Check{
		Claim: fmt.Sprintf("at least %.0f %% of what the client sent entered the node by the %s* end of its %s", minShare*100, p.arm.HostInterface, plan.PodInterface),
		Found: "the node has no such interface",
	}
	name, after, ok := p.after.ByIndex(t.After.Interfaces[plan.PodInterface].Link)
	if !ok {
		return check
	}
	received := after.RxBytes - p.before.Interfaces[name].RxBytes
	check.Found = fmt.Sprintf("%s received %d bytes, the client sent %d", name, received, sent.TxBytes)
	check.OK = strings.HasPrefix(name, p.arm.HostInterface) && sent.TxBytes > 0 && float64(received) >= minShare*float64(sent.TxBytes)
	return check
}

// untunnelled proves that no tunnel of the node's carried the sample.
func (p proof) untunnelled(t trailer.Trailer) journal.Check {
	var moved []string
	var sum uint64
	for _, name := range slices.Sorted(maps.Keys(p.after.Interfaces)) {
		if !slices.ContainsFunc(tunnels, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		before, after := p.before.Interfaces[name], p.after.Interfaces[name]
		bytes := after.RxBytes - before.RxBytes + after.TxBytes - before.TxBytes
		sum += bytes
		moved = append(moved, fmt.Sprintf("%s %d bytes", name, bytes))
	}
	var sample uint64
	for name := range t.After.Interfaces {
		if d, _ := t.Delta(name); name != "lo" {
			sample += d.RxBytes + d.TxBytes
		}
	}
	found := "the node has no tunnel"
	if len(moved) > 0 {
		found = fmt.Sprintf("%s, beside %d of the client", strings.Join(moved, ", "), sample)
	}
	return journal.Check{
		Claim: fmt.Sprintf("tunnels of the node moved less than %.0f %% of the sample's bytes", maxTunnelled*100),
		Found: found,
		OK:    len(p.after.Interfaces) > 0 && float64(sum) <= maxTunnelled*float64(sample),
	}
}

// translated proves by kube-proxy's own counters that the node's iptables
// turned the ClusterIP into the server.
func (p proof) translated() []journal.Check {
	protocol := "/tcp"
	if p.udp {
		protocol = "/udp"
	}
	counted := func(claim, address string, before, after map[string]uint64) journal.Check {
		key := net.JoinHostPort(address, strconv.Itoa(p.port)) + protocol
		n, ok := after[key]
		c := journal.Check{Claim: fmt.Sprintf(claim, key), Found: "kube-proxy has no such rule on the client's node"}
		if ok {
			moved := n - before[key]
			c.Found, c.OK = fmt.Sprintf("%d new connections", moved), moved > 0
		}
		return c
	}
	return []journal.Check{
		counted("kube-proxy's KUBE-SVC rule for %s matched", p.clusterIP, p.before.Services, p.after.Services),
		counted("kube-proxy's KUBE-SEP rule for %s translated", p.server, p.before.Endpoints, p.after.Endpoints),
	}
}

// agent proves by the status of Cilium's agent on the client's node, after the
// sample, that the datapath was all eBPF.
func (p proof) agent() journal.Check {
	facts, err := cilium.ProveStatus("the agent", p.after.Cilium)
	check := journal.Check{Claim: "Cilium's agent on the client's node replaces kube-proxy, routes natively and by eBPF", OK: err == nil}
	if err != nil {
		check.Found = err.Error()
		return check
	}
	var found []string
	for _, f := range facts {
		found = append(found, f.Claim+": "+f.Found)
	}
	check.Found = strings.Join(found, ", ")
	return check
}
