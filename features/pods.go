package features

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// clusters brings up what the comparison runs on and records the proofs of it.
func (s *Suite) clusters(ctx context.Context, cmp Comparison) (map[string]*testbed.Cluster, error) {
	names, err := s.Catalogue.Clusters(cmp)
	if err != nil {
		return nil, err
	}
	clusters := map[string]*testbed.Cluster{}
	for _, name := range names {
		c, fresh, err := s.Testbed.Cluster(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("%w: cluster %s: %w", ErrInfrastructure, name, err)
		}
		clusters[name] = c
		if !fresh {
			continue
		}
		if err := s.sameCluster(ctx, c); err != nil {
			return nil, err
		}
		for _, f := range c.Facts {
			fact := journal.Fact{Cluster: name, Subject: f.Subject, Claim: f.Claim, Found: f.Found}
			if slices.Contains(s.past.Facts, fact) {
				continue
			}
			if err := s.Journal.Append(fact); err != nil {
				return nil, err
			}
		}
		for _, t := range c.Timings {
			if err := s.Journal.Append(journal.Stage{Name: t.Stage, Duration: t.Duration}); err != nil {
				return nil, err
			}
		}
	}
	return clusters, nil
}

// targets are the pairs of pods that are measured, by cell: one pair for each set
// of pods.
type targets map[measure.Cell][]*target

// turn is the pair of a cell that a round measures. The sets take turns, so that
// pods which are slow for as long as they live are not in every round.
func (t targets) turn(c measure.Cell, round int) *target {
	return t[c][(round-1)%len(t[c])]
}

// deploy returns the pairs of pods of every cell. Comparisons share the pairs of
// an arm, and the first starts those of the later ones in its clusters too, so
// that nothing starts between their rounds; a confirming batch gets pairs of its own.
func (s *Suite) deploy(ctx context.Context, cmp Comparison, phase string, clusters map[string]*testbed.Cluster) (targets, error) {
	bench, err := s.Catalogue.Benchmark(cmp.Benchmark)
	if err != nil {
		return nil, err
	}
	starting := []Comparison{cmp}
	if phase == journal.PhaseFull {
		selected, err := s.selected()
		if err != nil {
			return nil, err
		}
		// Those before it were measured, by an earlier process of the run maybe.
		i := slices.IndexFunc(selected, func(c Comparison) bool { return c.Name == cmp.Name })
		starting = append(starting, selected[i+1:]...)
	}
	all := targets{}
	for _, name := range sortedKeys(clusters) {
		d, err := s.deployer(ctx, clusters[name])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
		cells, err := s.pods(cmp, clusters[name], phase)
		if err != nil {
			return nil, err
		}
		missing, err := s.missing(starting, clusters[name], phase)
		if err != nil {
			return nil, err
		}
		if err := s.deployMissing(ctx, d, missing); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
		for _, c := range cells {
			for _, spec := range c.specs {
				t, err := newTarget(ctx, c.arm, s.pairs[name+"/"+spec.Name], s.observers[name], bench, c.cell, s.Profile.Pin)
				if err != nil {
					return nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
				}
				all[c.cell] = append(all[c.cell], t)
			}
		}
	}
	return all, nil
}

// missing are the pairs of pods that comparisons want in a cluster and that aren't
// there yet.
func (s *Suite) missing(comparisons []Comparison, cluster *testbed.Cluster, phase string) ([]workload.Spec, error) {
	var missing []workload.Spec
	listed := map[string]bool{}
	for _, cmp := range comparisons {
		cells, err := s.pods(cmp, cluster, phase)
		if err != nil {
			return nil, err
		}
		for _, c := range cells {
			servers, err := s.servers(c.arm, c.cell.Control)
			if err != nil {
				return nil, err
			}
			for _, spec := range c.specs {
				if _, there := s.pairs[cluster.Name+"/"+spec.Name]; there || listed[spec.Name] {
					continue
				}
				listed[spec.Name] = true
				spec.Servers = servers
				missing = append(missing, spec)
			}
		}
	}
	return missing, nil
}

// cellPods are the pairs of pods that a cell wants, one for each set.
type cellPods struct {
	cell  measure.Cell
	arm   Arm
	specs []workload.Spec
}

// pods are what the cells of a comparison want in a cluster.
func (s *Suite) pods(cmp Comparison, cluster *testbed.Cluster, phase string) ([]cellPods, error) {
	cells, err := s.Catalogue.Cells(cmp)
	if err != nil {
		return nil, err
	}
	var all []cellPods
	for _, c := range cells {
		arm, err := s.Catalogue.Arm(c.Arm)
		if err != nil {
			return nil, err
		}
		if arm.Cluster == cluster.Name {
			all = append(all, cellPods{c, arm, pairSpecs(arm, c, cluster, phase, s.Profile)})
		}
	}
	return all, nil
}

// servers are the containers that the comparisons of this run need in the server
// pod of an arm or of its second copy: each takes its time to start.
func (s *Suite) servers(arm Arm, control bool) ([]string, error) {
	comparisons, err := s.selected()
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for _, cmp := range comparisons {
		if !slices.Contains(cmp.Arms, arm.Name) || control && cmp.Control != arm.Name {
			continue
		}
		bench, err := s.Catalogue.Benchmark(cmp.Benchmark)
		if err != nil {
			return nil, err
		}
		needed[arm.of(bench).Server] = true
	}
	return sortedKeys(needed), nil
}

