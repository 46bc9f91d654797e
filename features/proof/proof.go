// Package proof tells from what was observed around a sample whether the sample
// took its arm's path. It is pure: it gets plain values and returns checks.
package proof

import (
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/node"
	"github.com/cniperf/cniperf/internal/trailer"
)

// PodInterface is the name of a pod's first interface: containerd and CRI-O ask every
// CNI for it. A node's have no name that could be taken for granted.
const PodInterface = "eth0"

// The ways a ClusterIP is turned into a pod's address.
const (
	KubeProxy = "kube-proxy" // by iptables on the client's host: the socket keeps the ClusterIP
	SocketLB  = "socket-lb"  // at connect time: the socket's peer is the pod
)

// minShare is the part of a namespace's traffic that must have crossed the
// interface of the claimed path. Pods carry nothing else; on a node the agents
// and the API server talk too, but little against a benchmark.
const minShare = 0.9

// Arm is what an arm claims of its path.
type Arm struct {
	Service       string // what translates ClusterIPs: KubeProxy, SocketLB or empty
	Interface     string // the client's interface that the path's packets cross; a node's own is found by its route
	HostInterface string // how the name of the node's end of PodInterface begins; empty where it has none
	HostNetwork   bool   // the client is in its node's network, beside the interfaces of others' pods
	Cilium        bool   // Cilium's agent has a part in the path
	Accelerated   bool   // tcpip-bypass accelerates the server's port
	Tunnelled     bool   // a tunnel carries it between nodes
}

// Sample is what ran, and to where.
type Sample struct {
	Path      measure.Path
	Argv      []string // the tool's command line, as it ran
	Server    string   // the server pod's address
	ClusterIP string   // its Service's
	Port      int
	UDP       bool
}

// Observed is what was seen of the sample.
type Observed struct {
	Trailer       trailer.Trailer // from the client's side
	Before, After node.Counts     // of the client's node, around the sample
	Accelerator   Accelerator
	Answered      float64 // messages that the tool says were answered, where it counts them
	Agent         Agent
}

// Agent is what Cilium's agent on the client's node tells of its datapath.
type Agent struct {
	Found []string
	Err   error // what doesn't hold, or why nothing is known
}

// evidence is what one sample is proven by: from the client's side, and from its
// node's in host.go.
type evidence struct {
	Arm
	Sample
	Observed
}

// Question is what the client's node is asked around a sample.
func Question(arm Arm, s Sample) node.Question {
	q := node.Question{Cilium: arm.Cilium, Towards: s.Server}
	if s.Path == measure.ClusterIP && arm.Service == KubeProxy {
		q.Service = s.at(s.ClusterIP)
	}
	return q
}

// at is how kube-proxy's rules name the sample's port at an address.
func (s Sample) at(address string) string {
	protocol := "/tcp"
	if s.UDP {
		protocol = "/udp"
	}
	return net.JoinHostPort(address, strconv.Itoa(s.Port)) + protocol
}

// Checks returns the proofs of the sample's path. A sample with a check that is
// not OK doesn't count.
func Checks(arm Arm, s Sample, o Observed) []journal.Check {
	e := evidence{arm, s, o}
	return append(e.clientChecks(), e.hostChecks()...)
}

// claim is a check of a claim: err is why nothing is known, such as a counter that
// went back.
func claim(text, found string, ok bool, err error) journal.Check {
	if err != nil {
		found, ok = err.Error(), false
	}
	return journal.Check{Claim: text, Found: found, OK: ok}
}

// own are the client's interfaces that carry its traffic and nobody else's: on a
// node, its uplinks and not the host ends of pods. Those that are gone after the run
// are among them.
func (e evidence) own() []string {
	if e.HostNetwork {
		uplinks := append(e.Before.Uplinks(), e.After.Uplinks()...)
		slices.Sort(uplinks)
		return slices.Compact(uplinks)
	}
	return slices.DeleteFunc(names(e.Trailer.Before.Interfaces, e.Trailer.After.Interfaces), func(name string) bool {
		return name == "lo"
	})
}

// crossing is the client's interface that the path's packets cross: on a node, the
// one that its kernel's route to the server goes by.
func (e evidence) crossing() string {
	if e.HostNetwork {
		return e.After.Via
	}
	return e.Interface
}

// names are the keys of both maps in order.
func names[V any](a, b map[string]V) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}
