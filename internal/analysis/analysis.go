// Package analysis turns what a journal holds into numbers: per comparison and
// phase the valid rounds, what was dropped, the arms' medians and their ratios to
// the host arm. It makes no text and reads no file. Reports, history and
// verdicts say what it found.
package analysis

import (
	"cmp"
	"slices"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// HostArm is the arm that ratios refer to.
const HostArm = "node"

// Comparison is what a journal holds of one comparison in one phase.
type Comparison struct {
	Name      string
	Phase     string
	Benchmark string
	Path      string
	Placement string
	Metric    *measure.Metric // of the table; nil before the first valid round
	Valid     []measure.Round
	Arms      []Arm // best first, without the control
	Control   *Control
	Skipped   []journal.Skip
	Dropped   []Dropped
	Disturbed []journal.Round
	Warnings  []Warning
}

// Warning is something that could not be computed.
type Warning struct {
	Code       WarningCode
	Comparison string
	A, B       measure.Cell // of a ratio
	Err        error        // of a ratio: why there is none
}

// WarningCode says what is missing.
type WarningCode string

const (
	NoMetric WarningCode = "no-metric" // no metric is in every sample, so there is no table
	NoRatio  WarningCode = "no-ratio"  // of A to B
)

// Of analyses a run: its comparisons in the order in which the journal first names
// them, each in the phase that its results come from, followed by its confirming
// batch where there is one.
func Of(run *journal.Run) []Comparison {
	parts := split(run)
	var all []Comparison
	for _, name := range run.Comparisons() {
		phase := journal.PhaseFull
		if parts.valid(name, journal.PhaseFull) == 0 && parts.valid(name, journal.PhaseFirst) > 0 {
			phase = journal.PhaseFirst
		}
		all = append(all, analyse(parts.of(name, phase), name, phase))
		if confirming := parts.of(name, journal.PhaseConfirm); len(confirming.Samples) > 0 {
			all = append(all, analyse(confirming, name, journal.PhaseConfirm))
		}
	}
	return all
}

// parts are a run's records by comparison and phase, so that each is looked at
// once and not once for every table.
type parts map[[2]string]*journal.Run

func split(run *journal.Run) parts {
	p := parts{}
	for i, s := range run.Samples {
		part := p.of(s.Comparison, s.Phase)
		part.Samples = extended(part.Samples, run.Samples, i)
	}
	for _, r := range run.Rounds {
		part := p.of(r.Comparison, r.Phase)
		part.Rounds = append(part.Rounds, r)
	}
	for _, s := range run.Skips {
		phases := []string{s.Phase}
		if s.Phase == "" {
			phases = []string{journal.PhaseFirst, journal.PhaseFull, journal.PhaseConfirm}
		}
		for _, phase := range phases {
			part := p.of(s.Comparison, phase)
			part.Skips = append(part.Skips, s)
		}
	}
	return p
}

// extended is a part of all with the next of its samples, all[i]. As long as the part
// is in one piece, which a batch is, it is all's own memory.
func extended(part, all []journal.Sample, i int) []journal.Sample {
	n := len(part)
	if n == 0 || n <= i && &part[0] == &all[i-n] {
		return all[i-n : i+1 : i+1]
	}
	return append(part, all[i])
}

func (p parts) of(name, phase string) *journal.Run {
	key := [2]string{name, phase}
	if p[key] == nil {
		p[key] = &journal.Run{}
	}
	return p[key]
}

func (p parts) valid(name, phase string) int {
	return len(p.of(name, phase).ValidRoundsIn(name, phase))
}

func analyse(part *journal.Run, name, phase string) Comparison {
	c := Comparison{Name: name, Phase: phase, Valid: part.ValidRoundsIn(name, phase), Skipped: part.Skips}
	for _, s := range part.Skips {
		c.place(s.Cell)
	}
	for _, s := range part.Samples {
		c.place(s.Cell)
	}
	c.account(part)
	if len(c.Valid) == 0 {
		return c
	}
	if c.Metric = headline(c.Valid); c.Metric == nil {
		c.Warnings = append(c.Warnings, Warning{Code: NoMetric, Comparison: name})
		return c
	}
	c.rank()
	return c
}

// place takes the comparison's benchmark, path and placement from its cells.
// Host-network arms dial host-ip whatever the comparison's path is, and a skip of
// the whole comparison has no cell.
func (c *Comparison) place(cell measure.Cell) {
	if cell.Benchmark == "" {
		return
	}
	c.Benchmark, c.Placement = cell.Benchmark, cell.Placement
	if c.Path == "" || c.Path == measure.HostIP {
		c.Path = cell.Path
	}
}

// rank fills in the arms, best first, and the control.
func (c *Comparison) rank() {
	host, hosted := hostOf(c.Valid)
	for _, cell := range Cells(c.Valid) {
		arm := Arm{Cell: cell, Metrics: summaries(c.Valid, cell, *c.Metric)}
		if cell.Control {
			original := cell
			original.Control = false
			if ratio := c.ratio(cell, original); ratio != nil {
				c.Control = &Control{Arm: arm, Ratio: *ratio}
			}
			continue
		}
		if hosted {
			arm.Ratio = c.ratio(cell, host)
		}
		c.Arms = append(c.Arms, arm)
	}
	sign := 1.0
	if c.Metric.Better == measure.HigherIsBetter {
		sign = -1
	}
	slices.SortFunc(c.Arms, func(a, b Arm) int {
		return cmp.Or(cmp.Compare(sign*a.Metrics[0].Median, sign*b.Metrics[0].Median), cmp.Compare(a.Cell.String(), b.Cell.String()))
	})
}
