package run

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/node"
	"github.com/cniperf/cniperf/internal/trailer"
)

// minShare is the part of a namespace's traffic that must have crossed the
// interface of the claimed path. Pods carry nothing else; on a node the agents
// and the API server talk too, but little against a benchmark.
const minShare = 0.9

// proof is what one sample is proven by: from the client's side, and from its
// node's in hostproof.go.
type proof struct {
	arm               plan.Arm
	path              string
	argv              []string // the tool's command line, as it ran
	server, clusterIP string   // the server pod's address and its Service's
	port              int
	udp               bool
	bypassed          bool        // there is an accelerator on the node
	upstream          bool        // and it is the archived one, which counts nothing
	redirected        uint64      // messages that cniperf's own moved during the sample
	messages          float64     // that the tool says were answered, where it counts them
	before, after     node.Counts // of the client's node, around the sample
}

// question is what the client's node is asked around a sample.
func (p proof) question() node.Question {
	return node.Question{Rules: p.path == "cluster-ip" && p.arm.Service == plan.KubeProxy, Cilium: p.cilium()}
}

// cilium tells whether Cilium's agent has a part in the path.
func (p proof) cilium() bool { return p.arm.CNI == "cilium" || p.arm.Service == plan.SocketLB }

// checks returns the proofs of the sample's path. A sample with a check that is
// not OK does not count.
func (p proof) checks(t trailer.Trailer) []journal.Check {
	checks := []journal.Check{p.crossed(t)}
	switch {
	case p.bypassed && p.upstream:
		checks = []journal.Check{p.crossed(t), p.asPackets(t)}
	case p.arm.Accelerated:
		checks = []journal.Check{p.skipped(t), p.moved()}
	case p.bypassed:
		checks = append(checks, p.moved())
	}
	// An unconnected UDP socket has no peer to look at.
	if !p.udp {
		checks = append(checks, p.peer(t))
	}
	if p.path == "cluster-ip" {
		checks = append(checks, journal.Check{
			Claim: fmt.Sprintf("the client dialled the Service's ClusterIP %s", p.clusterIP),
			Found: strings.Join(p.argv, " "),
			OK:    slices.Contains(p.argv, p.clusterIP) && !slices.Contains(p.argv, p.server),
		})
	}
	return append(checks, p.hostChecks(t)...)
}

// crossed proves from the client's network namespace which interface the
// sample's bytes left by: the interface's own counters, read right before and
// after the tool ran.
func (p proof) crossed(t trailer.Trailer) journal.Check {
	want := p.arm.InterfaceOn(p.path)
	var ours, all uint64
	var moved []string
	for _, name := range slices.Sorted(maps.Keys(t.After.Interfaces)) {
		d, _ := t.Delta(name)
		if name == "lo" || p.arm.Network == workload.HostNetwork && !physical(name) {
			continue
		}
		bytes := d.RxBytes + d.TxBytes
		all += bytes
		if name == want {
			ours = bytes
		}
		if bytes > 0 {
			moved = append(moved, fmt.Sprintf("%s %d bytes in %d packets", name, bytes, d.RxPackets+d.TxPackets))
		}
	}
	if len(moved) == 0 {
		moved = []string{"no interface moved a byte"}
	}
	return journal.Check{
		Claim: fmt.Sprintf("at least %.0f %% of the bytes crossed the client's %s", minShare*100, want),
		Found: strings.Join(moved, ", "),
		OK:    all > 0 && float64(ours) >= minShare*float64(all),
	}
}

// manyMessages is fewer than any benchmark sends in a second, and more than
// anything but a benchmark sends to its port.
const manyMessages = 1000

// moved proves by the accelerator's own counter whether the sample's messages
// went through it.
func (p proof) moved() journal.Check {
	c := journal.Check{Claim: "tcpip-bypass moved none of the messages", Found: fmt.Sprintf("%d messages", p.redirected), OK: p.redirected == 0}
	if p.arm.Accelerated {
		c.Claim, c.OK = fmt.Sprintf("tcpip-bypass moved at least %d messages", manyMessages), p.redirected >= manyMessages
	}
	return c
}

// skipped proves that an accelerated sample's messages were not packets: fewer
// crossed the client's interface than the accelerator moved messages.
func (p proof) skipped(t trailer.Trailer) journal.Check {
	d, _ := t.Delta(plan.PodInterface)
	packets := d.RxPackets + d.TxPackets
	return journal.Check{
		Claim: fmt.Sprintf("less than a tenth of the messages crossed the client's %s as packets", plan.PodInterface),
		Found: fmt.Sprintf("%d packets, %d messages moved", packets, p.redirected),
		OK:    packets*10 < p.redirected,
	}
}

// asPackets proves without the accelerator's help whether a sample's messages were
// packets: each that was answered is at least two on the client's interface, one
// out and one in.
func (p proof) asPackets(t trailer.Trailer) journal.Check {
	d, _ := t.Delta(plan.PodInterface)
	packets := float64(d.RxPackets + d.TxPackets)
	c := journal.Check{
		Claim: fmt.Sprintf("every message crossed the client's %s as packets", plan.PodInterface),
		Found: fmt.Sprintf("%.0f packets, %.0f messages answered", packets, p.messages),
		OK:    p.messages >= manyMessages && packets >= 2*p.messages,
	}
	if p.arm.Accelerated {
		c.Claim = fmt.Sprintf("less than a tenth of the messages crossed the client's %s as packets", plan.PodInterface)
		c.OK = p.messages >= manyMessages && packets*10 < p.messages
	}
	return c
}

// peer proves where the client's socket was connected to, as the kernel has it:
// to the pod, unless iptables on the host translates the ClusterIP later.
func (p proof) peer(t trailer.Trailer) journal.Check {
	address := p.server
	claim := "the client's socket is connected to the server itself, "
	if p.path == "cluster-ip" && p.arm.Service == plan.KubeProxy {
		address = p.clusterIP
		claim = "the client's socket is connected to the ClusterIP, translated on the host, "
	} else if p.path == "cluster-ip" {
		claim = "the client's socket is connected to the server, translated at connect time, "
	}
	want := net.JoinHostPort(address, strconv.Itoa(p.port))
	found := "no such socket seen"
	if len(t.Peers) > 0 {
		found = strings.Join(t.Peers, ", ")
	}
	ok := slices.Contains(t.Peers, want)
	// On a node other pods' agents have sockets too, but none to this port.
	return journal.Check{Claim: claim + want, Found: found, OK: ok && len(t.Peers) == 1}
}

// physical tells whether a node's interface is one of its own and not the host
// end of some pod's, which carries the traffic of others.
func physical(name string) bool { return strings.HasPrefix(name, "eth") }

func splitLines(text []byte) []string {
	var lines []string
	for line := range bytes.Lines(text) {
		if s := strings.TrimSpace(string(line)); s != "" {
			lines = append(lines, s)
		}
	}
	return slices.Clip(lines)
}
