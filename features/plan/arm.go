package plan

import (
	"slices"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
)

// PodInterface is the name of a pod's first interface, whatever made it, and of
// the kind node's.
const PodInterface = "eth0"

// The ways a ClusterIP is turned into a pod's address.
const (
	KubeProxy = "kube-proxy" // by iptables on the client's host: the socket keeps the ClusterIP
	SocketLB  = "socket-lb"  // at connect time: the socket's peer is the pod
)

// Arm is a datapath in a cluster of the lab.
type Arm struct {
	Name    string           `yaml:"name"`
	Cluster string           `yaml:"cluster"` // of the lab, where its pods run
	CNI     string           `yaml:"cni"`
	Network workload.Network `yaml:"network"`
	// ServerNetwork is the server's network, if it is another.
	ServerNetwork workload.Network `yaml:"serverNetwork"`
	Path          string           `yaml:"path"` // overrides the comparison's, for host-network arms
	// Service is what turns a ClusterIP into a pod's address: kube-proxy or
	// socket-lb. An arm without it is not measured by ClusterIP.
	Service string `yaml:"service"`
	// ServiceInterface is the client's interface towards ClusterIPs, if it is
	// another than towards pods.
	ServiceInterface string `yaml:"serviceInterface"`
	// HostInterface is how the names of the node's ends of the pods' interfaces
	// begin. An arm without it has no such end.
	HostInterface string `yaml:"hostInterface"`
	// Accelerated arms have the server's port accelerated by tcpip-bypass.
	Accelerated bool `yaml:"accelerated"`
	// Server and Port override the benchmark's.
	Server string `yaml:"server"`
	Port   int    `yaml:"port"`
}

// Of returns the benchmark as the arm runs it.
func (a Arm) Of(b Benchmark) Benchmark {
	if a.Server != "" {
		b.Server = a.Server
	}
	if a.Port != 0 {
		b.Port = a.Port
	}
	return b
}

// InterfaceOn is the client's interface that the path's packets cross.
func (a Arm) InterfaceOn(path string) string {
	if path == measure.ClusterIP && a.ServiceInterface != "" {
		return a.ServiceInterface
	}
	return PodInterface
}

// cell is the arm's cell in a comparison.
func (a Arm) cell(cmp Comparison) measure.Cell {
	path := cmp.Path
	if a.Path != "" {
		path = a.Path
	}
	return measure.Cell{Arm: a.Name, Path: path, Placement: cmp.Placement, Benchmark: cmp.Benchmark}
}

// macvlanOn is the SpiderMultusConfig of a node's interface.
func macvlanOn(iface string) workload.Network { return workload.Network("cniperf/cniperf-" + iface) }

// missing is why the arm can't be measured in its cluster, nil if it can.
func (a Arm) missing(spec lab.ClusterSpec) *record.Reason {
	for _, network := range []workload.Network{a.Network, a.ServerNetwork} {
		has := network == "" || network == workload.HostNetwork || network == workload.PodNetwork ||
			slices.ContainsFunc(spec.Interfaces, func(f lab.Interface) bool { return macvlanOn(f.Name) == network })
		if !has {
			return &record.Reason{Code: record.NoInterface, Cluster: spec.Name, Network: string(network)}
		}
	}
	return nil
}
