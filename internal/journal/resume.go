package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/measure"
)

// Latest names the newest run.
const Latest = "latest"

// Find returns the folder of a run: name itself, or for Latest the link or
// folder runs/latest, else the run below runs that was started last.
func Find(runs, name string) (string, error) {
	if name != Latest {
		return name, nil
	}
	link := filepath.Join(runs, Latest)
	if _, err := os.Stat(link); err == nil {
		return link, nil
	}
	dirs, err := List(runs)
	if err != nil {
		return "", err
	}
	return newest(dirs)
}

// List returns the folders of the runs below runs. None at all is an error.
func List(runs string) ([]string, error) {
	dirs, err := filepath.Glob(filepath.Join(runs, "*", FileName))
	if err != nil {
		return nil, err
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("no run in %s: name its folder, or measure one with make perf", runs)
	}
	for i, file := range dirs {
		dirs[i] = filepath.Dir(file)
	}
	return dirs, nil
}

// Elapsed is how long the run was at work: until its last sample or its end.
// Pauses before a resumption aren't in it.
func (r *Run) Elapsed() time.Duration {
	var elapsed time.Duration
	if r.End != nil {
		elapsed = r.End.Duration
	}
	for _, s := range r.Samples {
		elapsed = max(elapsed, s.StartedAt+s.Duration)
	}
	return elapsed
}

// Drops counts for each cell of a comparison the samples that were invalid.
func (r *Run) Drops(comparison, phase string) map[measure.Cell]int {
	drops := map[measure.Cell]int{}
	disturbed := r.disturbed()
	for _, s := range r.Samples {
		if s.Comparison == comparison && s.Phase == phase && s.Dropped() && !disturbed[s.attempt()] {
			drops[s.Cell]++
		}
	}
	return drops
}

// attempt names an attempt at a round.
type attempt struct {
	comparison, phase string
	round, attempt    int
}

func (a Attempt) attempt() attempt { return attempt{a.Comparison, a.Phase, a.Round, a.Attempt} }
func (s Sample) attempt() attempt  { return attempt{s.Comparison, s.Phase, s.Round, s.Attempt} }
func (r Round) attempt() attempt   { return attempt{r.Comparison, r.Phase, r.Round, r.Attempt} }

func (s Sample) in(a attempt) bool { return s.attempt() == a }

// disturbed are the attempts that were dropped because of interference: an invalid
// sample of theirs counts against others.
func (r *Run) disturbed() map[attempt]bool {
	all := map[attempt]bool{}
	for _, rd := range r.Rounds {
		if rd.Why != nil && rd.Why.Code == Interference {
			all[rd.attempt()] = true
		}
	}
	return all
}

// Block is what a journal holds of one round.
type Block struct {
	// Values are those of the valid attempt, nil if there is none.
	Values    map[measure.Cell]measure.Values
	Disturbed bool // as in measure.Round
	// Attempts is how many were begun.
	Attempts int
	Dropped  map[measure.Cell]int
}

// Blocks returns what the journal holds of a comparison's rounds in one phase,
// by index.
func (r *Run) Blocks(comparison, phase string) map[int]Block {
	blocks, disturbed := map[int]Block{}, r.disturbed()
	attempted := func(round, attempt int) {
		b := blocks[round]
		b.Attempts = max(b.Attempts, attempt)
		blocks[round] = b
	}
	for _, a := range r.Attempts {
		if a.Comparison == comparison && a.Phase == phase {
			attempted(a.Round, a.Attempt)
		}
	}
	for _, s := range r.Samples {
		if s.Comparison != comparison || s.Phase != phase {
			continue
		}
		attempted(s.Round, s.Attempt)
		if b := blocks[s.Round]; s.Dropped() && !disturbed[s.attempt()] {
			if b.Dropped == nil {
				b.Dropped = map[measure.Cell]int{}
			}
			b.Dropped[s.Cell]++
			blocks[s.Round] = b
		}
	}
	for _, rd := range r.ValidRoundsIn(comparison, phase) {
		b := blocks[rd.Index]
		b.Values, b.Disturbed = rd.Values, rd.Disturbed
		blocks[rd.Index] = b
	}
	return blocks
}

// Settle closes the attempt that a killed run was in: a round of which every
// sample is there counts, unless the rule about interference drops it; of any
// other, the sample that was in flight is recorded as interrupted and the round as
// dropped. watch returns the rule as it stands for a batch. It returns what the
// journal then holds.
func (w *Writer) Settle(run *Run, watch func(comparison, phase string) *interference.Watch) (*Run, error) {
	closed := map[attempt]bool{}
	for _, rd := range run.Rounds {
		closed[rd.attempt()] = true
	}
	settled := *run
	for _, a := range run.Attempts {
		if closed[a.attempt()] {
			continue
		}
		closing, flying := run.settle(a, watch(a.Comparison, a.Phase))
		if flying != nil {
			if err := w.Append(*flying); err != nil {
				return nil, err
			}
			settled.Samples = append(settled.Samples, *flying)
		}
		if err := w.Append(closing); err != nil {
			return nil, err
		}
		settled.Rounds = append(settled.Rounds, closing)
		settled.End = nil
	}
	return &settled, nil
}

// settle is what closes an attempt: its round, and the sample that was in flight.
func (r *Run) settle(a Attempt, rule *interference.Watch) (closing Round, flying *Sample) {
	closing = Round{Comparison: a.Comparison, Phase: a.Phase, Round: a.Round, Attempt: a.Attempt}
	measured := 0
	for _, s := range r.Samples {
		if !s.in(a.attempt()) {
			continue
		}
		measured++
		rule.Add(s.Disturbance)
		closing.Interrupted = closing.Interrupted || s.Interrupted
		if s.Invalid != "" {
			closing.Why = &Drop{Code: InvalidSample, Cell: &s.Cell, Detail: s.Invalid}
		}
	}
	switch {
	case closing.Why != nil:
	case measured >= len(a.Cells):
		found := rule.Round(true)
		closing.Valid = !found.Drop
		closing.Disturbance, closing.Disturbed, closing.Kept = found.Numbers, found.Marked, found.Kept
		if found.Drop {
			closing.Why = &Drop{Code: Interference, Beyond: found.Beyond}
		}
	default:
		flying = &Sample{
			Comparison: a.Comparison, Phase: a.Phase, Round: a.Round, Attempt: a.Attempt,
			Order: measured + 1, Cell: a.Cells[measured], StartedAt: r.Elapsed(),
			Invalid: "the run was killed while this was measured", Interrupted: true,
		}
		closing.Why, closing.Interrupted = &Drop{Code: Ended, Cell: &flying.Cell, Detail: flying.Invalid}, true
	}
	return closing, flying
}
