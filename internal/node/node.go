// Package node holds what an observer on a node is asked and what it answers:
// what the node's kernel and its agents had counted at one moment. The
// difference of two answers shows which way a sample took through the node.
package node

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/cniperf/cniperf/internal/links"
	"github.com/cniperf/cniperf/internal/trailer"
)

// Question tells what an answer is to hold beside the interfaces.
type Question struct {
	// Service is the ADDRESS:PORT/PROTOCOL of a ClusterIP whose rules of kube-proxy's
	// are read; empty for none.
	Service string `json:"service,omitempty"`
	Cilium  bool   `json:"cilium,omitempty"` // the status of Cilium's agent
	// Towards is the address to which the node's own way is told; empty for none.
	Towards string `json:"towards,omitempty"`
	// Describe asks for Facts.
	Describe bool `json:"describe,omitempty"`
}

// Interface is one interface of the node's own network namespace.
type Interface struct {
	Index int `json:"index"`
	// Kind is netlink's kind of the link, as in links.Link.
	Kind string `json:"kind,omitempty"`
	// Addressed tells that it has an address in a subnet of more than itself: others
	// are reached by it, if only pods.
	Addressed bool `json:"addressed,omitempty"`
	trailer.Counters
}

// Counts is an answer. Error says why there is none.
type Counts struct {
	Interfaces map[string]Interface `json:"interfaces,omitempty"`
	// Via is the interface by which the node reaches the address that was asked for,
	// empty if it has no route there.
	Via string `json:"via,omitempty"`
	// IPsec are the bytes that the kernel encrypted or decrypted, by the state's SPI
	// and destination: IPsec needs no interface. It is nil on a kernel without IPsec.
	IPsec map[string]uint64 `json:"ipsec,omitempty"`
	// Services and Endpoints are the packets that kube-proxy's rules matched, by
	// the ADDRESS:PORT/PROTOCOL of a ClusterIP and of the pod it was translated
	// to. iptables' nat table sees only the first packet of a connection.
	Services  map[string]uint64 `json:"services,omitempty"`
	Endpoints map[string]uint64 `json:"endpoints,omitempty"`
	// Cilium is the agent's answer to /v1/healthz, a models.StatusResponse.
	Cilium json.RawMessage `json:"cilium,omitempty"`
	// Facts are what the node is, and the tools that run on it, by name.
	Facts map[string]string `json:"facts,omitempty"`
	Error string            `json:"error,omitempty"`
}

// ByIndex returns the interface of that index and its name.
func (c Counts) ByIndex(index int) (string, Interface, bool) {
	for name, i := range c.Interfaces {
		if i.Index == index {
			return name, i, true
		}
	}
	return "", Interface{}, false
}

// Uplinks are the interfaces by which the node talks to other machines, whatever
// their names: Via, and others with a subnet of their own. Bridges of pods, tunnels
// and the pods' own ends are none; nor is what carries Via's packets below it, which
// would count them twice.
func (c Counts) Uplinks() []string {
	below := map[string]bool{}
	for i, ok := c.Interfaces[c.Via]; ok && stacked(i.Kind) && i.Link != 0; {
		var name string
		name, i, ok = c.ByIndex(i.Link)
		if below[name] {
			break
		}
		below[name] = true
	}
	var uplinks []string
	for _, name := range slices.Sorted(maps.Keys(c.Interfaces)) {
		i := c.Interfaces[name]
		own := i.Addressed && name != "lo" && i.Kind != "bridge" && !links.IsTunnel(i.Kind) && !below[name]
		if name == c.Via || own {
			uplinks = append(uplinks, name)
		}
	}
	return uplinks
}

// stacked tells of a kind of link that is tied to the one below it. The other end of
// a veth pair has an index of another namespace.
func stacked(kind string) bool {
	switch kind {
	case "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap":
		return true
	}
	return false
}
