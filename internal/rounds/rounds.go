// Package rounds measures a comparison in interleaved rounds. It is pure: what a
// sample is, how a broken one is repaired and when enough is known is told by its
// caller.
package rounds

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// maxAttempts is how often a cell is tried in one round: a round with an invalid
// sample is dropped whole and measured again, at most twice for each cell.
const maxAttempts = 3

// Loop measures a comparison: each round measures every cell once, in an order
// drawn from the seed.
type Loop struct {
	Comparison string
	Phase      string
	// Cells are measured in every round. Those that are lost on the way leave.
	Cells    []measure.Cell
	Seed     uint64
	Min, Max int // valid rounds

	// Past holds the rounds that an earlier process of the run measured, by
	// index. A valid one is never measured again.
	Past map[int]journal.Block
	// Dropped counts, per cell, the samples that were invalid, past ones included.
	Dropped map[measure.Cell]int

	// Sample runs one sample. A sample that does not count comes back with
	// Invalid set; an error ends the run.
	Sample func(ctx context.Context, s journal.Sample) (journal.Sample, error)
	// Interference tells how others disturbed the samples since it was last
	// asked. It is asked at a round's end, before any value is looked at; sound
	// tells that every tool ran to its end. An invalid sample of such a round counts
	// against others, not against its arm, if the rule drops the round.
	Interference func(sound bool) interference.Finding
	// Repair is called before a round is measured again because of an invalid
	// sample; again tells that the same cell's was invalid in this round before. It
	// returns the cells that can't be measured any more: the rounds go on without
	// them. An error ends the run.
	Repair func(ctx context.Context, invalid journal.Sample, again bool) (lost []measure.Cell, err error)
	// GiveUp is told of a cell whose sample was invalid in every attempt of a round,
	// and returns the cells to go on without.
	GiveUp func(invalid journal.Sample) (lost []measure.Cell, err error)
	// Decided tells whether more rounds would change nothing.
	Decided func(rounds []measure.Round) bool
	// Record keeps a finished sample or round.
	Record func(record any) error
	// Progress is told what is being measured, and the rounds so far.
	Progress func(round, attempt int, cell measure.Cell)
}

// Measure returns the valid rounds, those of the past first. What was measured
// before an error is returned beside it.
func (r *Loop) Measure(ctx context.Context) ([]measure.Round, error) {
	valid, next := r.replay()
	for round := next; round <= r.Max; round++ {
		if round > r.Min && r.Decided(valid) {
			break
		}
		past := r.Past[round]
		r.drop(past.Dropped)
		measured := measure.Round{Index: round, Values: past.Values, Disturbed: past.Disturbed}
		if past.Values == nil {
			var err error
			if measured, err = r.round(ctx, round); err != nil {
				return valid, fmt.Errorf("%s: round %d: %w", r.Comparison, round, err)
			}
		}
		valid = append(valid, measured)
	}
	return valid, nil
}

// Complete tells that the past alone holds every round Measure would return.
func (r *Loop) Complete() bool {
	valid, next := r.replay()
	return next > r.Max || next > r.Min && r.Decided(valid)
}

// replay returns the past's rounds up to the first that has to be measured, and
// that one's index. Deciding at every one of them as the earlier process did,
// it ends where that one did.
func (r *Loop) replay() (valid []measure.Round, next int) {
	r.Dropped = map[measure.Cell]int{}
	for next = 1; next <= r.Max; next++ {
		past := r.Past[next]
		if past.Values == nil || next > r.Min && r.Decided(valid) {
			break
		}
		r.drop(past.Dropped)
		valid = append(valid, measure.Round{Index: next, Values: past.Values, Disturbed: past.Disturbed})
	}
	return valid, next
}

func (r *Loop) drop(dropped map[measure.Cell]int) {
	for cell, n := range dropped {
		r.Dropped[cell] += n
	}
}

