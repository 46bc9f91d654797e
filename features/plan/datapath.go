package plan

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/variant"
)

// The ways a ClusterIP is turned into a pod's address.
const (
	KubeProxy = variant.KubeProxy
	SocketLB  = variant.SocketLB
)

// Kind is what pods of a datapath are attached to.
type Kind string

// The kinds of networks.
const (
	Host    Kind = "host"    // their node's own
	Pod     Kind = "pod"     // the cluster's CNI
	Macvlan Kind = "macvlan" // on one of the node's interfaces
)

// Proof is one that every sample of a datapath owes.
type Proof string

// The proofs, as manifests/datapaths.yaml explains them.
const (
	Interface     Proof = "interface"
	Peer          Proof = "peer"
	HostEnd       Proof = "host-end"
	NoTunnel      Proof = "no-tunnel"
	Tunnel        Proof = "tunnel"
	Accelerator   Proof = "accelerator"
	NoAccelerator Proof = "no-accelerator"
)

var proofs = []Proof{Interface, Peer, HostEnd, NoTunnel, Tunnel, Accelerator, NoAccelerator}

// Datapath is how pods of one network talk.
type Datapath struct {
	Name    string `yaml:"name"`
	CNI     string `yaml:"cni"` // whose it is, for the label; a Pod's is the cluster's
	variant string // of which a Pod's is
	Network Kind   `yaml:"network"`
	// ServerInterface is the number of the node's interface that a Macvlan server
	// is on, if it is not the first.
	ServerInterface int      `yaml:"serverInterface"`
	Path            string   `yaml:"path"` // overrides the comparison's
	In              []string `yaml:"in"`   // services of clusters that can have it, the preferred first; none for any
	Once            bool     `yaml:"once"` // in one cluster of the lab
	Service         bool     `yaml:"service"`
	// ServiceInterface is the client's interface towards ClusterIPs, if another
	// than towards pods.
	ServiceInterface string  `yaml:"serviceInterface"`
	Accelerated      bool    `yaml:"accelerated"` // the server's port is accelerated by tcpip-bypass
	Server           string  `yaml:"server"`      // overrides the benchmark's
	Port             int     `yaml:"port"`        // overrides the benchmark's
	Proof            []Proof `yaml:"proof"`
}

// Datapaths are all that cniperf knows.
type Datapaths struct {
	List []Datapath `yaml:"datapaths"`

	variants variant.Set // each with a pod arm of its own
}

// LoadDatapaths reads datapaths.yaml of fsys.
func LoadDatapaths(fsys fs.FS) (*Datapaths, error) {
	const name = "datapaths.yaml"
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("datapaths: %w", err)
	}
	defer f.Close()
	var d Datapaths
	if d.variants, err = variant.Shipped(); err != nil {
		return nil, err
	}
	if err := decodeStrict(f, &d, d.validate); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &d, nil
}

func (d *Datapaths) validate() error {
	for i, p := range d.List {
		at := []any{"datapaths", i}
		if slices.ContainsFunc(d.List[:i], func(o Datapath) bool { return o.Name == p.Name }) || p.Network != Pod && d.podArm(p.Name) {
			return wrong(append(at, "name"), "datapath %s: is there a second time", p.Name)
		}
		if err := p.validate(at); err != nil {
			return err
		}
	}
	return nil
}

