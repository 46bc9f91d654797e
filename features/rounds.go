package features

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
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

	// Sample runs one sample. A sample that does not count comes back with
	// Invalid set; an error ends the run.
	Sample func(ctx context.Context, s journal.Sample) (journal.Sample, error)
	// Interference tells how others disturbed the samples since it was last
	// asked. It is asked at a round's end, before any value is looked at; whole
	// tells that every sample is valid.
	Interference func(whole bool) interference.Finding
	// Decided tells whether more rounds would change nothing.
	Decided func(rounds []measure.Round) bool
	// Record keeps a finished sample or round.
	Record func(record any) error
	// Progress is told what is being measured, and the rounds so far.
	Progress func(round, attempt int, cell measure.Cell)
}

// Measure returns the valid rounds. What was measured before an error is
// returned beside it.
func (r *Rounds) Measure(ctx context.Context) ([]measure.Round, error) {
	var valid []measure.Round
	for round := 1; round <= r.Max; round++ {
		if round > r.Min && r.Decided(valid) {
			break
		}
		measured, err := r.round(ctx, round)
		if err != nil {
			return valid, fmt.Errorf("%s: round %d: %w", r.Comparison, round, err)
		}
		valid = append(valid, measured)
	}
	return valid, nil
}

// round measures one block, again when a sample of it is invalid or when others
// disturbed it so much that the rule drops it, which the rule does only so often.
func (r *Rounds) round(ctx context.Context, round int) (measure.Round, error) {
	invalids := 0
	for attempt := 1; ; attempt++ {
		values, invalid, err := r.attempt(ctx, round, attempt)
		if err != nil {
			return measure.Round{}, err
		}
		found := r.Interference(invalid == "")
		record := journal.Round{
			Comparison: r.Comparison, Phase: r.Phase, Round: round, Valid: invalid == "" && !found.Drop, Cause: invalid,
			Disturbance: found.Numbers, Disturbed: found.Marked, Kept: found.Kept,
		}
		if found.Drop {
			record.Cause = "others disturbed it: " + found.Beyond
		}
		if err := r.Record(record); err != nil {
			return measure.Round{}, err
		}
		if record.Valid {
			return measure.Round{Index: round, Values: values, Disturbed: found.Kept}, nil
		}
		if invalid == "" {
			continue
		}
		if invalids++; invalids == maxAttempts {
			return measure.Round{}, fmt.Errorf("%d attempts were invalid, the last because of %s", maxAttempts, invalid)
		}
	}
}

func (r *Rounds) attempt(ctx context.Context, round, attempt int) (values map[measure.Cell]measure.Values, invalid string, err error) {
	values = map[measure.Cell]measure.Values{}
	for place, i := range r.order(round, attempt) {
		cell := r.Cells[i]
		if err := ctx.Err(); err != nil {
			return nil, "", context.Cause(ctx)
		}
		r.Progress(round, attempt, cell)
		s, err := r.Sample(ctx, journal.Sample{
			Comparison: r.Comparison, Phase: r.Phase, Round: round, Attempt: attempt, Order: place + 1, Cell: cell,
		})
		if err != nil {
			return nil, "", err
		}
		if err := r.Record(s); err != nil {
			return nil, "", err
		}
		if s.Invalid != "" {
			return nil, fmt.Sprintf("%s: %s", cell, s.Invalid), nil
		}
		values[cell] = s.Values
	}
	return values, "", nil
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
