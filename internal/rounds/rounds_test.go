package rounds

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

var testCells = []measure.Cell{{Arm: "a"}, {Arm: "b"}, {Arm: "b", Control: true}}

// newRounds returns rounds over testCells whose samples come from sample, and
// the list its records are kept in.
func newRounds(sample func(journal.Sample) (journal.Sample, error)) (*Loop, *[]any) {
	var records []any
	return &Loop{
		Comparison: "c", Phase: journal.PhaseFull, Cells: testCells, Seed: 1, Min: 2, Max: 5,
		Sample:       func(_ context.Context, s journal.Sample) (journal.Sample, error) { return sample(s) },
		Decided:      func([]measure.Round) bool { return false },
		Record:       func(r any) error { records = append(records, r); return nil },
		Progress:     func(int, int, measure.Cell) {},
		Repair:       func(context.Context, journal.Sample, bool) ([]measure.Cell, error) { return nil, nil },
		GiveUp:       func(s journal.Sample) ([]measure.Cell, error) { return []measure.Cell{s.Cell}, nil },
		Interference: func(bool) interference.Finding { return interference.Finding{} },
	}, &records
}

func good(s journal.Sample) (journal.Sample, error) {
	s.Values = measure.Values{{Metric: measure.Latency, Value: float64(s.Round)}}
	return s, nil
}

func TestEveryRoundHasEveryCellOnce(t *testing.T) {
	r, records := newRounds(good)
	rounds, err := r.Measure(context.Background())
	require.NoError(t, err)
	require.Len(t, rounds, 5)
	orders := map[string]bool{}
	var order []string
	for _, rec := range *records {
		switch rec := rec.(type) {
		case journal.Sample:
			order = append(order, rec.Cell.String())
			assert.Equal(t, len(order), rec.Order)
		case journal.Round:
			assert.True(t, rec.Valid)
			orders[slices.Clone(order)[0]+order[1]] = true
			order = nil
		}
	}
	assert.Greater(t, len(orders), 1, "five rounds all in one order")
	for _, round := range rounds {
		assert.Len(t, round.Values, len(testCells))
	}
}

func TestOrderIsAFunctionOfTheSeed(t *testing.T) {
	r, _ := newRounds(good)
	again, _ := newRounds(good)
	for round := range 20 {
		assert.Equal(t, r.order(round, 1), again.order(round, 1))
	}
	again.Seed = 2
	same := 0
	for round := range 60 {
		if slices.Equal(r.order(round, 1), again.order(round, 1)) {
			same++
		}
	}
	assert.Less(t, same, 30, "another seed draws the same orders")
}

func TestStopsWhenDecidedButNotBeforeMin(t *testing.T) {
	r, _ := newRounds(good)
	var asked []int
	r.Decided = func(rounds []measure.Round) bool { asked = append(asked, len(rounds)); return len(rounds) >= 3 }
	rounds, err := r.Measure(context.Background())
	require.NoError(t, err)
	assert.Len(t, rounds, 3)
	assert.Equal(t, []int{2, 3}, asked)
}

func TestInvalidSampleDropsTheWholeRound(t *testing.T) {
	failed := false
	r, records := newRounds(func(s journal.Sample) (journal.Sample, error) {
		if s.Round == 2 && s.Order == 2 && !failed {
			failed = true
			s.Invalid = "client pod was killed"
			return s, nil
		}
		return good(s)
	})
	rounds, err := r.Measure(context.Background())
	require.NoError(t, err)
	require.Len(t, rounds, 5)
	var dropped []journal.Round
	for _, rec := range *records {
		if rd, ok := rec.(journal.Round); ok && !rd.Valid {
			dropped = append(dropped, rd)
		}
	}
	require.Len(t, dropped, 1)
	assert.Equal(t, 2, dropped[0].Round)
	assert.Contains(t, dropped[0].Why.String(), "client pod was killed")
}

func invalid(s journal.Sample) (journal.Sample, error) {
	s.Invalid = "connection refused"
	return s, nil
}

