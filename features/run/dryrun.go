package run

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/owned"
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

// dryRun lists what a run would make.
type dryRun struct {
	plan  plan.Plan
	lab   *lab.Spec
	bed   *testbed.Testbed
	owner owned.Run
}

// printPlan lists every image and every object that the run would use or make,
// from the code that makes them. It changes nothing and asks no cluster.
func (s *Session) printPlan(ctx context.Context) error {
	// Without an engine there are no images yet, which is no error here.
	engine, _ := machine.Engine(ctx)
	var err error
	if s.bed, err = s.newTestbed(engine); err != nil {
		return err
	}
	plans, err := dryRun{s.plan, s.lab, s.bed, owner(s.runID, s.started)}.clusters(ctx)
	if err != nil {
		return err
	}
	return writePlans(os.Stdout, s.plan.Profile.Name, plans)
}

// clusters returns what the selected comparisons make in each cluster.
func (d dryRun) clusters(ctx context.Context) ([]*clusterPlan, error) {
	var plans []*clusterPlan
	for _, cmp := range d.plan.Selected() {
		for _, cluster := range cmp.Clusters {
			i := slices.IndexFunc(plans, func(p *clusterPlan) bool { return p.spec.Name == cluster })
			if i < 0 {
				p, err := d.cluster(ctx, cluster)
				if err != nil {
					return nil, fmt.Errorf("plan of cluster %s: %w", cluster, err)
				}
				i = len(plans)
				plans = append(plans, p)
			}
			if err := d.pods(ctx, plans[i], cmp); err != nil {
				return nil, fmt.Errorf("plan of cluster %s: %w", cluster, err)
			}
		}
	}
	return plans, nil
}

// cluster returns what a cluster is made of, without any pods to measure.
func (d dryRun) cluster(ctx context.Context, name string) (*clusterPlan, error) {
	spec, err := d.lab.Cluster(name)
	if err != nil {
		return nil, err
	}
	p := &clusterPlan{spec: spec}
	if p.bed, err = d.bed.Plan(ctx, name); err != nil {
		return nil, err
	}
	for _, what := range p.bed.Machine {
		p.lines = append(p.lines, plannedLine{onMachine, what})
	}
	p.add(stays, p.bed.Stay...)
	p.add(runs, p.bed.Run...)
	return p, nil
}

// pods adds what one comparison makes in a cluster.
func (d dryRun) pods(ctx context.Context, p *clusterPlan, cmp plan.Decided) error {
	nodes := plannedNodes(p.spec)
	there := &testbed.Cluster{Name: p.spec.Name, ServerNode: nodes[0], ClientNode: nodes[1]}
	deployer := &workload.Cluster{Name: p.spec.Name, Image: p.bed.Images.Refs["bench"], RunID: d.owner.ID, Expires: d.owner.Expires}
	phases := map[string]string{journal.PhaseFull: runs}
	if d.plan.Profile.Judge {
		phases[journal.PhaseConfirm] = ifNeeded
	}
	for _, phase := range []string{journal.PhaseFull, journal.PhaseConfirm} {
		fate, ok := phases[phase]
		if !ok {
			continue
		}
		var specs []workload.Spec
		accelerated := false
		for _, c := range cmp.In(there.Name) {
			for _, w := range wants(d.plan, c, there, phase) {
				specs = append(specs, w.Spec)
			}
			accelerated = accelerated || c.Arm.Accelerated
		}
		objects, err := deployer.Plan(there.ClientNode, p.spec.CNI == lab.CNICilium, specs)
		if err != nil {
			return err
		}
		for _, o := range objects {
			p.add(fate, o)
		}
		if accelerated {
			objects, err := bypass.Plan(ctx, p.bed.Target, d.owner, there.ClientNode)
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
		for _, role := range slices.Sorted(maps.Keys(p.bed.Images.Refs)) {
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
