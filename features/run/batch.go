package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/rounds"
)

// Batch measures one comparison in one phase: it narrows it to the arms that can
// be had, and runs its rounds.
type Batch struct {
	decided plan.Decided
	phase   string
	room    *room
	loop    rounds.Loop
	// cells are those that are measured. Arms that can't be had leave.
	cells   []plan.Cell
	targets targets
	up      map[string]*testbed.Cluster
}

// newBatch returns the batch, with the rounds that an earlier process of the run
// has measured.
func newBatch(r *room, d plan.Decided, phase string) *Batch {
	b := &Batch{decided: d, phase: phase, room: r, cells: slices.Clone(d.Cells)}
	lost := r.book.skipped(d.Name, phase)
	for _, skip := range lost {
		b.cells = slices.DeleteFunc(b.cells, func(c plan.Cell) bool { return c.Cell == skip.Cell })
	}
	if len(lost) > 0 {
		b.replaceControl()
	}
	b.loop = rounds.Loop{
		Comparison: d.Name, Phase: phase, Cells: roundOf(b.cells), Seed: r.plan.Seed,
		Min: r.plan.Profile.MinRounds, Max: d.MaxRounds,
		Past:   r.book.past.Blocks(d.Name, phase),
		Record: r.book.append,
	}
	b.loop.Decided = func(valid []measure.Round) bool { return r.judge.decided(d, valid, b.loop.Dropped) }
	return b
}

func roundOf(cells []plan.Cell) []measure.Cell {
	round := make([]measure.Cell, len(cells))
	for i, c := range cells {
		round[i] = c.Cell
	}
	return round
}

// Complete tells that an earlier process of the run has measured everything.
func (b *Batch) Complete() bool { return b.loop.Complete() }

// Prepare brings up the clusters and starts the pods that the batch needs, and
// narrows it to the arms that can be had.
func (b *Batch) Prepare(ctx context.Context) error {
	var err error
	if b.up, err = b.room.clusters.Up(ctx, b.decided.Clusters); err != nil {
		return err
	}
	for name, c := range b.up {
		if err := b.room.workers.add(ctx, c, b.room.cilium(name)); err != nil {
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case errors.Is(err, errOther):
				return err
			}
			b.room.clusters.Lose(name, err)
			delete(b.up, name)
		}
	}
	if len(b.up) == 0 {
		return b.room.clusters.errNone(b.decided.Clusters)
	}
	if b.phase == journal.PhaseConfirm {
		if err := b.renewHostPairs(ctx); err != nil {
			return err
		}
	}
	if err := b.pods(ctx); err != nil {
		return err
	}
	return b.narrow(ctx)
}

