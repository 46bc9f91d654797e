// Package history compares recorded runs with each other: whether an arm got
// slower from one night to the next, as a ratio to the host arm of the same run.
package history

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/verdict"
)

// Version is the version of the JSON forms. It changes when a field changes its
// meaning or goes.
const Version = 1

// Rule is when an arm counts as slower.
type Rule struct {
	Window int     `json:"window"`   // nights that it is compared with
	InARow int     `json:"in_a_row"` // nights that have to be worse than the worst of them; 0 for the fewest that keep Alpha
	Alpha  float64 `json:"alpha"`    // chance of a false alarm in any cell, each night
}

// minAlpha keeps the nights in a row that a rule may ask for within bounds.
const minAlpha = 0.0001

// History is what the runs say of the last one. Runs are its nights.
type History struct {
	Version    int       `json:"version"`
	Profile    string    `json:"profile"`
	Runs       []RunInfo `json:"runs"` // compared, oldest first
	LeftOut    []LeftOut `json:"left_out,omitempty"`
	Rule       Rule      `json:"rule"`
	FalseAlarm float64   `json:"false_alarm"` // as the rule is used: at most, in any cell, each night
	Cells      []Series  `json:"cells"`       // of the last run
	// Missing were measured before and not in the last run, whose profile has them.
	Missing []Cell `json:"missing,omitempty"`
	// Alone are the tables without a host arm, whose arms can be compared only
	// within a run.
	Alone []string `json:"alone,omitempty"`
}

// RunInfo names a run.
type RunInfo struct {
	ID      string    `json:"id"`
	Started time.Time `json:"started"`
}

// LeftOut is a run that can't be compared with the last one, and why.
type LeftOut struct {
	Run     string   `json:"run"`
	Reasons []string `json:"reasons"`
}

// Series is one cell through the nights.
type Series struct {
	Cell
	Nights []Night `json:"nights"`
	// Verdict is about the last of them.
	Verdict verdict.NightlyVerdict `json:"verdict"`
	// Since is the first of the nights that were worse, Changed what is recorded
	// as different between it and the one before.
	Since   string   `json:"since,omitempty"`
	Changed []string `json:"changed,omitempty"`
}

// Cell names a row of a table.
type Cell struct {
	Table  string         `json:"table"`
	Cell   measure.Cell   `json:"cell"`
	Metric measure.Metric `json:"metric"`
}

