package run

import (
	"slices"
	"time"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// book is the run's journal, and what it held when the run was resumed.
type book struct {
	writer *journal.Writer
	past   *journal.Run
	skips  []journal.Skip // of this process
}

func (b *book) append(rec any) error { return b.writer.Append(rec) }

// skip records a cell that is not measured, or with the zero cell a comparison.
func (b *book) skip(comparison, phase string, cell measure.Cell, why record.Reason) error {
	skip := journal.Skip{Cell: cell, Comparison: comparison, Phase: phase, Why: &why}
	if slices.ContainsFunc(b.skips, func(s journal.Skip) bool { return sameSkip(s, skip) }) {
		return nil
	}
	b.skips = append(b.skips, skip)
	// A run that is resumed says again what it leaves out, unless it is as before.
	if slices.ContainsFunc(b.past.Skips, func(s journal.Skip) bool { return sameSkip(s, skip) }) {
		return nil
	}
	return b.writer.Append(skip)
}

func sameSkip(a, b journal.Skip) bool {
	return a.Cell == b.Cell && a.Comparison == b.Comparison && a.Phase == b.Phase && a.Text() == b.Text()
}

// skipped are the cells of a comparison that were lost on the way. What a process
// before this one has lost stays lost once rounds were measured without it, and is
// tried again otherwise.
func (b *book) skipped(comparison, phase string) []journal.Skip {
	all := b.skips
	if len(b.past.ValidRoundsIn(comparison, phase)) > 0 {
		all = slices.Concat(b.past.Skips, b.skips)
	}
	var lost []journal.Skip
	for _, s := range all {
		if s.Comparison == comparison && s.Phase == phase && s.Why != nil && s.Why.Infrastructure() {
			lost = append(lost, s)
		}
	}
	return lost
}

// stage records how long a part of the run took.
func (b *book) stage(name string, took time.Duration, err error) error {
	stage := journal.Stage{Name: name, Duration: took}
	if err != nil {
		stage.Error = err.Error()
	}
	return b.writer.Append(stage)
}

// missing are the cells and comparisons that were not measured, of this process and
// of earlier ones if what they lost stays lost. The early phase is another matter.
func (b *book) missing() []journal.Skip {
	var all []journal.Skip
	for _, s := range slices.Concat(b.past.Skips, b.skips) {
		old := !slices.ContainsFunc(b.skips, func(o journal.Skip) bool { return sameSkip(o, s) })
		tried := old && len(b.past.ValidRoundsIn(s.Comparison, s.Phase)) == 0
		if s.Why != nil && s.Phase != journal.PhaseFirst && !tried {
			all = append(all, s)
		}
	}
	return all
}

// verdicts records those that say something new about their assertion.
func (b *book) verdicts(phase string, verdicts []verdict.Verdict) error {
	records, err := analysis.Records(b.past.Verdicts, phase, verdicts)
	if err != nil {
		return err
	}
	for _, rec := range records {
		if err := b.writer.Append(rec); err != nil {
			return err
		}
		b.past.Verdicts = append(b.past.Verdicts, rec)
	}
	return nil
}
