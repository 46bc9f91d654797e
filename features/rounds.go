package features

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// maxAttempts is how often a round is tried: a round with an invalid sample is
// dropped whole and measured again at most twice.
const maxAttempts = 3

// Rounds measures a comparison: each round measures every cell once, in an
// order drawn from the seed.
type Rounds struct {
	Comparison string
	Phase      string
	Cells      []measure.Cell
	Seed       uint64
	Min, Max   int // valid rounds

	// Past holds the rounds that an earlier process of the run measured, by
	// index. A valid one is never measured again.
	Past map[int]journal.Block
	// Dropped counts, per cell, the samples that were invalid, past ones included.
	Dropped map[measure.Cell]int

	// Sample runs one sample. A sample that does not count comes back with
	// Invalid set; an error ends the run.
	Sample func(ctx context.Context, s journal.Sample) (journal.Sample, error)
	// Repair is called before a round is measured again because of an invalid
	// sample of the cell; an error ends the run.
	Repair func(ctx context.Context, cell measure.Cell) error
	// Decided tells whether more rounds would change nothing.
	Decided func(rounds []measure.Round) bool
	// Record keeps a finished sample or round.
	Record func(record any) error
	// Progress is told what is being measured, and the rounds so far.
	Progress func(round, attempt int, cell measure.Cell)
}

// Measure returns the valid rounds, those of the past first. What was measured
// before an error is returned beside it.
func (r *Rounds) Measure(ctx context.Context) ([]measure.Round, error) {
	valid, next := r.replay()
	for round := next; round <= r.Max; round++ {
		if round > r.Min && r.Decided(valid) {
			break
		}
		r.drop(r.Past[round].Dropped)
		values := r.Past[round].Values
		if values == nil {
			var err error
			if values, err = r.round(ctx, round); err != nil {
				return valid, fmt.Errorf("%s: round %d: %w", r.Comparison, round, err)
			}
		}
		valid = append(valid, measure.Round{Index: round, Values: values})
	}
	return valid, nil
}

// Complete tells that the past alone holds every round Measure would return.
func (r *Rounds) Complete() bool {
	valid, next := r.replay()
	return next > r.Max || next > r.Min && r.Decided(valid)
}

// replay returns the past's rounds up to the first that has to be measured, and
// that one's index. Deciding at every one of them as the earlier process did,
// it ends where that one did.
func (r *Rounds) replay() (valid []measure.Round, next int) {
	r.Dropped = map[measure.Cell]int{}
	for next = 1; next <= r.Max; next++ {
		past := r.Past[next]
		if past.Values == nil || next > r.Min && r.Decided(valid) {
			break
		}
		r.drop(past.Dropped)
		valid = append(valid, measure.Round{Index: next, Values: past.Values})
	}
	return valid, next
}

func (r *Rounds) drop(dropped map[measure.Cell]int) {
	for cell, n := range dropped {
		r.Dropped[cell] += n
	}
}

// round measures one block, again when a sample of it is invalid.
func (r *Rounds) round(ctx context.Context, round int) (map[measure.Cell]measure.Values, error) {
	first := r.Past[round].Attempts + 1
	var cause string
	for attempt := first; attempt < first+maxAttempts; attempt++ {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		values, invalid, err := r.attempt(ctx, round, attempt)
		closing := journal.Round{Comparison: r.Comparison, Phase: r.Phase, Round: round, Attempt: attempt, Valid: invalid == nil && err == nil}
		switch {
		case err != nil:
			closing.Cause, closing.Interrupted = err.Error(), true
		case invalid != nil:
			closing.Cause = fmt.Sprintf("%s: %s", invalid.Cell, invalid.Invalid)
		}
		if err := errors.Join(err, r.Record(closing)); err != nil {
			return nil, err
		}
		if invalid == nil {
			return values, nil
		}
		r.Dropped[invalid.Cell]++
		cause = closing.Cause
		if attempt == first+maxAttempts-1 {
			break
		}
		if err := r.Repair(ctx, invalid.Cell); err != nil {
			return nil, fmt.Errorf("repair after %s: %w", cause, err)
		}
	}
	return nil, fmt.Errorf("%d attempts were invalid, the last because of %s", maxAttempts, cause)
}

// attempt measures every cell once, up to the first sample that is invalid. The
// sample that an error cuts off is recorded as interrupted.
func (r *Rounds) attempt(ctx context.Context, round, attempt int) (_ map[measure.Cell]measure.Values, invalid *journal.Sample, err error) {
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
func (r *Rounds) order(round, attempt int) []int {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%s/%d/%d", r.Comparison, r.Phase, round, attempt)
	return rand.New(rand.NewPCG(r.Seed, h.Sum64())).Perm(len(r.Cells))
}

// Expected is how long min rounds take, with overhead per sample.
func (r *Rounds) Expected(sample time.Duration) time.Duration {
	return time.Duration(r.Min*len(r.Cells)) * (sample + sampleOverhead)
}

// sampleOverhead is what a sample takes beyond its length: the exec, sockperf's
// own pauses, the questions to the node. It only feeds the expected time that is
// shown.
const sampleOverhead = 300 * time.Millisecond
