package run

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
)

// measuring is a batch while its rounds run.
type measuring struct {
	batch    *Batch
	sampler  *sampler
	reserved *lab.Reservation
	ctx      context.Context // ends when another run takes a cluster over
	end      context.CancelFunc
	standing map[string]context.Context // of each cluster: ends when it is lost
}

// take keeps everything but the tools off the measuring CPU. Where this process
// may not, the rounds run without, and the report says so.
func (m *measuring) take() error {
	err := m.reserved.Take()
	m.sampler.watch.Reserved = err == nil && m.reserved.Active()
	if !errors.Is(err, lab.ErrNotReserved) {
		return err
	}
	m.batch.room.say("%v", err)
	return m.batch.room.book.append(journal.Fact{
		Subject: "measuring CPU", Claim: "everything but the tools is kept off it while samples run", Found: err.Error(),
	})
}

// watchClusters follows the nodes of the batch's clusters for as long as it runs.
func (m *measuring) watchClusters() (stop func() error) {
	var stops []func()
	for name := range m.batch.up {
		w, err := m.batch.room.workers.of(name)
		if err != nil {
			continue
		}
		ctx, lose := context.WithCancelCause(m.ctx)
		m.standing[name] = ctx
		stopWatching := w.watch(ctx, lose)
		stops = append(stops, func() {
			stopWatching()
			lose(context.Canceled)
		})
	}
	return func() error {
		for _, stop := range stops {
			stop()
		}
		return nil
	}
}

// sample takes one sample. When its cluster is lost meanwhile it is invalid.
func (m *measuring) sample(ctx context.Context, s journal.Sample) (journal.Sample, error) {
	standing := m.standing[m.sampler.targets.turn(s.Cell, s.Round).cell.Arm.Cluster]
	if standing == nil {
		standing = m.ctx
	}
	sampling, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(standing, func() { cancel(context.Cause(standing)) })()
	s, err := m.sampler.sample(sampling, s)
	switch {
	case ctx.Err() != nil:
		return s, context.Cause(ctx)
	case m.ctx.Err() != nil: // another run measures here now
		return s, context.Cause(m.ctx)
	case err != nil && sampling.Err() != nil:
		s.Invalid, s.Values, err = context.Cause(sampling).Error(), nil, nil
	}
	if err == nil && s.Invalid != "" {
		m.batch.room.say("round %d dropped: %s: %s", s.Round, s.Cell, s.Invalid)
	}
	return s, err
}

// interference tells how others disturbed the round that has just ended.
func (m *measuring) interference(sound bool) interference.Finding {
	found := m.sampler.watch.Round(sound)
	if found.Drop {
		m.batch.room.say("a round is measured again: %s", journal.Drop{Code: journal.Interference, Beyond: found.Beyond})
	}
	return found
}

// repair makes the pods of the invalid sample's cell anew, and those of any other
// that aren't ready, once the clusters and their nodes answer again. Pods in which
// the tool ran to its end are not what is broken, unless they fail again. It has
// all CPUs.
func (m *measuring) repair(ctx context.Context, invalid journal.Sample, again bool) (lost []measure.Cell, err error) {
	if err := m.reserved.Release(); err != nil {
		return nil, err
	}
	lost, err = m.mend(ctx, invalid, again)
	if err == nil {
		err = m.reserved.Prepare(ctx)
	}
	if err == nil {
		err = m.take()
	}
	return lost, err
}

func (m *measuring) mend(ctx context.Context, invalid journal.Sample, again bool) ([]measure.Cell, error) {
	b := m.batch
	before := roundOf(b.cells)
	for _, name := range slices.Sorted(maps.Keys(b.up)) {
		if err := m.recover(ctx, name); err != nil {
			return nil, err
		}
	}
	for _, c := range slices.Clone(b.cells) {
		if err := m.renew(ctx, c, invalid, again); err != nil {
			return nil, err
		}
	}
	return gone(before, roundOf(b.cells)), nil
}

// gone are the cells that are no more.
func gone(before, now []measure.Cell) []measure.Cell {
	return slices.DeleteFunc(before, func(c measure.Cell) bool { return slices.Contains(now, c) })
}

// recover waits until a cluster answers again. Where it does not, the cluster is
// lost, and with it its cells.
func (m *measuring) recover(ctx context.Context, name string) error {
	b := m.batch
	err := context.Cause(m.standing[name])
	if err == nil {
		w, unknown := b.room.workers.of(name)
		if unknown != nil {
			return unknown
		}
		err = w.Recover(ctx, w.cluster.ServerNode, w.cluster.ClientNode)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		return nil
	}
	b.room.clusters.Lose(name, err)
	delete(b.up, name)
	why, _ := b.room.clusters.Lost(name)
	return b.without(why, func(c plan.Cell) bool { return c.Arm.Cluster == name })
}

// renew makes the pods of a cell anew where they are broken.
func (m *measuring) renew(ctx context.Context, c plan.Cell, invalid journal.Sample, again bool) error {
	b := m.batch
	renewed := false
	for _, t := range b.targets[c.Cell] {
		why := "its sample was invalid"
		if t != b.targets.turn(invalid.Cell, invalid.Round) || invalid.ToolDone && !again {
			var err error
			if why, err = t.pair.Ready(ctx); err != nil {
				why = err.Error()
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if why == "" {
			continue
		}
		b.room.say("new pods for %s: %s", c.Cell, why)
		renewed = true
		if err := b.room.pods.Renew(ctx, t.want); err != nil {
			return err
		}
	}
	if !renewed {
		return nil
	}
	why, err := b.target(ctx, c)
	if err != nil || why == nil {
		return err
	}
	return b.without(*why, func(other plan.Cell) bool { return other.Cell == c.Cell })
}

// giveUp leaves out a cell whose samples were invalid as often as they may be.
func (m *measuring) giveUp(invalid journal.Sample) ([]measure.Cell, error) {
	why := record.Reason{Code: record.SamplesInvalid, Detail: invalid.Invalid}
	err := m.batch.without(why, func(c plan.Cell) bool { return c.Cell == invalid.Cell })
	return []measure.Cell{invalid.Cell}, err
}
