// Package node holds what an observer on a node is asked and what it answers:
// what the node's kernel and its agents had counted at one moment. The
// difference of two answers shows which way a sample took through the node.
package node

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cniperf/cniperf/internal/trailer"
)

// Question tells what an answer is to hold beside the interfaces.
type Question struct {
	Rules  bool `json:"rules,omitempty"`  // kube-proxy's counters in iptables
	Cilium bool `json:"cilium,omitempty"` // the status of Cilium's agent
}

// Interface is one interface of the node's own network namespace.
type Interface struct {
	Index int `json:"index"`
	trailer.Counters
}

// Counts is an answer. Error says why there is none.
type Counts struct {
	Interfaces map[string]Interface `json:"interfaces,omitempty"`
	// Services and Endpoints are the packets that kube-proxy's rules matched, by
	// the ADDRESS:PORT/PROTOCOL of a ClusterIP and of the pod it was translated
	// to. iptables' nat table sees only the first packet of a connection.
	Services  map[string]uint64 `json:"services,omitempty"`
	Endpoints map[string]uint64 `json:"endpoints,omitempty"`
	// Cilium is the agent's answer to /v1/healthz, a models.StatusResponse.
	Cilium json.RawMessage `json:"cilium,omitempty"`
	Error  string          `json:"error,omitempty"`
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

// ReadRules takes kube-proxy's counters from what iptables-save -c -t nat
// prints. Lines of other chains are left alone; a rule of kube-proxy's without
// counters is an error.
func ReadRules(save string) (services, endpoints map[string]uint64, err error) {
	services, endpoints = map[string]uint64{}, map[string]uint64{}
	for line := range strings.Lines(save) {
		count, rule, ok := strings.Cut(strings.TrimSpace(line), "] -A ")
		if !ok {
			continue
		}
		f := strings.Fields(rule)
		service := f[0] == "KUBE-SERVICES" && strings.HasPrefix(after(f, "-j"), "KUBE-SVC-")
		endpoint := strings.HasPrefix(f[0], "KUBE-SEP-") && after(f, "-j") == "DNAT"
		if !service && !endpoint {
			continue
		}
		var packets, bytes uint64
		if _, err := fmt.Sscanf(count, "[%d:%d", &packets, &bytes); err != nil {
			return nil, nil, fmt.Errorf("iptables-save: counters of %q: %w", line, err)
		}
		if service {
			address, _, _ := strings.Cut(after(f, "-d"), "/")
			services[address+":"+after(f, "--dport")+"/"+after(f, "-p")] = packets
		} else {
			endpoints[after(f, "--to-destination")+"/"+after(f, "-p")] = packets
		}
	}
	return services, endpoints, nil
}

// after is the word that follows an option.
func after(words []string, option string) string {
	for i, w := range words[:len(words)-1] {
		if w == option {
			return words[i+1]
		}
	}
	return ""
}
