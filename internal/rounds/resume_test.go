package rounds

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/verdict"
)

var (
	errInterrupted    = errors.New("interrupted")
	errInfrastructure = errors.New("infrastructure")
)

// noRule drops nothing because of interference.
func noRule(string, string) *interference.Watch { return &interference.Watch{} }

// world answers samples with values that depend on round and cell alone, so
// that runs are comparable. The second round's first sample of cell b is
// invalid.
type world struct {
	t       *testing.T
	failed  bool
	settled map[int]bool // rounds that are valid on disk: sampling one is a re-roll
}

func (w *world) sample(_ context.Context, s journal.Sample) (journal.Sample, error) {
	if w.settled[s.Round] {
		w.t.Errorf("round %d is valid on disk and was measured again", s.Round)
	}
	if s.Round == 2 && s.Cell == testCells[1] && !w.failed {
		w.failed = true
		s.Invalid = "client pod was killed"
		return s, nil
	}
	value := 10 + float64(s.Round%3)/10
	if s.Cell.Arm == "b" {
		value *= 1.5 + float64(s.Round)/100
	}
	if s.Cell.Control {
		value *= 1.001
	}
	s.Values = measure.Values{{Metric: measure.Latency, Value: value}}
	return s, nil
}

func testThresholds() verdict.Thresholds {
	side := func(arm string) *verdict.Side { return &verdict.Side{Arm: arm} }
	return verdict.Thresholds{FamilyAlpha: 0.05, Assertions: []verdict.Assertion{{
		Name: "a-over-b", Metric: measure.Latency.Name, Alpha: 0.05, MaxRounds: 12, Role: verdict.Gate, Faster: side("a"), Slower: side("b"),
	}}}
}

func judged(t *testing.T, rounds []measure.Round, dropped map[measure.Cell]int) verdict.Verdict {
	verdicts, err := verdict.Judge(testThresholds(), "kind", verdict.Comparison{Rounds: rounds, Dropped: dropped})
	require.NoError(t, err)
	require.Len(t, verdicts, 1)
	return verdicts[0]
}

// measureInto runs a comparison in the world, as far as the journal hasn't.
func measureInto(t *testing.T, w *world, into *journal.Writer, past *journal.Run) ([]measure.Round, verdict.Verdict) {
	r := &Loop{
		Comparison: "c", Phase: journal.PhaseFull, Cells: testCells, Seed: 7, Min: 3, Max: 12,
		Past: past.Blocks("c", journal.PhaseFull), Record: into.Append, Sample: w.sample,
		Interference: func(bool) interference.Finding { return interference.Finding{} },
		Repair:       func(context.Context, journal.Sample, bool) ([]measure.Cell, error) { return nil, nil },
		GiveUp:       func(s journal.Sample) ([]measure.Cell, error) { return []measure.Cell{s.Cell}, nil },
		Progress:     func(int, int, measure.Cell) {},
	}
	r.Decided = func(rounds []measure.Round) bool { return judged(t, rounds, r.Dropped).Final }
	rounds, err := r.Measure(t.Context())
	require.NoError(t, err)
	return rounds, judged(t, rounds, r.Dropped)
}

func TestResumedAtEveryPointTheVerdictIsTheSame(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "run")
	w, err := journal.Create(whole, journal.Header{RunID: "r", Seed: 7})
	require.NoError(t, err)
	rounds, want := measureInto(t, &world{t: t}, w, &journal.Run{})
	require.NoError(t, w.Append(journal.End{Outcome: "interrupted", ExitCode: 130}))
	require.NoError(t, w.Close())
	require.Equal(t, verdict.Pass, want.Outcome, want.Explanation)
	require.Less(t, len(rounds), 12, "it must have ended because it was decided")
	data, err := os.ReadFile(filepath.Join(whole, journal.FileName))
	require.NoError(t, err)
	lines := bytes.SplitAfter(data, []byte("\n"))
	lines = lines[:len(lines)-1]

	for n := 1; n <= len(lines); n++ {
		for _, torn := range []bool{false, true} {
			kept := bytes.Join(lines[:n], nil)
			if torn && n < len(lines) {
				kept = append(kept, lines[n][:len(lines[n])/2]...)
			}
			dir := t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "raw"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, journal.FileName), kept, 0o644))
			w, past, err := journal.Open(dir)
			require.NoError(t, err)
			require.NoError(t, w.Append(journal.Resume{Started: time.Now(), Warnings: past.Warnings}))
			settled, err := w.Settle(past, noRule)
			require.NoError(t, err)

			again := &world{t: t, settled: map[int]bool{}}
			for _, rd := range settled.ValidRounds("c") {
				again.settled[rd.Index] = true
			}
			again.failed = settled.Drops("c", journal.PhaseFull)[testCells[1]] > 0
			got, gotVerdict := measureInto(t, again, w, settled)
			require.NoError(t, w.Close())
			assert.Equal(t, rounds, got, "cut after line %d, torn %v", n, torn)
			assert.Equal(t, want, gotVerdict, "cut after line %d, torn %v", n, torn)

			run, err := journal.Read(dir)
			require.NoError(t, err)
			assert.Equal(t, rounds, run.ValidRounds("c"))
			assert.True(t, slices.EqualFunc(past.Samples, run.Samples[:len(past.Samples)], func(a, b journal.Sample) bool { return reflect.DeepEqual(a, b) }), "no sample is lost")
			assert.Equal(t, torn && n < len(lines), len(run.Warnings) == 1, "a torn line is said: %v", run.Warnings)
			for _, a := range run.Attempts {
				assert.True(t, closed(run, a), "cut after line %d: attempt %d of round %d is left open", n, a.Attempt, a.Round)
			}
		}
	}
}