// Three cells, of which two have to stay: the arm without a copy is given up, and
// with it the loop where the control breaks too.
func TestACellThatBreaksThreeTimesIsGivenUp(t *testing.T) {
	calls := map[measure.Cell]int{}
	r, records := newRounds(func(s journal.Sample) (journal.Sample, error) {
		calls[s.Cell]++
		if s.Cell.Arm == "c" && s.Round == 2 {
			return invalid(s)
		}
		return good(s)
	})
	r.Cells = append(slices.Clone(testCells), measure.Cell{Arm: "c"})
	var given []measure.Cell
	r.GiveUp = func(s journal.Sample) ([]measure.Cell, error) {
		given = append(given, s.Cell)
		return []measure.Cell{s.Cell}, nil
	}
	rounds, err := r.Measure(context.Background())
	require.NoError(t, err)
	require.Len(t, rounds, 5, "the other arms go on")
	assert.Equal(t, []measure.Cell{{Arm: "c"}}, given, "told once")
	assert.Equal(t, 1+maxAttempts, calls[measure.Cell{Arm: "c"}])
	assert.Len(t, rounds[0].Values, 4)
	for _, round := range rounds[1:] {
		assert.Len(t, round.Values, 3)
	}
	var last journal.Attempt
	for _, rec := range *records {
		if a, ok := rec.(journal.Attempt); ok {
			last = a
		}
	}
	assert.NotContains(t, last.Cells, measure.Cell{Arm: "c"}, "an attempt tells what it is to measure")
}

func TestARepairMayLoseCells(t *testing.T) {
	r, _ := newRounds(func(s journal.Sample) (journal.Sample, error) {
		if s.Cell.Arm == "c" {
			return invalid(s)
		}
		return good(s)
	})
	r.Cells = append(slices.Clone(testCells), measure.Cell{Arm: "c"}, measure.Cell{Arm: "d"})
	r.Repair = func(context.Context, journal.Sample, bool) ([]measure.Cell, error) {
		return []measure.Cell{{Arm: "c"}, {Arm: "d"}}, nil
	}
	rounds, err := r.Measure(context.Background())
	require.NoError(t, err)
	for _, round := range rounds {
		assert.Len(t, round.Values, 3, "a lost cluster takes all its arms with it")
	}
}

func TestEndsWhereNothingIsLeftToCompare(t *testing.T) {
	for name, lost := range map[string]measure.Cell{
		"one arm":                         {Arm: "a"},
		"the control without its copy":    {Arm: "b", Control: true},
		"the copy without what it copies": {Arm: "b"},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := newRounds(func(s journal.Sample) (journal.Sample, error) {
				if s.Cell == lost && s.Round == 3 {
					return invalid(s)
				}
				return good(s)
			})
			rounds, err := r.Measure(context.Background())
			assert.ErrorIs(t, err, ErrNoPair)
			assert.ErrorContains(t, err, "connection refused")
			assert.Len(t, rounds, 2, "what was measured before counts")
		})
	}
}

func TestKeepsWhatWasMeasuredBeforeAnError(t *testing.T) {
	full := errors.New("disk full")
	r, _ := newRounds(good)
	r.Record = func(rec any) error {
		if s, ok := rec.(journal.Sample); ok && s.Round == 3 {
			return full
		}
		return nil
	}
	rounds, err := r.Measure(context.Background())
	assert.ErrorIs(t, err, full)
	assert.Len(t, rounds, 2)
}

func TestCancelEndsBetweenSamples(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("interrupted")
	r, _ := newRounds(func(s journal.Sample) (journal.Sample, error) {
		if s.Round == 2 {
			cancel(stop)
		}
		return good(s)
	})
	rounds, err := r.Measure(ctx)
	assert.ErrorIs(t, err, stop)
	assert.Len(t, rounds, 1)
}

