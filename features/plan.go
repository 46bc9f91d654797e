package features

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
)

// What becomes of an object that the dry run lists.
const (
	stays     = "stays"      // until its owner removes it, or make down does
	runs      = "run"        // removed at the run's end
	ifNeeded  = "if-failing" // made only to confirm a fail, removed at the run's end
	onMachine = "machine"    // not in the cluster; make down removes it
)

// plannedLine is one thing a run would make.
type plannedLine struct{ fate, what string }

// clusterPlan is what a run would make or use in one cluster.
type clusterPlan struct {
	spec  lab.ClusterSpec
	bed   testbed.Plan
	lines []plannedLine
}

func (p *clusterPlan) add(fate string, objects ...client.Object) {
	for _, o := range objects {
		name := o.GetName()
		if o.GetNamespace() != "" {
			name = o.GetNamespace() + "/" + name
		}
		line := plannedLine{fate, o.GetObjectKind().GroupVersionKind().Kind + " " + name}
		if !slices.ContainsFunc(p.lines, func(l plannedLine) bool { return l.what == line.what }) {
			p.lines = append(p.lines, line)
		}
	}
}

// printPlan lists every image and every object that the run would use or make,
// from the code that makes them. It changes nothing and asks no cluster.
func (s *Suite) printPlan(ctx context.Context) error {
	root, err := projectRoot()
	if err != nil {
		return err
	}
	// Without an engine there are no images yet, which is no error here.
	engine, _ := machine.Engine(ctx)
	if s.Testbed, err = s.newTestbed(root, engine); err != nil {
		return err
	}
	plans, err := s.plans(ctx)
	if err != nil {
		return err
	}
	return writePlans(os.Stdout, s.Profile.Name, plans)
}

// plans returns what the selected comparisons make in each cluster.
func (s *Suite) plans(ctx context.Context) ([]*clusterPlan, error) {
	var plans []*clusterPlan
	comparisons, err := s.selected()
	if err != nil {
		return nil, err
	}
	for _, cmp := range comparisons {
		clusters, err := s.Catalogue.Clusters(cmp)
		if err != nil {
			return nil, err
		}
		for _, cluster := range clusters {
			i := slices.IndexFunc(plans, func(p *clusterPlan) bool { return p.spec.Name == cluster })
			if i < 0 {
				p, err := s.planCluster(ctx, cluster)
				if err != nil {
					return nil, fmt.Errorf("plan of cluster %s: %w", cluster, err)
				}
				i = len(plans)
				plans = append(plans, p)
			}
			if err := s.planPods(ctx, plans[i], cmp); err != nil {
				return nil, fmt.Errorf("plan of cluster %s: %w", cluster, err)
			}
		}
	}
	return plans, nil
}

// planCluster returns what a cluster is made of, without any pods to measure.
func (s *Suite) planCluster(ctx context.Context, name string) (*clusterPlan, error) {
	spec, err := s.spec.Cluster(name)
	if err != nil {
		return nil, err
	}
	p := &clusterPlan{spec: spec}
	if p.bed, err = s.Testbed.Plan(ctx, name); err != nil {
		return nil, err
	}
	for _, what := range p.bed.Machine {
		p.lines = append(p.lines, plannedLine{onMachine, what})
	}
	p.add(stays, p.bed.Stay...)
	p.add(runs, p.bed.Run...)
	return p, nil
}

// on returns the profile as a lab's clusters allow it: without those it lacks, and
// without the comparisons whose control was there.
func (p Profile) on(spec *lab.Spec, c *Catalogue) (Profile, error) {
	var has []string
	for _, cluster := range spec.Clusters {
		if len(p.Clusters) == 0 || slices.Contains(p.Clusters, cluster.Name) {
			has = append(has, cluster.Name)
		}
	}
	whole := true
	var comparisons []string
	for _, name := range p.Comparisons {
		cmp, err := c.Comparison(name)
		if err != nil {
			return p, err
		}
		needed, err := c.Clusters(cmp)
		if err != nil {
			return p, err
		}
		whole = whole && !slices.ContainsFunc(needed, func(n string) bool { return !slices.Contains(has, n) })
		control, err := c.Arm(cmp.Control)
		if err != nil {
			return p, err
		}
		if slices.Contains(has, control.Cluster) {
			comparisons = append(comparisons, name)
		}
	}
	if whole {
		return p, nil
	}
	if len(comparisons) == 0 {
		return p, fmt.Errorf("profile %s: none of its comparisons has its control in the lab's clusters %v", p.Name, has)
	}
	p.Clusters, p.Comparisons = has, comparisons
	return p, nil
}

// macvlanOn is the SpiderMultusConfig of a node's interface.
func macvlanOn(iface string) workload.Network { return workload.Network("cniperf/cniperf-" + iface) }