func closed(run *journal.Run, a journal.Attempt) bool {
	for _, rd := range run.Rounds {
		if rd.Round == a.Round && rd.Attempt == a.Attempt {
			return true
		}
	}
	return false
}

func TestResumeOfAKilledRunRecordsTheSampleInFlight(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := journal.Create(dir, journal.Header{RunID: "r"})
	require.NoError(t, err)
	order := []measure.Cell{testCells[2], testCells[0], testCells[1]}
	require.NoError(t, w.Append(journal.Attempt{Comparison: "c", Phase: journal.PhaseFull, Round: 1, Attempt: 1, Cells: order}))
	require.NoError(t, w.Append(journal.Sample{Comparison: "c", Phase: journal.PhaseFull, Round: 1, Attempt: 1, Order: 1, Cell: order[0], StartedAt: time.Second, Duration: time.Second}))
	require.NoError(t, w.Close())
	w, past, err := journal.Open(dir)
	require.NoError(t, err)
	run, err := w.Settle(past, noRule)
	require.NoError(t, err)
	require.NoError(t, w.Close())

	require.Len(t, run.Samples, 2)
	assert.Equal(t, order[1], run.Samples[1].Cell)
	assert.True(t, run.Samples[1].Interrupted)
	assert.Contains(t, run.Samples[1].Invalid, "killed")
	require.Len(t, run.Rounds, 1)
	assert.True(t, run.Rounds[0].Interrupted)
	assert.Empty(t, run.Drops("c", journal.PhaseFull), "being interrupted says nothing about an arm")
	assert.Equal(t, 1, run.Blocks("c", journal.PhaseFull)[1].Attempts, "the next attempt is another one")
	assert.Equal(t, 2*time.Second, run.Elapsed())
}

func TestInterruptionRecordsTheSampleInFlight(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	r, records := newRounds(func(s journal.Sample) (journal.Sample, error) {
		if s.Round == 2 && s.Order == 2 {
			cancel(errInterrupted)
			return s, errInterrupted
		}
		return good(s)
	})
	rounds, err := r.Measure(ctx)
	require.ErrorIs(t, err, errInterrupted)
	assert.Len(t, rounds, 1)
	last := (*records)[len(*records)-2:]
	s, ok := last[0].(journal.Sample)
	require.True(t, ok)
	assert.True(t, s.Interrupted)
	assert.Equal(t, "interrupted", s.Invalid)
	rd, ok := last[1].(journal.Round)
	require.True(t, ok)
	assert.True(t, rd.Interrupted)
	assert.False(t, rd.Valid)
	assert.Empty(t, r.Dropped)
}

func TestPodsAreRepairedBetweenAttemptsOnly(t *testing.T) {
	type repair struct {
		cell  measure.Cell
		again bool
	}
	var repaired []repair
	killed := func(s journal.Sample) (journal.Sample, error) {
		if s.Round == 2 && s.Cell == testCells[0] {
			s.Invalid = "client pod was killed"
			return s, nil
		}
		return good(s)
	}
	r, _ := newRounds(killed)
	r.Repair = func(_ context.Context, invalid journal.Sample, again bool) ([]measure.Cell, error) {
		repaired = append(repaired, repair{invalid.Cell, again})
		return nil, nil
	}
	_, err := r.Measure(t.Context())
	require.Error(t, err)
	assert.Equal(t, []repair{{testCells[0], false}, {testCells[0], true}}, repaired)

	r, _ = newRounds(killed)
	r.Repair = func(context.Context, journal.Sample, bool) ([]measure.Cell, error) { return nil, errInfrastructure }
	_, err = r.Measure(t.Context())
	assert.ErrorIs(t, err, errInfrastructure)
	assert.ErrorContains(t, err, "client pod was killed")
}

// A killed run may have measured the last sample of a round and not have closed
// it: the rule about interference has its word then.
func TestSettleAppliesTheRuleToARoundThatWasNotClosed(t *testing.T) {
	for steal, valid := range map[float64]bool{0.05: true, 0.5: false} {
		dir := filepath.Join(t.TempDir(), "run")
		w, err := journal.Create(dir, journal.Header{RunID: "r"})
		require.NoError(t, err)
		require.NoError(t, w.Append(journal.Attempt{Comparison: "c", Phase: journal.PhaseFull, Round: 1, Attempt: 1, Cells: testCells}))
		for i, c := range testCells {
			require.NoError(t, w.Append(journal.Sample{
				Comparison: "c", Phase: journal.PhaseFull, Round: 1, Attempt: 1, Order: i + 1, Cell: c,
				Values:      measure.Values{{Metric: measure.Latency, Value: 10}},
				Disturbance: map[string]float64{interference.Steal: steal},
			}))
		}
		require.NoError(t, w.Close())
		w, past, err := journal.Open(dir)
		require.NoError(t, err)
		run, err := w.Settle(past, func(string, string) *interference.Watch {
			return &interference.Watch{Rule: interference.Rule{Drop: map[string]float64{interference.Steal: 0.1}, MaxDropped: 1}}
		})
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.Len(t, run.Rounds, 1)
		assert.Equal(t, valid, run.Rounds[0].Valid, "steal %v", steal)
		assert.Equal(t, steal, run.Rounds[0].Disturbance[interference.Steal])
	}
}
