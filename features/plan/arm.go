package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/features/proof"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/variant"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
)

// Arm is a datapath in a cluster of the lab.
type Arm struct {
	Name     string // the datapath's, with @CLUSTER where several clusters have it
	Datapath string
	Cluster  string // of the lab, where its pods run
	CNI      string
	Network  workload.Network
	// ServerNetwork is the server's network, if it is another.
	ServerNetwork workload.Network
	Path          string // overrides the comparison's, for host-network arms
	// Service is what turns a ClusterIP into a pod's address: KubeProxy or
	// SocketLB. An arm without it is not measured by ClusterIP.
	Service string
	// ServiceInterface is the client's interface towards ClusterIPs, if it is
	// another than towards pods.
	ServiceInterface string
	// HostInterface is how the names of the node's ends of the pods' interfaces
	// begin. An arm without it has no such end.
	HostInterface string
	Accelerated   bool // the server's port is accelerated by tcpip-bypass
	Server        string
	Port          int     // of the server; both override the benchmark's
	Proof         []Proof // that each of its samples owes
	// Claims are its cluster's.
	Claims variant.Claims
}

// Of returns the benchmark as the arm runs it.
func (a Arm) Of(b Benchmark) Benchmark {
	b.Server, b.Port = cmp.Or(a.Server, b.Server), cmp.Or(a.Port, b.Port)
	return b
}

// InterfaceOn is the client's interface that the path's packets cross.
func (a Arm) InterfaceOn(path string) string {
	if path == measure.ClusterIP && a.ServiceInterface != "" {
		return a.ServiceInterface
	}
	return proof.PodInterface
}

// cell is the datapath's in a comparison, for an arm of that name.
func (p Datapath) cell(arm string, c Comparison) measure.Cell {
	return measure.Cell{Arm: arm, Path: cmp.Or(p.Path, c.Path), Placement: c.Placement, Benchmark: c.Benchmark}
}

func (a Arm) cell(c Comparison) measure.Cell {
	return measure.Cell{Arm: a.Name, Path: cmp.Or(a.Path, c.Path), Placement: c.Placement, Benchmark: c.Benchmark}
}

// macvlanOn is the SpiderMultusConfig of a node's interface.
func macvlanOn(iface string) workload.Network { return workload.Network("cniperf/cniperf-" + iface) }

// site is where arms can be: the clusters of a lab that a profile measures in.
type site struct {
	datapaths *Datapaths
	lab       []lab.ClusterSpec // all of them
	within    []lab.ClusterSpec
	profile   string
	// everywhere tells that every cluster has its own arm of what else once is
	// enough of: where the clusters themselves are compared.
	everywhere bool
}

// arms are those of a datapath, each in another cluster.
func (s site) arms(p Datapath) []Arm {
	var clusters []lab.ClusterSpec
	for _, c := range s.within {
		if s.datapaths.fits(p, c) && len(c.Interfaces) >= p.interfaces() {
			clusters = append(clusters, c)
		}
	}
	slices.SortStableFunc(clusters, func(a, b lab.ClusterSpec) int {
		rank := func(c lab.ClusterSpec) int { return slices.Index(p.In, c.Runs.Claims.Services) }
		return rank(a) - rank(b)
	})
	if p.Once && !s.everywhere && len(clusters) > 1 {
		clusters = clusters[:1]
	}
	var arms []Arm
	for _, c := range clusters {
		a := s.arm(p, c)
		if len(clusters) > 1 {
			a.Name += "@" + c.Name
		}
		arms = append(arms, a)
	}
	return arms
}

func (s site) arm(p Datapath, c lab.ClusterSpec) Arm {
	a := Arm{
		Name: p.Name, Datapath: p.Name, Cluster: c.Name, CNI: p.CNI, Path: p.Path, ServiceInterface: p.ServiceInterface,
		Accelerated: p.Accelerated, Server: p.Server, Port: p.Port, Proof: p.Proof,
		Claims: c.Runs.Claims,
	}
	switch p.Network {
	case Host:
		a.Network = workload.HostNetwork
	case Pod:
		a.Network, a.HostInterface = workload.PodNetwork, c.Runs.HostInterface
	case Macvlan:
		a.Network = macvlanOn(c.Interfaces[0].Name)
		if p.ServerInterface > 0 {
			a.ServerNetwork = macvlanOn(c.Interfaces[p.ServerInterface-1].Name)
		}
	}
	// kube-proxy's nftables count nothing per Service, so nothing could prove there
	// that a ClusterIP was translated.
	if p.Service && c.Runs.KubeProxy != variant.NFTables {
		a.Service = c.Runs.Claims.Services
	}
	return a
}

// missing is why a datapath has no arm, in the named cluster or anywhere.
func (s site) missing(p Datapath, cluster string) record.Reason {
	var inside []string
	for _, c := range s.within {
		inside = append(inside, c.Name)
	}
	why := record.Reason{Code: record.NoCluster, Profile: s.profile}
	for _, c := range s.lab {
		switch {
		case !s.datapaths.fits(p, c) || cluster != "" && c.Name != cluster:
		case len(c.Interfaces) < p.interfaces():
			if why.Code == record.NoCluster { // the first such cluster is told
				why.Code, why.Cluster, why.Interfaces = record.FewInterfaces, c.Name, p.interfaces()
			}
		case !slices.Contains(inside, c.Name):
			return record.Reason{Code: record.OtherCluster, Profile: s.profile, Cluster: c.Name, Clusters: inside}
		}
	}
	return why
}

// LeftOut is what a comparison was narrowed by, with the cell it would have had.
type LeftOut struct {
	record.LeftOut
	Cell measure.Cell

	cni string
}

// resolve turns a comparison's names of datapaths into its arms, and tells which
// have none and why.
func (s site) resolve(c Comparison, names []string) (arms []Arm, left []LeftOut, err error) {
	for _, name := range s.datapaths.expand(names) {
		p, cluster, err := s.datapaths.named(name)
		if err != nil {
			return nil, nil, fmt.Errorf("comparison %s: %w", c.Name, err)
		}
		found := s.arms(p)
		if !slices.Contains(names, name) && len(found) == 0 {
			continue // nobody asked for this variant by its name
		}
		if cluster != "" {
			found = slices.DeleteFunc(found, func(a Arm) bool { return a.Cluster != cluster })
		}
		if len(found) == 0 {
			left = append(left, LeftOut{record.LeftOut{Comparison: c.Name, Arm: name, Reason: s.missing(p, cluster)}, p.cell(name, c), p.CNI})
		}
		for _, a := range found {
			if cell := a.cell(c); cell.Path == measure.ClusterIP && a.Service == "" {
				why := record.Reason{Code: record.NoCounter, Profile: s.profile, Cluster: a.Cluster}
				left = append(left, LeftOut{record.LeftOut{Comparison: c.Name, Arm: a.Name, Reason: why}, cell, a.CNI})
				continue
			}
			if !slices.ContainsFunc(arms, func(o Arm) bool { return o.Name == a.Name }) {
				arms = append(arms, a)
			}
		}
	}
	return arms, left, nil
}

// controlOf is the arm that gets a second copy: the named one's first, else the first
// arm in pods of their own network, else the first.
func controlOf(name string, arms []Arm) Arm {
	datapath, cluster, _ := strings.Cut(name, "@")
	for _, a := range arms {
		if a.Datapath == datapath && (cluster == "" || a.Cluster == cluster) {
			return a
		}
	}
	for _, a := range arms {
		if a.Network != workload.HostNetwork {
			return a
		}
	}
	return arms[0]
}