// repair makes the pods of the broken sample's cell anew, and those of any other
// that aren't ready, once the clusters and their nodes answer again. Pods in
// which the tool ran to its end are not what is broken, unless they fail again.
func (s *Suite) repair(ctx context.Context, cmp Comparison, phase string, clusters map[string]*testbed.Cluster, targets targets, broken journal.Sample, again bool) error {
	for _, name := range sortedKeys(clusters) {
		if err := s.deployers[name].Recover(ctx, clusters[name].ServerNode, clusters[name].ClientNode); err != nil {
			return fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
	}
	for cl, pairs := range targets {
		for _, t := range pairs {
			why := "its sample was invalid"
			if t != targets.turn(broken.Cell, broken.Round) || broken.ToolDone && !again {
				var err error
				if why, err = t.pair.Ready(ctx); err != nil {
					return fmt.Errorf("%w: %w", ErrInfrastructure, err)
				}
			}
			if why == "" {
				continue
			}
			s.Progress.Printf("new pods for %s: %s", cl, why)
			pair, err := s.deployers[t.arm.Cluster].Replace(ctx, t.pair.Spec)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrInfrastructure, err)
			}
			s.pairs[t.arm.Cluster+"/"+pair.Name] = pair
		}
	}
	fresh, err := s.deploy(ctx, cmp, phase, clusters)
	maps.Copy(targets, fresh)
	return err
}

// deployer returns what makes the pods in a cluster. The first call removes
// what earlier runs left there.
func (s *Suite) deployer(ctx context.Context, c *testbed.Cluster) (*workload.Cluster, error) {
	if d, ok := s.deployers[c.Name]; ok {
		return d, nil
	}
	d, err := workload.NewCluster(c.Name, c.REST, c.BenchImage, s.RunID, s.run().Expires)
	if err != nil {
		return nil, err
	}
	swept, err := d.Sweep(ctx)
	if err != nil {
		return nil, err
	}
	accelerators, err := bypass.Sweep(ctx, c.Target)
	if err != nil {
		return nil, err
	}
	swept = append(swept, accelerators...)
	if len(swept) > 0 {
		s.Progress.Printf("cluster %s: removed what an earlier run had left: %v", c.Name, swept)
	}
	if s.deployers == nil {
		s.deployers, s.observers = map[string]*workload.Cluster{}, map[string]*workload.Observer{}
	}
	s.deployers[c.Name] = d
	spec, err := s.spec.Cluster(c.Name)
	if err != nil {
		return nil, err
	}
	s.observers[c.Name], err = d.Observe(ctx, c.ClientNode, spec.CNI == lab.CNICilium)
	return d, err
}

func (s *Suite) deployMissing(ctx context.Context, d *workload.Cluster, specs []workload.Spec) error {
	if len(specs) == 0 {
		return nil
	}
	stage := s.Progress.Stage(fmt.Sprintf("start %d pairs of pods in cluster %s", len(specs), d.Name), 15*time.Second)
	pairs, err := d.Deploy(ctx, specs)
	if err == nil {
		err = d.CheckIdle(ctx, pairs, s.maxBusyPercent(d.Name))
	}
	if err != nil {
		return stage.End(err)
	}
	if s.pairs == nil {
		s.pairs = map[string]*workload.Pair{}
	}
	for _, p := range pairs {
		s.pairs[d.Name+"/"+p.Name] = p
	}
	return stage.End(nil)
}

// maxBusyPercent is how busy a cluster's nodes may be before anything is measured.
func (s *Suite) maxBusyPercent(cluster string) int {
	spec, err := s.spec.Cluster(cluster)
	if err != nil {
		return 0
	}
	return spec.MaxBusyPercent()
}

// cleanUp removes everything this run made, in all clusters at once.
func (s *Suite) cleanUp(ctx context.Context) error {
	var removing sync.WaitGroup
	errs := make([]error, len(s.deployers))
	for i, name := range sortedKeys(s.deployers) {
		removing.Go(func() {
			if o := s.observers[name]; o != nil {
				o.Close()
			}
			errs[i] = s.deployers[name].Delete(ctx)
		})
	}
	removing.Wait()
	return errors.Join(errs...)
}

// cleanUpTimeout bounds what an interrupted run spends on removing its pods.
const cleanUpTimeout = 60 * time.Second

// pairSpecs are the pairs of a cell, one for each of the profile's sets of pods. An
// arm on the nodes' own network has one for all: two servers on one node would want
// the same ports.
func pairSpecs(arm Arm, c measure.Cell, cluster *testbed.Cluster, phase string, p Profile) []workload.Spec {
	name := arm.Name
	if c.Control {
		name += "-control"
	}
	sets := p.PodSets
	if arm.Network == workload.HostNetwork {
		sets = 1
	} else if phase == journal.PhaseConfirm {
		name += "-confirm"
	}
	var specs []workload.Spec
	for set := 1; set <= sets; set++ {
		spec := workload.Spec{
			Name: name, Network: arm.Network, ServerNetwork: arm.ServerNetwork,
			ClientNode: cluster.ClientNode, ServerNode: cluster.ServerNode, ServerCPU: p.Pin.Server,
		}
		if set > 1 {
			spec.Name += fmt.Sprintf("-set%d", set)
		}
		if c.Placement == measure.SameNode {
			spec.ServerNode = spec.ClientNode
		}
		specs = append(specs, spec)
	}
	return specs
}