// Night is one run's ratio of the arm's value to the host arm's: the median over the
// rounds, and the lowest and highest of them.
type Night struct {
	Run   string  `json:"run"`
	Ratio float64 `json:"ratio_to_host"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// New compares the newest of the runs with those before it. Runs that didn't end
// with a verdict, or that measured on something else or otherwise than the newest,
// are left out with the reason. No run that can be compared, and a rule out of its
// bounds, are errors.
func New(runs []*Run, rule Rule) (*History, error) {
	if rule.Window < 1 || rule.InARow < 0 || !(rule.Alpha >= minAlpha && rule.Alpha <= 0.5) {
		return nil, fmt.Errorf("rule of %d nights in a row against %d, alpha %v: want at least 0 against 1, alpha from %v to 0.5",
			rule.InARow, rule.Window, rule.Alpha, minAlpha)
	}
	h := &History{Version: Version, Rule: rule}
	nights, err := h.comparable(runs)
	if err != nil {
		return nil, err
	}
	h.Profile = nights[0].Profile
	for _, n := range nights {
		h.Runs = append(h.Runs, n.RunInfo)
	}
	h.collect(nights)
	if len(h.Cells) > 0 {
		if rule.InARow == 0 {
			h.Rule.InARow = verdict.InARow(len(h.Cells), rule.Window, rule.Alpha)
		}
		h.FalseAlarm = min(1, float64(len(h.Cells))*verdict.FalseAlarm(h.Rule.InARow, rule.Window))
	}
	for i := range h.Cells {
		if err := h.judge(&h.Cells[i], nights); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// comparable are the runs, oldest first, that can be compared with the newest of
// those that ended with a verdict.
func (h *History) comparable(runs []*Run) ([]*Run, error) {
	var nights []*Run
	seen := map[string]bool{}
	for _, run := range runs {
		if seen[run.ID] {
			continue
		}
		seen[run.ID] = true
		switch e := run.end; {
		case e == nil:
			h.leaveOut(run, "it has no end: it was cut off, or goes on")
		case e.ExitCode > verdict.ExitInconclusive:
			h.leaveOut(run, "it ended as "+e.Outcome+": "+e.Reason)
		default:
			nights = append(nights, run)
		}
	}
	if len(nights) == 0 {
		return nil, fmt.Errorf("none of the %d runs ended with a verdict", len(seen))
	}
	slices.SortStableFunc(nights, func(a, b *Run) int { return a.Started.Compare(b.Started) })
	last := nights[len(nights)-1]
	return slices.DeleteFunc(nights, func(n *Run) bool {
		differs := n.on.elsewhere(last.on)
		if len(differs) == 0 {
			return false
		}
		h.leaveOut(n, differs...)
		return true
	}), nil
}

func (h *History) leaveOut(run *Run, reasons ...string) {
	h.LeftOut = append(h.LeftOut, LeftOut{run.ID, reasons})
}

// collect makes the series. A table counts in a night when it has the rounds that
// its profile wants at least.
func (h *History) collect(nights []*Run) {
	last := nights[len(nights)-1]
	series := map[string]*Series{}
	alone := map[string]bool{}
	for _, n := range nights {
		for _, t := range n.tables {
			same := n.on.benchmarks[t.benchmark] == last.on.benchmarks[t.benchmark]
			if t.rounds < n.on.minRounds || !same {
				continue
			}
			hosted := false
			for _, r := range t.rows {
				hosted = hosted || r.cell.Arm == analysis.HostArm
				// An arm that was left out midway has fewer rounds than its table.
				if r.ratio == nil || r.rounds < n.on.minRounds {
					continue
				}
				key := t.name + " " + r.cell.String() + " " + t.metric.Name
				if series[key] == nil {
					series[key] = &Series{Cell: Cell{t.name, r.cell, t.metric}}
				}
				series[key].Nights = append(series[key].Nights, Night{n.ID, *r.ratio, r.low, r.high})
			}
			if !hosted {
				alone[t.name] = true
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(series)) {
		s := series[key]
		switch {
		case s.Nights[len(s.Nights)-1].Run == last.ID:
			h.Cells = append(h.Cells, *s)
		case slices.Contains(last.on.comparisons, s.Table):
			h.Missing = append(h.Missing, s.Cell)
		}
	}
	h.Alone = slices.Sorted(maps.Keys(alone))
}

// judge gives a series its verdict.
func (h *History) judge(s *Series, nights []*Run) error {
	costs := make([]float64, len(s.Nights))
	for i, n := range s.Nights {
		var err error
		if costs[i], err = measure.LogCost(measure.Value{Metric: s.Metric, Value: n.Ratio}); err != nil {
			return fmt.Errorf("run %s: %s: ratio to %s: %w", n.Run, s.Cell.Cell, analysis.HostArm, err)
		}
	}
	var err error
	if s.Verdict, err = verdict.Nightly(costs, h.Rule.InARow, h.Rule.Window); err != nil {
		return fmt.Errorf("%s: %w", s.Cell.Cell, err)
	}
	if first := len(s.Nights) - s.Verdict.Beyond; s.Verdict.Beyond > 0 && first > 0 {
		s.Since = s.Nights[first].Run
		s.Changed = on(nights, s.Nights[first-1].Run).changed(on(nights, s.Since))
	}
	return nil
}

func on(nights []*Run, run string) conditions {
	i := slices.IndexFunc(nights, func(n *Run) bool { return n.ID == run })
	return nights[i].on
}

// Outcome is the word about all cells together: Fail when one failed, else
// Inconclusive when one is or is missing, or when there is none.
func (h *History) Outcome() verdict.Outcome {
	outcome := verdict.Pass
	if len(h.Cells) == 0 || len(h.Missing) > 0 {
		outcome = verdict.Inconclusive
	}
	for _, s := range h.Cells {
		switch s.Verdict.Outcome {
		case verdict.Fail:
			return verdict.Fail
		case verdict.Inconclusive:
			outcome = verdict.Inconclusive
		}
	}
	return outcome
}

// ratio turns a log cost ratio into the ratio of values that it came from.
func ratio(m measure.Metric, cost float64) float64 {
	if m.Better == measure.HigherIsBetter {
		cost = -cost
	}
	return math.Exp(cost)
}
