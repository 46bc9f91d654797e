package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/record"
)

// Starter starts pairs of pods in one cluster; *workload.Cluster is one.
type Starter interface {
	Start(ctx context.Context, specs []workload.Spec) ([]workload.Started, error)
	Replace(ctx context.Context, s workload.Spec) (*workload.Pair, error)
	Recover(ctx context.Context, nodes ...string) error
	Delete(ctx context.Context) error
}

// PairKey names a pair of pods.
type PairKey struct{ Cluster, Name string }

// Want is a pair that a comparison needs.
type Want struct {
	Cluster string
	Spec    workload.Spec
}

func (w Want) key() PairKey { return PairKey{w.Cluster, w.Spec.Name} }

// PodPool holds the pairs of pods of a run. A comparison asks for those it needs,
// which are started when the first one asks; later ones share them.
type PodPool struct {
	// starter returns what starts pairs in a cluster.
	starter func(cluster string) (Starter, error)
	// stage begins a line of progress and returns what ends it.
	stage func(name string, expected time.Duration) func(error) error
	// idle refuses nodes that are busy before anything is measured.
	idle   func(ctx context.Context, cluster string, pairs []*workload.Pair) error
	pairs  map[PairKey]*workload.Pair
	failed map[PairKey]record.Reason
	mu     sync.Mutex
}

// pairStart is how long a pair takes to start on the reference machine when some
// start at once; it only feeds the expected time that is shown.
const pairStart = 1200 * time.Millisecond

// Ensure starts the pairs that are missing, in all clusters at once. A pair that
// can't be had is told by Pair; only the end of ctx is an error.
func (p *PodPool) Ensure(ctx context.Context, wants []Want) error {
	missing := map[string][]workload.Spec{}
	count := 0
	for _, w := range wants {
		_, there := p.pairs[w.key()]
		_, failed := p.failed[w.key()]
		listed := slices.ContainsFunc(missing[w.Cluster], func(s workload.Spec) bool { return s.Name == w.Spec.Name })
		if there || failed || listed {
			continue
		}
		missing[w.Cluster] = append(missing[w.Cluster], w.Spec)
		count++
	}
	if count == 0 {
		return nil
	}
	end := p.stage(fmt.Sprintf("start %d pairs of pods", count), time.Duration(count)*pairStart)
	var starting sync.WaitGroup
	for cluster, specs := range missing {
		starting.Go(func() { p.start(ctx, cluster, specs) })
	}
	starting.Wait()
	if ctx.Err() != nil {
		return end(context.Cause(ctx))
	}
	return end(nil)
}

func (p *PodPool) start(ctx context.Context, cluster string, specs []workload.Spec) {
	s, err := p.starter(cluster)
	var started []workload.Started
	if err == nil {
		started, err = s.Start(ctx, specs)
	}
	if err == nil {
		err = p.idle(ctx, cluster, running(started))
	}
	if err != nil {
		started = nil
		for _, spec := range specs {
			started = append(started, workload.Started{Spec: spec, Err: err})
		}
	}
	for _, one := range started {
		p.keep(PairKey{cluster, one.Spec.Name}, one.Pair, one.Err)
	}
}

// running are the pairs that started.
func running(started []workload.Started) []*workload.Pair {
	var pairs []*workload.Pair
	for _, one := range started {
		if one.Pair != nil {
			pairs = append(pairs, one.Pair)
		}
	}
	return pairs
}

func (p *PodPool) keep(k PairKey, pair *workload.Pair, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pairs == nil {
		p.pairs, p.failed = map[PairKey]*workload.Pair{}, map[PairKey]record.Reason{}
	}
	if err != nil {
		delete(p.pairs, k)
		p.failed[k] = record.Reason{Code: record.PodsFailed, Cluster: k.Cluster, Detail: err.Error()}
		return
	}
	p.pairs[k] = pair
}

// Pair returns a pair that Ensure has started, or why it can't be had.
func (p *PodPool) Pair(k PairKey) (*workload.Pair, *record.Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pair, ok := p.pairs[k]; ok {
		return pair, nil
	}
	if why, ok := p.failed[k]; ok {
		return nil, &why
	}
	return nil, &record.Reason{Code: record.PodsFailed, Cluster: k.Cluster, Detail: "pair " + k.Name + " was never started"}
}

// Renew makes a pair anew. A pair that can't be made anew is gone for the rest of
// the run; only the end of ctx is an error.
func (p *PodPool) Renew(ctx context.Context, w Want) error {
	s, err := p.starter(w.Cluster)
	var pair *workload.Pair
	if err == nil {
		if old, why := p.Pair(w.key()); why == nil {
			old.Close()
		}
		pair, err = s.Replace(ctx, w.Spec)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.keep(w.key(), pair, err)
	return nil
}

// Close lets go of what the pairs keep open. The pods stay until they are deleted.
func (p *PodPool) Close() {
	for _, pair := range p.pairs {
		pair.Close()
	}
}

// wants are the pairs of a cell in its cluster, one for each of the profile's sets.
func wants(p plan.Plan, c plan.Cell, cluster *testbed.Cluster, phase string) []Want {
	var all []Want
	for _, pair := range plan.Pairs(c.Arm, c.Cell, phase, p.Profile.PodSets) {
		spec := workload.Spec{
			Name: pair.Name, Network: pair.Network, ServerNetwork: pair.ServerNetwork,
			ClientNode: cluster.ClientNode, ServerNode: cluster.ServerNode, ServerCPU: p.Profile.Pin.Server,
			Servers: p.Servers(c.Arm, c.Cell.Control),
		}
		if pair.SameNode {
			spec.ServerNode = spec.ClientNode
		}
		all = append(all, Want{cluster.Name, spec})
	}
	return all
}

// deleteAll removes everything that the run made, in all clusters at once.
func deleteAll(ctx context.Context, starters map[string]Starter) error {
	names := slices.Sorted(maps.Keys(starters))
	errs := make([]error, len(names))
	var removing sync.WaitGroup
	for i, name := range names {
		removing.Go(func() { errs[i] = starters[name].Delete(ctx) })
	}
	removing.Wait()
	return errors.Join(errs...)
}