// missing names what a cluster's lab file lacks for the arm, if anything.
func (a Arm) missing(spec lab.ClusterSpec) string {
	for _, network := range []workload.Network{a.Network, a.ServerNetwork} {
		has := network == "" || network == workload.HostNetwork || network == workload.PodNetwork ||
			slices.ContainsFunc(spec.Interfaces, func(f lab.Interface) bool { return macvlanOn(f.Name) == network })
		if !has {
			return fmt.Sprintf("the lab file gives cluster %s no interface for %s", spec.Name, network)
		}
	}
	return ""
}

// enoughAddresses refuses a lab whose pools can't hold the pods that the run may
// have at once, those of confirming batches included: it would break only then.
func (s *Suite) enoughAddresses() error {
	comparisons, err := s.selected()
	if err != nil {
		return err
	}
	for _, spec := range s.spec.Clusters {
		pods := map[workload.Network]map[string]bool{}
		count := func(network workload.Network, pod string) {
			if pods[network] == nil {
				pods[network] = map[string]bool{}
			}
			pods[network][pod] = true
		}
		phases := []string{journal.PhaseFull}
		if s.Profile.Judge {
			phases = append(phases, journal.PhaseConfirm)
		}
		for _, comparison := range comparisons {
			for _, phase := range phases {
				cells, err := s.pods(comparison, &testbed.Cluster{Name: spec.Name}, phase)
				if err != nil {
					return err
				}
				for _, c := range cells {
					for _, pair := range c.specs {
						count(pair.Network, pair.Name+" client")
						count(cmp.Or(pair.ServerNetwork, pair.Network), pair.Name+" server")
					}
				}
			}
		}
		for _, f := range spec.Interfaces {
			need := len(pods[macvlanOn(f.Name)])
			if have := f.Pool.Size(); have < need {
				return fmt.Errorf("lab: cluster %s: profile %s may have %d pods on %s at once and its pool %s has %d addresses: make it larger, or podSets of the profile smaller",
					spec.Name, s.Profile.Name, need, f.Name, f.Pool, have)
			}
		}
	}
	return nil
}

// planPods adds what one comparison makes in a cluster.
func (s *Suite) planPods(ctx context.Context, p *clusterPlan, cmp Comparison) error {
	nodes := plannedNodes(p.spec)
	there := &testbed.Cluster{Name: p.spec.Name, ServerNode: nodes[0], ClientNode: nodes[1]}
	deployer := &workload.Cluster{Name: p.spec.Name, Image: p.bed.Images.Refs["bench"], RunID: s.run().ID, Expires: s.run().Expires}
	phases := map[string]string{journal.PhaseFull: runs}
	if s.Profile.Judge {
		phases[journal.PhaseConfirm] = ifNeeded
	}
	for _, phase := range []string{journal.PhaseFull, journal.PhaseConfirm} {
		fate, ok := phases[phase]
		if !ok {
			continue
		}
		cells, err := s.pods(cmp, there, phase)
		if err != nil {
			return err
		}
		var specs []workload.Spec
		accelerated := false
		for _, c := range cells {
			specs = append(specs, c.specs...)
			accelerated = accelerated || c.arm.Accelerated
		}
		objects, err := deployer.Plan(there.ClientNode, p.spec.CNI == lab.CNICilium, specs)
		if err != nil {
			return err
		}
		for _, o := range objects {
			p.add(fate, o)
		}
		if accelerated {
			objects, err := bypass.Plan(ctx, p.bed.Target, s.run(), there.ClientNode)
			if err != nil {
				return err
			}
			p.add(fate, objects...)
		}
	}
	return nil
}

// plannedNodes are the server's and the client's node; where a selector chooses
// them, their places stand for their names.
func plannedNodes(spec lab.ClusterSpec) []string {
	if nodes := spec.PlannedNodes(); len(nodes) >= 2 {
		return nodes
	}
	return []string{"(first chosen node)", "(second chosen node)"}
}

func writePlans(w io.Writer, profile string, plans []*clusterPlan) error {
	if _, err := fmt.Fprintf(w, "dry run of profile %s: nothing is made and no cluster is asked. What each line would become:\n"+
		"  %-10s  stays after the run\n  %-10s  removed at the end of the run; a namespace that is there already is used as it is, and stays\n"+
		"  %-10s  the same, and made only when a first batch fails a gate\n  %-10s  on this machine, until make down\n",
		profile, stays, runs, ifNeeded, onMachine); err != nil {
		return err
	}
	for _, p := range plans {
		where := "made by kind"
		if k := p.spec.Kubeconfig; k != nil {
			where = fmt.Sprintf("context %s of %s", k.Context, k.Path)
		}
		if _, err := fmt.Fprintf(w, "cluster %s (%s):\n", p.spec.Name, where); err != nil {
			return err
		}
		for _, role := range sortedKeys(p.bed.Images.Refs) {
			if _, err := fmt.Fprintf(w, "  %-10s  %s %s\n", "image", role, p.bed.Images.Refs[role]); err != nil {
				return err
			}
		}
		for _, l := range p.lines {
			if _, err := fmt.Fprintf(w, "  %-10s  %s\n", l.fate, l.what); err != nil {
				return err
			}
		}
	}
	return nil
}
