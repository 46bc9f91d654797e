package proof

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/internal/counter"
	"github.com/cniperf/cniperf/internal/journal"
)

// tunnels are how the names of interfaces begin that wrap packets into others.
var tunnels = []string{"vxlan", "geneve", "tunl", "ipip", "gre", "sit", "wg", "wireguard", "cilium_vxlan", "cilium_geneve", "cilium_wg"}

// maxTunnelled is the part of a sample's bytes that a tunnel may have moved
// meanwhile: the agents' own health checks, not the sample.
const maxTunnelled = 0.01

// minTunnelled is the part of a sample's bytes that its tunnel must have counted. Linux
// counts what VXLAN carries without the 14 bytes of the inner Ethernet header, which
// the client's interface counts: 52 of the 66 bytes of a TCP acknowledgement are left.
const minTunnelled = 0.7

// hostChecks are the proofs that only the client's node can give.
func (e evidence) hostChecks() []journal.Check {
	var checks []journal.Check
	if e.HostInterface != "" {
		checks = append(checks, e.entered())
	}
	checks = append(checks, e.tunnelled())
	if q := Question(e.Arm, e.Path); q.Rules {
		checks = append(checks, e.translated()...)
	} else if q.Cilium {
		checks = append(checks, e.agent())
	}
	return checks
}

// entered proves that what the client sent came out of the node's end of its
// interface. Only that direction: eBPF host routing hands packets for a pod to
// it past that end.
func (e evidence) entered() journal.Check {
	text := fmt.Sprintf("at least %.0f %% of what the client sent entered the node by the %s* end of its %s",
		minShare*100, e.HostInterface, PodInterface)
	sent, err := e.Trailer.Delta(PodInterface)
	if err != nil {
		return claim(text, "", false, err)
	}
	name, after, ok := e.After.ByIndex(sent.Link)
	if !ok {
		return claim(text, "the node has no such interface", false, nil)
	}
	received, err := counter.Delta("rx_bytes of the node's "+name, e.Before.Interfaces[name].RxBytes, after.RxBytes)
	return claim(text, fmt.Sprintf("%s received %d bytes, the client sent %d", name, received, sent.TxBytes),
		strings.HasPrefix(name, e.HostInterface) && sent.TxBytes > 0 && float64(received) >= minShare*float64(sent.TxBytes), err)
}

// tunnelled proves that a tunnel of the node's carried the sample, or that none did.
func (e evidence) tunnelled() journal.Check {
	text := fmt.Sprintf("tunnels of the node moved less than %.0f %% of the sample's bytes", maxTunnelled*100)
	if e.Tunnelled {
		text = fmt.Sprintf("tunnels of the node moved at least %.0f %% of the sample's bytes", minTunnelled*100)
	}
	var moved []string
	var sum uint64
	for _, name := range names(e.Before.Interfaces, e.After.Interfaces) {
		if !slices.ContainsFunc(tunnels, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		after, ok := e.After.Interfaces[name]
		if !ok {
			return claim(text, fmt.Sprintf("the node's %s is gone after the run, and what it moved with it", name), false, nil)
		}
		d, err := after.Since("the node's "+name, e.Before.Interfaces[name].Counters)
		if err != nil {
			return claim(text, "", false, err)
		}
		sum += d.RxBytes + d.TxBytes
		moved = append(moved, fmt.Sprintf("%s %d bytes", name, d.RxBytes+d.TxBytes))
	}
	var sample uint64
	for _, name := range e.own() {
		d, err := e.Trailer.Delta(name)
		if err != nil {
			return claim(text, "", false, err)
		}
		sample += d.RxBytes + d.TxBytes
	}
	found := "the node has no tunnel"
	if len(moved) > 0 {
		found = fmt.Sprintf("%s, beside %d of the client", strings.Join(moved, ", "), sample)
	}
	holds := float64(sum) <= maxTunnelled*float64(sample)
	if e.Tunnelled {
		holds = sample > 0 && float64(sum) >= minTunnelled*float64(sample)
	}
	return claim(text, found, len(e.After.Interfaces) > 0 && holds, nil)
}

// translated proves by kube-proxy's own counters that the node's iptables
// turned the ClusterIP into the server.
func (e evidence) translated() []journal.Check {
	protocol := "/tcp"
	if e.UDP {
		protocol = "/udp"
	}
	counted := func(format, chain, address string, before, after map[string]uint64) journal.Check {
		key := net.JoinHostPort(address, strconv.Itoa(e.Port)) + protocol
		text := fmt.Sprintf(format, chain, key)
		if _, ok := after[key]; !ok {
			return claim(text, "kube-proxy has no such rule on the client's node", false, nil)
		}
		n, err := counter.Delta(chain+" of "+key, before[key], after[key])
		return claim(text, fmt.Sprintf("%d new connections", n), n > 0, err)
	}
	return []journal.Check{
		counted("kube-proxy's %s rule for %s matched", "KUBE-SVC", e.ClusterIP, e.Before.Services, e.After.Services),
		counted("kube-proxy's %s rule for %s translated", "KUBE-SEP", e.Server, e.Before.Endpoints, e.After.Endpoints),
	}
}

// agent proves by the status of Cilium's agent on the client's node, after the
// sample, that the datapath was the claimed one.
func (e evidence) agent() journal.Check {
	return claim("Cilium's agent on the client's node tells the datapath that the arm claims",
		strings.Join(e.Agent.Found, ", "), e.Agent.Err == nil && len(e.Agent.Found) > 0, e.Agent.Err)
}
