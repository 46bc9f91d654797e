package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// Pair is a client and a server pod that a cell is measured between.
type Pair struct {
	Name          string // unique in its cluster
	Network       workload.Network
	ServerNetwork workload.Network // if another than the client's
	SameNode      bool
}

// Pairs are those of a cell, one for each set of pods. An arm on the nodes' own
// network has one for all sets: two servers on one node would want the same ports.
// A confirming batch has pairs beside those of the first, where that is possible.
func Pairs(arm Arm, c measure.Cell, phase string, sets int) []Pair {
	name := arm.Datapath // without a cluster: pods are named within theirs
	if c.Control {
		name += "-control"
	}
	if arm.Network == workload.HostNetwork {
		sets = 1
	} else if phase == journal.PhaseConfirm {
		name += "-confirm"
	}
	var pairs []Pair
	for set := 1; set <= sets; set++ {
		p := Pair{Name: name, Network: arm.Network, ServerNetwork: arm.ServerNetwork, SameNode: c.Placement == measure.SameNode}
		if set > 1 {
			p.Name += fmt.Sprintf("-set%d", set)
		}
		pairs = append(pairs, p)
	}
	return pairs
}

// Servers are the containers that the selected comparisons need in the server pod
// of an arm or of its second copy: each takes its time to start.
func (p Plan) Servers(arm Arm, control bool) []string {
	needed := map[string]bool{}
	for _, d := range p.Selected() {
		if slices.Contains(d.Arms, arm.Name) && (!control || d.Control == arm.Name) {
			needed[arm.Of(d.Bench).Server] = true
		}
	}
	return slices.Sorted(maps.Keys(needed))
}

// checkAddresses refuses a lab whose pools can't hold the pods that the run may
// have at once, those of confirming batches included: it would break only then.
func (p Plan) checkAddresses(spec *lab.Spec) error {
	for _, cluster := range spec.Clusters {
		pods := p.podsByNetwork(cluster.Name)
		for _, f := range cluster.Interfaces {
			need := len(pods[macvlanOn(f.Name)])
			if have := f.Pool.Size(); have < need {
				return fmt.Errorf("lab: cluster %s: profile %s may have %d pods on %s at once and its pool %s has %d addresses: make it larger, or podSets of the profile smaller",
					cluster.Name, p.Profile.Name, need, f.Name, f.Pool, have)
			}
		}
	}
	return nil
}

// podsByNetwork are the pods that a cluster may have at once.
func (p Plan) podsByNetwork(cluster string) map[workload.Network]map[string]bool {
	pods := map[workload.Network]map[string]bool{}
	count := func(network workload.Network, pod string) {
		if pods[network] == nil {
			pods[network] = map[string]bool{}
		}
		pods[network][pod] = true
	}
	phases := []string{journal.PhaseFull}
	if p.Profile.Judge {
		phases = append(phases, journal.PhaseConfirm)
	}
	for _, d := range p.Selected() {
		for _, c := range d.In(cluster) {
			for _, phase := range phases {
				for _, pair := range Pairs(c.Arm, c.Cell, phase, p.Profile.PodSets) {
					count(pair.Network, pair.Name+" client")
					count(cmp.Or(pair.ServerNetwork, pair.Network), pair.Name+" server")
				}
			}
		}
	}
	return pods
}
