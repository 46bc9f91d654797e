package features

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/interference"
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
	// Interference tells how others disturbed the samples since it was last
	// asked. It is asked at a round's end, before any value is looked at; whole
	// tells that every sample is valid.
	Interference func(whole bool) interference.Finding
	// Repair is called before a round is measured again because of an invalid
	// sample; again tells that the same cell's was invalid in this round before. An
	// error ends the run.
	Repair func(ctx context.Context, invalid journal.Sample, again bool) error
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
		valid = append(valid, measure.Round{Index: next, Values: past.Values, Disturbed: past.Disturbed})
	}
	return valid, next
}

func (r *Rounds) drop(dropped map[measure.Cell]int) {
	for cell, n := range dropped {
		r.Dropped[cell] += n
	}
}

// round measures one block, again when a sample of it is invalid or when others
// disturbed it so much that the rule drops it, which the rule does only so often.
func (r *Rounds) round(ctx context.Context, round int) (measure.Round, error) {
	var broken []measure.Cell
	for attempt := r.Past[round].Attempts + 1; ; attempt++ {
		if ctx.Err() != nil {
			return measure.Round{}, context.Cause(ctx)
		}
		values, invalid, err := r.attempt(ctx, round, attempt)
		found := r.Interference(invalid == nil && err == nil)
		closing := journal.Round{
			Comparison: r.Comparison, Phase: r.Phase, Round: round, Attempt: attempt, Valid: invalid == nil && err == nil && !found.Drop,
			Disturbance: found.Numbers, Disturbed: found.Marked, Kept: found.Kept,
		}
		switch {
		case err != nil:
			closing.Cause, closing.Interrupted = err.Error(), true
		case invalid != nil:
			closing.Cause = fmt.Sprintf("%s: %s", invalid.Cell, invalid.Invalid)
		case found.Drop:
			closing.Cause = disturbedCause + excesses(found.Beyond)
		}
		if err := errors.Join(err, r.Record(closing)); err != nil {
			return measure.Round{}, err
		}
		if closing.Valid {
			return measure.Round{Index: round, Values: values, Disturbed: found.Kept}, nil
		}
		if invalid == nil {
			continue
		}
		r.Dropped[invalid.Cell]++
		again := slices.Contains(broken, invalid.Cell)
		if broken = append(broken, invalid.Cell); len(broken) == maxAttempts {
			return measure.Round{}, fmt.Errorf("%d attempts were invalid, the last because of %s", maxAttempts, closing.Cause)
		}
		if err := r.Repair(ctx, *invalid, again); err != nil {
			return measure.Round{}, fmt.Errorf("repair after %s: %w", closing.Cause, err)
		}
	}
}

// disturbedCause begins the cause of a round that the rule about interference
// dropped.
const disturbedCause = "others disturbed it: "

// excesses are the numbers beyond their limits as one text.
func excesses(beyond []interference.Excess) string {
	said := make([]string, len(beyond))
	for i, e := range beyond {
		said[i] = e.String()
	}
	return strings.Join(said, ", ")
}

// disturbed counts the rounds that the rule has dropped in an earlier process of
// the run.
func disturbed(past *journal.Run, comparison, phase string) int {
	n := 0
	for _, rd := range past.Rounds {
		if rd.Comparison == comparison && rd.Phase == phase && strings.HasPrefix(rd.Cause, disturbedCause) {
			n++
		}
	}
	return n
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
