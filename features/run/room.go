package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/rounds"
)

// room is what the batches of a run share.
type room struct {
	plan     plan.Plan
	clusters *Clusters
	workers  *workers
	pods     *PodPool
	book     *book
	judge    judge
	progress *progress.Reporter
	// ready makes a target ready for the samples of a benchmark.
	ready func(context.Context, *target, plan.Benchmark) error
	// cilium tells whether Cilium's agent runs in a cluster.
	cilium func(cluster string) bool
	// held returns a context that ends when another run has taken a cluster over.
	held func(context.Context) (context.Context, context.CancelFunc)
	// reservation is of the lab's measuring CPU.
	reservation func() (*lab.Reservation, error)
	now         func() time.Duration // since the run began
	measured    time.Duration        // for which this process has run rounds
	told        bool                 // what this machine lets the run see
}

func (r *room) say(format string, args ...any) { r.progress.Printf(format, args...) }

// begin makes everything ready for the rounds of a batch. release is to be called
// after them, also after an error.
func (r *room) begin(ctx context.Context, b *Batch) (m *measuring, release func() error, err error) {
	var undo []func() error
	release = func() error {
		var errs []error
		for i := len(undo) - 1; i >= 0; i-- {
			errs = append(errs, undo[i]())
		}
		return errors.Join(errs...)
	}
	m = &measuring{batch: b, standing: map[string]context.Context{}}
	m.ctx, m.end = r.held(ctx)
	undo = append(undo, func() error { m.end(); return nil })
	undo = append(undo, m.watchClusters())
	m.sampler = r.sampler(b)
	remove, err := r.accelerate(ctx, b, m)
	undo = append(undo, remove)
	if err != nil {
		return m, release, err
	}
	if m.reserved, err = r.reservation(); err == nil {
		err = m.reserved.Prepare(ctx)
	}
	if err != nil {
		return m, release, fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	undo = append(undo, m.reserved.Release)
	return m, release, m.take()
}

// sampler takes the samples of a batch.
func (r *room) sampler(b *Batch) *sampler {
	return &sampler{
		benchmark: b.decided.Bench,
		length:    r.plan.Profile.Length(b.decided.Bench),
		published: r.plan.Profile.Published,
		pin:       r.plan.Profile.Pin,
		targets:   b.targets,
		store:     r.book.writer.StoreRaw,
		now:       r.now,
		watch: &interference.Watch{
			Rule: r.plan.Profile.Interference, Dropped: rounds.Disturbed(r.book.past, b.decided.Name, b.phase),
		},
	}
}

// cleanUp removes the run's pods from all clusters, and ends what was kept open.
func (r *room) cleanUp(ctx context.Context) error {
	r.pods.Close()
	r.workers.close()
	return deleteAll(ctx, r.workers.starters())
}

// accelerate runs tcpip-bypass on the node of the accelerated arms, if the batch
// has any, for as long as it is measured: it would weigh on others. Where it does
// not start, those arms are left out.
func (r *room) accelerate(ctx context.Context, b *Batch, m *measuring) (remove func() error, err error) {
	none := func() error { return nil }
	for _, c := range b.cells {
		if !c.Arm.Accelerated {
			continue
		}
		cluster := b.up[c.Arm.Cluster]
		installed, err := bypass.Install(ctx, cluster.Target, r.workers.run, cluster.ClientNode, c.Arm.Of(b.decided.Bench).Port)
		remove := func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
			defer cancel()
			return installed.Remove(ctx)
		}
		if err == nil {
			m.sampler.bypass = installed
			return remove, nil
		}
		if ctx.Err() != nil {
			return remove, errors.Join(context.Cause(ctx), err)
		}
		why := record.Reason{Code: record.NoAccelerator, Cluster: c.Arm.Cluster, Detail: err.Error()}
		if err := b.without(why, func(other plan.Cell) bool { return other.Arm.Accelerated }); err != nil {
			return remove, err
		}
		return remove, b.enough()
	}
	return none, nil
}