func (p Datapath) validate(at []any) error {
	switch {
	case !nameRE.MatchString(p.Name):
		return wrong(append(at, "name"), "datapath %q: want lower-case letters, digits and dashes as its name", p.Name)
	case p.Network != Host && p.Network != Pod && p.Network != Macvlan:
		return wrong(append(at, "network"), "datapath %s: network is %q, want %s, %s or %s", p.Name, p.Network, Host, Pod, Macvlan)
	case (p.CNI == "") != (p.Network == Pod):
		return wrong(at, "datapath %s: want a cni, except on network %s", p.Name, Pod)
	case p.ServerInterface != 0 && (p.ServerInterface < 2 || p.ServerInterface > 4 || p.Network != Macvlan):
		return wrong(append(at, "serverInterface"), "datapath %s: serverInterface is %d, want 2 to 4 on network %s, or none", p.Name, p.ServerInterface, Macvlan)
	case p.Port != 0 && !validPort(p.Port):
		return wrong(append(at, "port"), "datapath %s: port is %d, want 1 to 65535", p.Name, p.Port)
	case len(p.Proof) == 0:
		return wrong(at, "datapath %s: want the proof that its samples owe", p.Name)
	case p.Accelerated != slices.Contains(p.Proof, Accelerator):
		return wrong(append(at, "proof"), "datapath %s: %s is the proof of accelerated datapaths", p.Name, Accelerator)
	case (p.Network == Pod) != slices.Contains(p.Proof, HostEnd):
		return wrong(append(at, "proof"), "datapath %s: %s is the proof of network %s", p.Name, HostEnd, Pod)
	}
	for i, s := range p.In {
		if s != KubeProxy && s != SocketLB {
			return wrong(append(at, "in", i), "datapath %s: unknown services %q, known are %s, %s", p.Name, s, KubeProxy, SocketLB)
		}
	}
	for i, proof := range p.Proof {
		if !slices.Contains(proofs, proof) {
			return wrong(append(at, "proof", i), "datapath %s: unknown proof %q, known are %v", p.Name, proof, proofs)
		}
	}
	return nil
}

// podArm tells whether the pods of a variant have that name in tables.
func (d *Datapaths) podArm(name string) bool {
	return slices.ContainsFunc(d.variants, func(v variant.Variant) bool { return v.Arm() == name })
}

// named returns the datapath that comparisons know by a name: that of the
// clusters' CNI has a name for each variant. A cluster's part of the name, after @,
// is returned beside it.
func (d *Datapaths) named(name string) (p Datapath, cluster string, err error) {
	name, cluster, _ = strings.Cut(name, "@")
	var known []string
	for _, p := range d.all() {
		if p.Name == name {
			return p, cluster, nil
		}
		known = append(known, p.Name)
	}
	return Datapath{}, "", fmt.Errorf("unknown datapath %q: known are %s", name, strings.Join(known, ", "))
}

// expand puts the arms of all variants in the place of the datapath Pod's own name.
func (d *Datapaths) expand(names []string) []string {
	var all []string
	for _, name := range names {
		if !d.isPod(name) {
			all = append(all, name)
			continue
		}
		for _, v := range d.variants {
			all = append(all, v.Arm())
		}
	}
	return all
}

func (d *Datapaths) isPod(name string) bool {
	return slices.ContainsFunc(d.List, func(p Datapath) bool { return p.Network == Pod && p.Name == name })
}

// all lists the datapaths by the names that their arms have.
func (d *Datapaths) all() []Datapath {
	var all []Datapath
	for _, p := range d.List {
		if p.Network != Pod {
			all = append(all, p)
			continue
		}
		for _, v := range d.variants {
			all = append(all, p.of(v))
		}
	}
	return all
}

// of is the datapath Pod as a variant has it: a tunnel between its nodes is proven to
// carry the samples, in place of no tunnel.
func (p Datapath) of(v variant.Variant) Datapath {
	p.Name, p.CNI, p.variant = v.Arm(), v.CNI, v.Name
	if v.Claims.Tunnelled() {
		p.Proof = slices.Clone(p.Proof)
		for i, proof := range p.Proof {
			if proof == NoTunnel {
				p.Proof[i] = Tunnel
			}
		}
	}
	return p
}

// interfaces is how many interfaces of its nodes the datapath needs.
func (p Datapath) interfaces() int { return max(1, p.ServerInterface) }

// fits tells whether a cluster can have the datapath, its interfaces aside.
func (*Datapaths) fits(p Datapath, c lab.ClusterSpec) bool {
	switch {
	case p.Network == Pod && p.variant != c.Runs.Name, p.Network == Macvlan && !c.HasSpiderpool():
		return false
	}
	return len(p.In) == 0 || slices.Contains(p.In, c.Runs.Claims.Services)
}
