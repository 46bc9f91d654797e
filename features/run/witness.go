package run

import (
	"context"

	"github.com/cniperf/cniperf/features/proof"
	"github.com/cniperf/cniperf/internal/node"
	"github.com/cniperf/cniperf/internal/podrun"
)

// witness reads what surrounds a sample: the accelerator, the client's node and
// the pair's servers.
type witness struct {
	sampler *sampler
	target  *target
	asked   node.Question
}

// observed is what was read around a sample.
type observed struct {
	proof.Observed
	serversBefore, serversAfter podrun.Servers
}

// before sets the accelerator as the arm needs it, and returns what was counted
// before the tool runs.
func (w witness) before(ctx context.Context) (o observed, err error) {
	if b := w.sampler.bypass; b != nil {
		if err := b.Accelerate(ctx, w.target.cell.Arm.Accelerated); err != nil {
			return o, err
		}
		o.Accelerator.Present, o.Accelerator.Silent = true, b.Upstream
		counted, err := b.Counters(ctx)
		if err != nil {
			return o, err
		}
		o.Accelerator.Before = counted.Messages
	}
	if o.serversBefore, err = w.target.pair.Servers(ctx); err != nil {
		return o, err
	}
	o.Before, err = w.target.observer.Ask(ctx, w.asked)
	return o, err
}

// after adds what the same had counted after it.
func (w witness) after(ctx context.Context, o *observed) (err error) {
	if o.After, err = w.target.observer.Ask(ctx, w.asked); err != nil {
		return err
	}
	o.Agent = agent(w.target.cell.Arm, w.asked, o.After)
	if o.serversAfter, err = w.target.pair.Servers(ctx); err != nil || w.sampler.bypass == nil {
		return err
	}
	counted, err := w.sampler.bypass.Counters(ctx)
	o.Accelerator.After = counted.Messages
	return err
}
