package proof

import (
	"fmt"
	"strings"

	"github.com/cniperf/cniperf/internal/counter"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/links"
	"github.com/cniperf/cniperf/internal/node"
)

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
	checks = append(checks, e.encapsulated())
	// Beside a tunnel's headers there is less room: its MTU is the variant's claim.
	if !e.HostNetwork && !e.Tunnelled {
		checks = append(checks, e.sized())
	}
	if q := Question(e.Arm, e.Sample); q.Service != "" {
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

// encapsulated proves that a tunnel of the node's carried the sample, or that none
// did, nor IPsec, which has no interface. A tunnel is known by the kind of its link.
func (e evidence) encapsulated() journal.Check {
	text := fmt.Sprintf("tunnels and IPsec of the node moved less than %.0f %% of the sample's bytes", maxTunnelled*100)
	if e.Tunnelled {
		text = fmt.Sprintf("tunnels and IPsec of the node moved at least %.0f %% of the sample's bytes", minTunnelled*100)
	}
	if !tellsKinds(e.After) {
		return claim(text, "the observer told no kinds of links: the bench image is another version's", false, nil)
	}
	sum, moved, err := e.tunnelled()
	if err != nil {
		return claim(text, "", false, err)
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
	return claim(text, found, holds, nil)
}

// tellsKinds tells an answer of today's observer from one that gave names alone, in
// which every link would be taken for hardware.
func tellsKinds(c node.Counts) bool {
	for _, i := range c.Interfaces {
		if i.MTU > 0 {
			return true
		}
	}
	return false
}

// tunnelled are the bytes that went through tunnels and IPsec: all, and each in words.
func (e evidence) tunnelled() (sum uint64, moved []string, err error) {
	note := func(name string, bytes uint64) {
		sum += bytes
		moved = append(moved, fmt.Sprintf("%s %d bytes", name, bytes))
	}
	gone := func(name string) error {
		return fmt.Errorf("the node's %s is gone after the run, and what it moved with it", name)
	}
	for _, name := range names(e.Before.Interfaces, e.After.Interfaces) {
		before, after := e.Before.Interfaces[name], e.After.Interfaces[name]
		if !links.IsTunnel(before.Kind) && !links.IsTunnel(after.Kind) {
			continue
		}
		if _, ok := e.After.Interfaces[name]; !ok {
			return 0, nil, gone(name)
		}
		d, err := after.Since("the node's "+name, before.Counters)
		if err != nil {
			return 0, nil, err
		}
		note(name+" ("+after.Kind+")", d.RxBytes+d.TxBytes)
	}
	for _, name := range names(e.Before.IPsec, e.After.IPsec) {
		after, ok := e.After.IPsec[name]
		if !ok {
			return 0, nil, gone(name)
		}
		d, err := counter.Delta("bytes of the node's "+name, e.Before.IPsec[name], after)
		if err != nil {
			return 0, nil, err
		}
		note(name, d)
	}
	return sum, moved, nil
}

// sized proves that the client's packets may be as large as its node's own to the
// same server: less room would void a comparison of throughput. Where the node has
// no route there, its device below the client's macvlan is what counts.
func (e evidence) sized() journal.Check {
	text := fmt.Sprintf("the client's %s has the MTU of its node's interface towards the server", PodInterface)
	end, ok := e.Trailer.After.Interfaces[PodInterface]
	if !ok {
		return claim(text, "the client has no such interface", false, nil)
	}
	name := e.After.Via
	if name == "" {
		name, _, ok = e.After.ByIndex(end.Link)
	}
	if !ok {
		return claim(text, "the node has no route to the server", false, nil)
	}
	want := e.After.Interfaces[name].MTU
	return claim(text, fmt.Sprintf("%d bytes, %s has %d", end.MTU, name, want), want > 0 && end.MTU == want, nil)
}

// translated proves by kube-proxy's own counters that the node's iptables
// turned the ClusterIP into the server.
func (e evidence) translated() []journal.Check {
	counted := func(format, chain, address string, before, after map[string]uint64) journal.Check {
		key := e.at(address)
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
// sample, that the datapath was all eBPF.
func (e evidence) agent() journal.Check {
	return claim("Cilium's agent on the client's node replaces kube-proxy, routes natively and by eBPF",
		strings.Join(e.Agent.Found, ", "), e.Agent.Err == nil && len(e.Agent.Found) > 0, e.Agent.Err)
}
