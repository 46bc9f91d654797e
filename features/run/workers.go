package run

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cniperf/cniperf/fixtures/apierror"
	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/owned"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/node"
	"github.com/cniperf/cniperf/internal/patience"
)

// worker is what a run has in one cluster: what starts its pods, and the observer
// on its clients' node.
type worker struct {
	*workload.Cluster
	cluster  *testbed.Cluster
	observer *workload.Observer
}

// workers are those of the clusters that stand.
type workers struct {
	run  owned.Run
	pace func() float64
	say  func(format string, args ...any)
	// note records what a node is, or refuses another than that of a resumed run.
	note func(journal.Fingerprint) error

	mu  sync.Mutex
	all map[string]*worker
}

// of returns the worker of a cluster that was added.
func (w *workers) of(cluster string) (*worker, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one, ok := w.all[cluster]; ok {
		return one, nil
	}
	return nil, fmt.Errorf("cluster %s is not up", cluster)
}

// add makes a cluster ready for a run's pods: it removes what earlier runs left
// there and starts the observer. Again, it does nothing.
func (w *workers) add(ctx context.Context, c *testbed.Cluster, cilium bool) error {
	if _, err := w.of(c.Name); err == nil {
		return nil
	}
	d, err := workload.NewCluster(c.Name, c.REST, c.BenchImage, w.run.ID, w.run.Expires)
	if err != nil {
		return err
	}
	d.Pace = w.pace
	swept, err := d.Sweep(ctx)
	if err != nil {
		return err
	}
	var accelerators []string
	if err := w.asked(ctx, c.Name, "what an earlier run left", func(ctx context.Context) (err error) {
		accelerators, err = bypass.Sweep(ctx, c.Target)
		return err
	}); err != nil {
		return err
	}
	if swept = append(swept, accelerators...); len(swept) > 0 {
		w.say("cluster %s: removed what an earlier run had left: %v", c.Name, swept)
	}
	// Whatever is made from here on has to be removed at the end, so the worker is
	// known before its observer stands.
	one := &worker{Cluster: d, cluster: c}
	w.mu.Lock()
	if w.all == nil {
		w.all = map[string]*worker{}
	}
	w.all[c.Name] = one
	w.mu.Unlock()
	if one.observer, err = d.Observe(ctx, c.ClientNode, cilium); err != nil {
		return err
	}
	return w.describe(ctx, one)
}

// describe asks what the clients' node is, and has it noted.
func (w *workers) describe(ctx context.Context, one *worker) error {
	q := node.Question{Describe: true}
	if err := w.asked(ctx, one.cluster.Name, "the addresses of its nodes", func(ctx context.Context) error {
		nodes, err := one.cluster.Target.Nodes(ctx)
		for _, n := range nodes {
			if n.Name == one.cluster.ServerNode {
				q.Towards = n.InternalIP.String()
			}
		}
		return err
	}); err != nil {
		return err
	}
	var told node.Counts
	p := patience.Policy{What: "observer of cluster " + one.cluster.Name, Look: time.Minute, Pace: w.pace}
	if err := patience.Retry(ctx, p, func(ctx context.Context) (err error) {
		told, err = one.observer.Ask(ctx, q)
		return err
	}); err != nil {
		return err
	}
	return w.note(journal.Fingerprint{Cluster: one.cluster.Name, Node: one.cluster.ClientNode, Values: told.Facts})
}

// asked asks a cluster again for as long as its API server says nothing about the
// question itself.
func (w *workers) asked(ctx context.Context, cluster, what string, ask func(context.Context) error) error {
	p := patience.Policy{What: "cluster " + cluster + ": " + what, Look: time.Minute, Pace: w.pace}
	return patience.Retry(ctx, p, func(ctx context.Context) error {
		err := ask(ctx)
		if err != nil && !apierror.Passes(err) {
			return patience.Fatal(err)
		}
		return err
	})
}

// starters are the workers as what starts and deletes pods.
func (w *workers) starters() map[string]Starter {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]Starter{}
	for name, one := range w.all {
		all[name] = one
	}
	return all
}

// close ends what the workers keep open.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.all {
		if one.observer != nil {
			one.observer.Close()
		}
	}
}

// watch calls lost once, when a node of the cluster is silent for too long or
// another run has taken the cluster over, until the function it returns is called.
func (w *worker) watch(ctx context.Context, lost func(error)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := w.AwaitLoss(ctx, w.cluster.ServerNode, w.cluster.ClientNode); err != nil && ctx.Err() == nil {
			lost(err)
		}
	})
	return func() {
		cancel()
		watching.Wait()
	}
}

// leftoverTTL is after what time an owner may take what a run made for left
// behind. It is longer than any run.
const leftoverTTL = 24 * time.Hour

// idle returns what refuses nodes of somebody else's cluster that are busier than the
// lab file allows.
func (w *workers) idle(spec *lab.Spec) func(ctx context.Context, cluster string, pairs []*workload.Pair) error {
	return func(ctx context.Context, cluster string, pairs []*workload.Pair) error {
		c, err := spec.Cluster(cluster)
		if err != nil {
			return err
		}
		there, err := w.of(cluster)
		if err != nil {
			return err
		}
		return there.CheckIdle(ctx, pairs, c.MaxBusyPercent())
	}
}
