// Package report makes reports of what a journal holds, and of nothing else:
// Markdown, text, JSON, JUnit XML and the Go benchmark format.
package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// Version is the version of the JSON report. It changes when a field changes
// its meaning or goes.
const Version = 1

// unfinished is the outcome of a run whose journal has no orderly end.
const unfinished = "unfinished"

// Report is a run as its readers want it. Its JSON form is report.json.
type Report struct {
	Version     int                   `json:"version"`
	Run         RunInfo               `json:"run"`
	Reproduce   Reproduce             `json:"reproduce"`
	Comparisons []Comparison          `json:"comparisons"`
	CrossChecks []analysis.CrossCheck `json:"cross_checks,omitempty"`
	Stages      []journal.Stage       `json:"stages,omitempty"`
	Measuring   analysis.Time         `json:"measuring,omitzero"`
	Facts       []journal.Fact        `json:"facts,omitempty"`
	Fingerprint map[string]string     `json:"fingerprint,omitempty"` // of the machine
	Clusters    []journal.Fingerprint `json:"clusters,omitempty"`
	Warnings    []string              `json:"warnings,omitempty"`

	run *journal.Run
}

// RunInfo names the run and how it ended; Outcome is "unfinished" and ExitCode
// absent as long as it hasn't.
type RunInfo struct {
	ID       string        `json:"id"`
	Profile  string        `json:"profile"`
	Started  time.Time     `json:"started"`
	Resumed  []time.Time   `json:"resumed,omitempty"` // when it was resumed
	Outcome  string        `json:"outcome"`
	ExitCode *int          `json:"exit_code,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Duration time.Duration `json:"duration_ns,omitempty"`
}

// Reproduce says how to get the run again.
type Reproduce struct {
	Command  []string `json:"command"`
	Seed     uint64   `json:"seed"`
	PlanHash string   `json:"plan_hash"`
	CNIPerf  string   `json:"cniperf"`
}

// Comparison is one table: the arms of one benchmark, path and placement. A
// second batch that confirms a fail is a table of its own, with the same name.
type Comparison struct {
	Name      string            `json:"name"`
	Phase     string            `json:"phase"`
	Benchmark string            `json:"benchmark"`
	Path      string            `json:"path"`
	Placement string            `json:"placement"`
	Metric    *measure.Metric   `json:"metric,omitempty"` // of the table; absent before the first valid round
	Rounds    int               `json:"rounds"`           // valid ones
	Rows      []Row             `json:"rows"`             // best first
	Control   *Control          `json:"control,omitempty"`
	Skipped   []journal.Skip    `json:"skipped,omitempty"`
	Verdicts  []journal.Verdict `json:"verdicts,omitempty"`
	Dropped   []Dropped         `json:"dropped,omitempty"`
	Disturbed []journal.Round   `json:"disturbed,omitempty"`

	valid []measure.Round
}

// Row is an arm's line in a table.
type Row struct {
	analysis.Arm
	Published *float64 `json:"published,omitempty"`
}

// Control is the second copy of an arm, and the ratio of its values to the arm's
// own.
type Control struct {
	Row   Row            `json:"row"`
	Ratio analysis.Ratio `json:"ratio"`
}

// Dropped is a round, or an attempt at one, that doesn't count.
type Dropped struct {
	Round    int    `json:"round"`
	Cause    string `json:"cause"`
	Repeated bool   `json:"repeated"` // and has a valid attempt
}

// New makes the report of a run. The published figures may be nil.
func New(run *journal.Run, published Published) *Report {
	h := run.Header
	r := &Report{
		Version:     Version,
		Run:         RunInfo{ID: h.RunID, Profile: h.Profile, Started: h.Started, Outcome: unfinished},
		Reproduce:   Reproduce{Command: h.Command, Seed: h.Seed, PlanHash: h.PlanHash, CNIPerf: h.Version},
		Stages:      run.Stages,
		Measuring:   analysis.TimeOf(run.Samples),
		Facts:       run.Facts,
		Fingerprint: h.Fingerprint,
		Clusters:    run.Prints,
		Warnings:    slices.Clone(run.Warnings),
		run:         run,
	}
	if len(r.Reproduce.Command) == 0 {
		r.Reproduce.Command = []string{"go", "test", "./e2e", "-tags", "perf", "-args", "-profile", h.Profile}
	}
	if e := run.End; e != nil {
		r.Run.Outcome, r.Run.ExitCode, r.Run.Reason, r.Run.Duration = e.Outcome, &e.ExitCode, e.Reason, e.Duration
	}
	for _, resumed := range run.Resumes {
		r.Run.Resumed = append(r.Run.Resumed, resumed.Started)
	}
	analysed := analysis.Of(run)
	for _, a := range analysed {
		c := present(a, published)
		if c.Phase != journal.PhaseConfirm {
			c.Verdicts = analysis.Verdicts(run, c.Name)
		}
		r.Comparisons = append(r.Comparisons, c)
		for _, w := range a.Warnings {
			r.Warnings = append(r.Warnings, warning(w))
		}
	}
	r.CrossChecks = analysis.CrossChecks(analysed)
	return r
}

// present puts an analysed comparison beside the published figures.
func present(a analysis.Comparison, published Published) Comparison {
	c := Comparison{
		Name: a.Name, Phase: a.Phase, Benchmark: a.Benchmark, Path: a.Path, Placement: a.Placement,
		Metric: a.Metric, Rounds: len(a.Valid), Skipped: a.Skipped, Disturbed: a.Disturbed, valid: a.Valid,
	}
	row := func(arm analysis.Arm) Row {
		return Row{Arm: arm, Published: published.figure(arm.Cell, c.Path, *c.Metric)}
	}
	for _, arm := range a.Arms {
		c.Rows = append(c.Rows, row(arm))
	}
	if a.Control != nil {
		c.Control = &Control{Row: row(a.Control.Arm), Ratio: a.Control.Ratio}
	}
	for _, d := range a.Dropped {
		c.Dropped = append(c.Dropped, Dropped{d.Round, cause(d), d.Repeated})
	}
	return c
}

// cause says why a round doesn't count.
func cause(d analysis.Dropped) string {
	switch d.Code {
	case analysis.Lacking:
		return "it lacks a valid sample of some cell"
	case analysis.Unfinished:
		return "it was not finished"
	}
	why, _ := d.Closing.Dropped()
	return why.String()
}

// warning says what could not be computed.
func warning(w analysis.Warning) string {
	if w.Code == analysis.NoMetric {
		return w.Comparison + ": no metric was measured in every sample: no table"
	}
	return fmt.Sprintf("no ratio of %s to %s: %v", w.A, w.B, w.Err)
}