// renewHostPairs makes the pods of the arms on the nodes' own network anew, for a
// confirming batch: unlike those of other arms, the old ones can't stay beside
// fresh ones, since both would listen on the same ports of the same node. Where
// there are none yet the batch itself starts them.
func (b *Batch) renewHostPairs(ctx context.Context) error {
	for _, c := range b.cells {
		cluster, ok := b.up[c.Arm.Cluster]
		if !ok || c.Arm.Network != workload.HostNetwork {
			continue
		}
		for _, w := range wants(b.room.plan, c, cluster, b.phase) {
			if _, why := b.room.pods.Pair(w.key()); why != nil {
				continue
			}
			if err := b.room.pods.Renew(ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// pods starts the pairs of the cells whose clusters stand.
func (b *Batch) pods(ctx context.Context) error {
	var all []Want
	for _, c := range b.cells {
		if cluster, ok := b.up[c.Arm.Cluster]; ok {
			all = append(all, wants(b.room.plan, c, cluster, b.phase)...)
		}
	}
	return b.room.pods.Ensure(ctx, all)
}

// narrow leaves out the cells whose cluster or pods can't be had. Where that takes
// one of the two copies of the control, another arm becomes the control.
func (b *Batch) narrow(ctx context.Context) error {
	b.targets = targets{}
	for again := true; again; {
		for _, c := range slices.Clone(b.cells) {
			why, err := b.target(ctx, c)
			if err == nil && why != nil {
				err = b.without(*why, func(other plan.Cell) bool { return other.Cell == c.Cell })
			}
			if err != nil {
				return err
			}
		}
		if again = b.replaceControl(); again {
			if err := b.pods(ctx); err != nil {
				return err
			}
		}
	}
	b.loop.Cells = roundOf(b.cells)
	return b.enough()
}

// replaceControl makes the first arm the control that both copies are left of or
// can be started for, if the control has lost one.
func (b *Batch) replaceControl() (changed bool) {
	i := slices.IndexFunc(b.cells, func(c plan.Cell) bool { return c.Cell.Control })
	if i >= 0 {
		original := b.cells[i].Cell
		original.Control = false
		if slices.ContainsFunc(b.cells, func(c plan.Cell) bool { return c.Cell == original }) {
			return false
		}
		b.cells = slices.Delete(b.cells, i, i+1)
	}
	for _, c := range b.cells {
		second := c
		second.Cell.Control = true
		// A copy that was tried and failed is not tried again.
		tried := slices.ContainsFunc(b.room.book.skipped(b.decided.Name, b.phase), func(s journal.Skip) bool { return s.Cell == second.Cell })
		if !tried {
			b.cells = append(b.cells, second)
			b.room.say("%s: %s is the A/A control now", b.decided.Name, c.Arm.Name)
			return true
		}
	}
	return false
}

// enough refuses a batch in which nothing is left to compare.
func (b *Batch) enough() error {
	arms, controls := 0, 0
	for _, c := range b.cells {
		if c.Cell.Control {
			controls++
		} else {
			arms++
		}
	}
	if arms < 2 || controls < 1 {
		why := record.Reason{Code: record.NothingToCompare, Detail: fmt.Sprintf("%d arms and %d second copies", arms, controls)}
		if lost := b.room.book.skipped(b.decided.Name, b.phase); len(lost) > 0 {
			why.Detail += fmt.Sprintf("; the first left out is %s: %s", lost[0].Cell, lost[0].Text())
		}
		return errors.Join(&leftOutError{why}, b.room.book.skip(b.decided.Name, b.phase, measure.Cell{}, why))
	}
	return nil
}

// leftOutError says that a comparison can't be measured, for a reason that is
// recorded.
type leftOutError struct{ why record.Reason }

func (e *leftOutError) Error() string { return e.why.String() }

// target makes the targets of a cell, or tells why it can't be measured.
func (b *Batch) target(ctx context.Context, c plan.Cell) (*record.Reason, error) {
	if why, lost := b.room.clusters.Lost(c.Arm.Cluster); lost {
		return &why, nil
	}
	w, err := b.room.workers.of(c.Arm.Cluster)
	if err != nil {
		return &record.Reason{Code: record.ClusterLost, Cluster: c.Arm.Cluster, Detail: err.Error()}, nil
	}
	b.targets[c.Cell] = nil
	for _, want := range wants(b.room.plan, c, b.up[c.Arm.Cluster], b.phase) {
		pair, why := b.room.pods.Pair(want.key())
		if why != nil {
			return why, nil
		}
		t := &target{want: want, cell: c, pair: pair, observer: w.observer}
		if err := b.room.ready(ctx, t, b.decided.Bench); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return &record.Reason{Code: record.PodsFailed, Cluster: c.Arm.Cluster, Detail: err.Error()}, nil
		}
		b.targets[c.Cell] = append(b.targets[c.Cell], t)
	}
	return nil, nil
}

// Measure runs the rounds. What was measured before an error is returned beside
// it. Losing so many arms that nothing is left to compare is recorded and no error:
// the rounds before it are judged like any.
func (b *Batch) Measure(ctx context.Context) ([]measure.Round, map[measure.Cell]int, error) {
	if b.Complete() {
		valid, err := b.loop.Measure(ctx)
		return valid, b.loop.Dropped, err
	}
	m, release, err := b.room.begin(ctx, b)
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	b.loop.Sample, b.loop.Interference, b.loop.Repair, b.loop.GiveUp = m.sample, m.interference, m.repair, m.giveUp
	stage := b.room.progress.Clocked("measure "+b.decided.Title, b.loop.Expected(m.sampler.length))
	b.loop.Progress = func(round, attempt int, c measure.Cell) {
		stage.Step("round %d of %d to %d", round, b.loop.Min, b.loop.Max)
	}
	started := time.Now()
	valid, err := b.loop.Measure(ctx)
	if errors.Is(err, rounds.ErrNoPair) {
		why := record.Reason{Code: record.NothingToCompare, Detail: err.Error()}
		err = b.room.book.skip(b.decided.Name, b.phase, measure.Cell{}, why)
		b.room.say("%s ends after %d rounds: %s", b.decided.Name, len(valid), why)
	}
	if releaseErr := release(); releaseErr != nil {
		b.room.say("after the rounds of %s: %v", b.decided.Name, releaseErr)
	}
	b.room.measured += time.Since(started)
	err = stage.End(err)
	return valid, b.loop.Dropped, errors.Join(err, b.room.book.stage("measure "+b.decided.Name+" "+b.phase, time.Since(started), err))
}

// without leaves out the cells that match, and records why.
func (b *Batch) without(why record.Reason, match func(plan.Cell) bool) error {
	var errs []error
	b.cells = slices.DeleteFunc(b.cells, func(c plan.Cell) bool {
		if !match(c) {
			return false
		}
		b.room.say("left out: %s: %s", c.Cell, why)
		errs = append(errs, b.room.book.skip(b.decided.Name, b.phase, c.Cell, why))
		return true
	})
	return errors.Join(errs...)
}