// round measures one block, again when a sample of it is invalid or when others
// disturbed it so much that the rule drops it, which the rule does only so often.
func (r *Loop) round(ctx context.Context, round int) (measure.Round, error) {
	broken := map[measure.Cell]int{}
	for attempt := r.Past[round].Attempts + 1; ; attempt++ {
		if ctx.Err() != nil {
			return measure.Round{}, context.Cause(ctx)
		}
		values, invalid, err := r.attempt(ctx, round, attempt)
		found := r.Interference(err == nil && (invalid == nil || invalid.ToolDone))
		closing := journal.Round{
			Comparison: r.Comparison, Phase: r.Phase, Round: round, Attempt: attempt, Valid: invalid == nil && err == nil && !found.Drop,
			Disturbance: found.Numbers, Disturbed: found.Marked, Kept: found.Kept,
		}
		switch {
		case err != nil:
			closing.Why, closing.Interrupted = &journal.Drop{Code: journal.Ended, Detail: err.Error()}, true
		case found.Drop && invalid != nil:
			closing.Why = &journal.Drop{Code: journal.Interference, Cell: &invalid.Cell, Detail: invalid.Invalid, Beyond: found.Beyond}
		case invalid != nil:
			closing.Why = &journal.Drop{Code: journal.InvalidSample, Cell: &invalid.Cell, Detail: invalid.Invalid}
		case found.Drop:
			closing.Why = &journal.Drop{Code: journal.Interference, Beyond: found.Beyond}
		}
		if err := errors.Join(err, r.Record(closing)); err != nil {
			return measure.Round{}, err
		}
		if closing.Valid {
			return measure.Round{Index: round, Values: values, Disturbed: found.Kept}, nil
		}
		if invalid == nil || found.Drop {
			continue
		}
		r.Dropped[invalid.Cell]++
		broken[invalid.Cell]++
		lost, err := r.mend(ctx, *invalid, broken[invalid.Cell])
		if err != nil {
			return measure.Round{}, fmt.Errorf("after %s: %w", closing.Why, err)
		}
		if err := r.leave(lost); err != nil {
			return measure.Round{}, fmt.Errorf("after %s: %w", closing.Why, err)
		}
	}
}

// mend repairs a cell, or gives it up when it was tried as often as it may be.
func (r *Loop) mend(ctx context.Context, invalid journal.Sample, times int) ([]measure.Cell, error) {
	if times >= maxAttempts {
		return r.GiveUp(invalid)
	}
	return r.Repair(ctx, invalid, times > 1)
}

// ErrNoPair tells that so many cells were lost that nothing is left to compare:
// no two arms, or not both copies of the control.
var ErrNoPair = errors.New("too few arms are left to compare")

// leave goes on without the lost cells.
func (r *Loop) leave(lost []measure.Cell) error {
	if len(lost) == 0 {
		return nil
	}
	r.Cells = slices.DeleteFunc(slices.Clone(r.Cells), func(c measure.Cell) bool { return slices.Contains(lost, c) })
	arms, controlled := 0, false
	for _, c := range r.Cells {
		if !c.Control {
			arms++
			continue
		}
		original := c
		original.Control = false
		controlled = slices.Contains(r.Cells, original)
	}
	if arms < 2 || !controlled {
		return ErrNoPair
	}
	return nil
}

// Disturbed counts the rounds that the rule about interference has dropped in an
// earlier process of the run.
func Disturbed(past *journal.Run, comparison, phase string) int {
	n := 0
	for _, rd := range past.Rounds {
		why, dropped := rd.Dropped()
		if dropped && why.Code == journal.Interference && rd.Comparison == comparison && rd.Phase == phase {
			n++
		}
	}
	return n
}

// attempt measures every cell once, up to the first sample that is invalid. The
// sample that an error cuts off is recorded as interrupted.
func (r *Loop) attempt(ctx context.Context, round, attempt int) (_ map[measure.Cell]measure.Values, invalid *journal.Sample, err error) {
	begun := journal.Attempt{Comparison: r.Comparison, Phase: r.Phase, Round: round, Attempt: attempt}
	for _, i := range r.order(round, attempt) {
		begun.Cells = append(begun.Cells, r.Cells[i])
	}
	if err := r.Record(begun); err != nil {
		return nil, nil, err
	}
	values := map[measure.Cell]measure.Values{}
	for place, cell := range begun.Cells {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		r.Progress(round, attempt, cell)
		s, err := r.Sample(ctx, journal.Sample{
			Comparison: r.Comparison, Phase: r.Phase, Round: round, Attempt: attempt, Order: place + 1, Cell: cell,
		})
		if err != nil {
			s.Invalid, s.Interrupted, s.Values = err.Error(), true, nil
			return nil, nil, errors.Join(err, r.Record(s))
		}
		if err := r.Record(s); err != nil {
			return nil, nil, err
		}
		if s.Invalid != "" {
			return nil, &s, nil
		}
		values[cell] = s.Values
	}
	return values, nil, nil
}

// order is the round's random order: a function of seed, comparison, round and
// attempt alone, so that a resumed run continues the same plan.
func (r *Loop) order(round, attempt int) []int {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%s/%d/%d", r.Comparison, r.Phase, round, attempt)
	return rand.New(rand.NewPCG(r.Seed, h.Sum64())).Perm(len(r.Cells))
}

// Expected is how long min rounds take, with overhead per sample.
func (r *Loop) Expected(sample time.Duration) time.Duration {
	return time.Duration(r.Min*len(r.Cells)) * (sample + SampleOverhead)
}

// SampleOverhead is what a sample takes beyond its length: the exec, sockperf's
// own pauses, the questions to the node. It only feeds the expected time that is
// shown.
const SampleOverhead = 300 * time.Millisecond