// A machine that is busy all the time: the rule's two rounds are dropped whole
// and measured again in another order, the rest count, marked.
func TestABusyMachinesRoundsAreDroppedOnlySoOften(t *testing.T) {
	r, records := newRounds(good)
	watch := &interference.Watch{Rule: interference.Rule{
		Drop: map[string]float64{interference.Steal: 0.1}, MaxDropped: 2,
	}}
	busy := map[string]float64{interference.Steal: 0.5}
	r.Interference = func(whole bool) interference.Finding { watch.Add(busy); return watch.Round(whole) }
	rounds, err := r.Measure(context.Background())
	require.NoError(t, err)
	require.Len(t, rounds, 5)
	var closed []journal.Round
	samples := 0
	for _, rec := range *records {
		switch rec := rec.(type) {
		case journal.Round:
			closed = append(closed, rec)
		case journal.Sample:
			samples++
		}
	}
	require.Len(t, closed, 7)
	assert.Equal(t, 7*len(testCells), samples)
	for i, c := range closed {
		assert.Equal(t, i >= 2, c.Valid)
		assert.Equal(t, i >= 2, c.Kept)
		assert.True(t, c.Disturbed)
		assert.Equal(t, 0.5, c.Disturbance[interference.Steal])
	}
	assert.Equal(t, []int{1, 1, 1, 2}, []int{closed[0].Round, closed[1].Round, closed[2].Round, closed[3].Round})
	assert.Equal(t, &journal.Drop{Code: journal.Interference, Beyond: []interference.Excess{{Name: interference.Steal, Value: 0.5, Limit: 0.1}}}, closed[0].Why)
	for _, round := range rounds {
		assert.True(t, round.Disturbed)
	}
}

// A tool that ran to its end and printed what can't count, while others took its CPU,
// tells nothing about its arm. One that was killed does.
func TestAnInvalidSampleAmongInterferenceIsNotItsArms(t *testing.T) {
	for _, done := range []bool{true, false} {
		tries := 0
		r, records := newRounds(func(s journal.Sample) (journal.Sample, error) {
			if s.Round == 1 && s.Cell.Arm == "a" {
				if tries++; tries <= 3 {
					s.ToolDone = done
					return invalid(s)
				}
			}
			return good(s)
		})
		r.Cells = append(slices.Clone(testCells), measure.Cell{Arm: "c"})
		watch := &interference.Watch{Rule: interference.Rule{Drop: map[string]float64{interference.Steal: 0.1}, MaxDropped: 9}}
		r.Interference = func(sound bool) interference.Finding {
			if tries <= 3 {
				watch.Add(map[string]float64{interference.Steal: 0.5})
			}
			return watch.Round(sound)
		}
		rounds, err := r.Measure(context.Background())
		require.NoError(t, err)
		if !done {
			assert.Len(t, rounds[0].Values, 3, "the arm was given up")
			assert.Equal(t, 3, r.Dropped[measure.Cell{Arm: "a"}])
			continue
		}
		assert.Len(t, rounds[0].Values, 4)
		assert.Empty(t, r.Dropped)
		run := &journal.Run{}
		for _, rec := range *records {
			switch rec := rec.(type) {
			case journal.Sample:
				run.Samples = append(run.Samples, rec)
			case journal.Round:
				run.Rounds = append(run.Rounds, rec)
			}
		}
		assert.Empty(t, run.Drops("c", journal.PhaseFull), "nor when the run is read again")
	}
}

// Whatever the values are, the same rounds are dropped: the rule can't see them.
func TestDroppingIsBlindToTheValues(t *testing.T) {
	dropped := func(scale float64) (list []int) {
		r, records := newRounds(func(s journal.Sample) (journal.Sample, error) {
			s.Values = measure.Values{{Metric: measure.Latency, Value: scale * float64(s.Order)}}
			return s, nil
		})
		watch := &interference.Watch{Rule: interference.Rule{Drop: map[string]float64{interference.Steal: 0.1}, MaxDropped: 5}}
		n := 0
		r.Interference = func(whole bool) interference.Finding {
			n++
			watch.Add(map[string]float64{interference.Steal: 0.2 * float64(n%2)})
			return watch.Round(whole)
		}
		_, err := r.Measure(context.Background())
		require.NoError(t, err)
		for _, rec := range *records {
			if rd, ok := rec.(journal.Round); ok && !rd.Valid {
				list = append(list, rd.Round)
			}
		}
		return list
	}
	assert.Equal(t, []int{1, 2, 3, 4, 5}, dropped(1))
	assert.Equal(t, dropped(1), dropped(1000))
}
