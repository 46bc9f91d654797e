// Package report makes reports of what a journal holds, and of nothing else:
// Markdown, text, JSON, JUnit XML and the Go benchmark format.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aclements/go-moremath/stats"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// Version is the version of the JSON report. It changes when a field changes
// its meaning or goes.
const Version = 1

// HostArm is the arm that the tables' ratios refer to.
const HostArm = "node"

// unfinished is the outcome of a run whose journal has no orderly end.
const unfinished = "unfinished"

// Report is a run as its readers want it. Its JSON form is report.json.
type Report struct {
	Version     int                   `json:"version"`
	Run         RunInfo               `json:"run"`
	Reproduce   Reproduce             `json:"reproduce"`
	Comparisons []Comparison          `json:"comparisons"`
	CrossChecks []CrossCheck          `json:"cross_checks,omitempty"`
	Stages      []journal.Stage       `json:"stages,omitempty"`
	Measuring   Measuring             `json:"measuring,omitzero"`
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
	Resumed  []time.Time   `json:"resumed,omitempty"` // when it was gone on with
	Outcome  string        `json:"outcome"`
	ExitCode *int          `json:"exit_code,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Duration time.Duration `json:"duration_ns,omitempty"`
}

// Measuring is what became of the time from the first sample to the end of the
// last: for how long a benchmark tool ran, and the share of it. The rest starts
// pods and tools, asks for proofs, judges, and confirms.
type Measuring struct {
	Duration time.Duration `json:"duration_ns"`
	Tools    time.Duration `json:"tools_ns"`
	Share    float64       `json:"share"`
}

func measuring(samples []journal.Sample) Measuring {
	var m Measuring
	if len(samples) == 0 {
		return m
	}
	first, last := samples[0].StartedAt, time.Duration(0)
	for _, s := range samples {
		first, last = min(first, s.StartedAt), max(last, s.StartedAt+s.Duration)
		m.Tools += s.ToolTime
	}
	m.Duration = last - first
	if m.Duration > 0 {
		m.Share = m.Tools.Seconds() / m.Duration.Seconds()
	}
	return m
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
}

// Row is an arm's line in a table.
type Row struct {
	Cell measure.Cell `json:"cell"`
	// Metrics are all that was measured, the table's metric first.
	Metrics []Summary `json:"metrics"`
	// Ratio is to the host arm: the median over the rounds of this arm's value
	// divided by the host's in the same round.
	Ratio     *Ratio   `json:"ratio_to_host,omitempty"`
	Published *float64 `json:"published,omitempty"`
}

// Summary describes one metric's values, one per valid round.
type Summary struct {
	measure.Metric
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	// Spread is the interquartile range divided by the median; absent for a
	// single value.
	Spread *float64  `json:"spread,omitempty"`
	Values []float64 `json:"values"`
}

// Ratio is the median of per-round ratios and their extremes.
type Ratio struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// Control is the second copy of an arm: Ratio is of its value to the arm's own
// in the same round, so how far it is from 1 is what chance does.
type Control struct {
	Row   Row   `json:"row"`
	Ratio Ratio `json:"ratio"`
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
		Measuring:   measuring(run.Samples),
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
	for _, name := range run.Comparisons() {
		c := r.comparison(name, run.Phase(name), published)
		c.Verdicts = verdicts(run, name)
		r.Comparisons = append(r.Comparisons, c)
		if slices.ContainsFunc(run.Samples, func(s journal.Sample) bool {
			return s.Comparison == name && s.Phase == journal.PhaseConfirm
		}) {
			r.Comparisons = append(r.Comparisons, r.comparison(name, journal.PhaseConfirm, published))
		}
	}
	r.CrossChecks = crossChecks(r.Comparisons)
	return r
}

func (r *Report) comparison(name, phase string, published Published) Comparison {
	c := Comparison{Name: name, Phase: phase}
	for _, s := range r.run.Skips {
		if s.Comparison == name && (s.Phase == "" || s.Phase == c.Phase) {
			c.Skipped = append(c.Skipped, s)
			c.place(s.Cell)
		}
	}
	for _, s := range r.run.Samples {
		if s.Comparison == name && s.Phase == c.Phase {
			c.place(s.Cell)
		}
	}
	rounds := r.run.ValidRoundsIn(name, phase)
	c.Rounds = len(rounds)
	c.account(r.run, rounds)
	if len(rounds) == 0 {
		return c
	}
	c.Metric = headline(rounds)
	if c.Metric == nil {
		r.warn("%s: no metric was measured in every sample: no table", name)
		return c
	}
	for _, cell := range cells(rounds) {
		row := Row{Cell: cell, Metrics: summaries(rounds, cell, *c.Metric), Published: published.figure(cell, c.Path, *c.Metric)}
		if cell.Control {
			original := cell
			original.Control = false
			if ratio := r.ratio(rounds, cell, original, *c.Metric); ratio != nil {
				c.Control = &Control{Row: row, Ratio: *ratio}
			}
			continue
		}
		if host, ok := hostOf(rounds); ok {
			row.Ratio = r.ratio(rounds, cell, host, *c.Metric)
		}
		c.Rows = append(c.Rows, row)
	}
	sign := 1.0
	if c.Metric.Better == measure.HigherIsBetter {
		sign = -1
	}
	slices.SortFunc(c.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(sign*a.Metrics[0].Median, sign*b.Metrics[0].Median), cmp.Compare(a.Cell.String(), b.Cell.String()))
	})
	return c
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// place takes the comparison's benchmark, path and placement from its cells.
// Host-network arms dial host-ip whatever the comparison's path is.
func (c *Comparison) place(cell measure.Cell) {
	c.Benchmark, c.Placement = cell.Benchmark, cell.Placement
	if c.Path == "" || c.Path == measure.HostIP {
		c.Path = cell.Path
	}
}

// account tells of each round that was begun and doesn't count why, and which
// of the others were disturbed.
func (c *Comparison) account(run *journal.Run, valid []measure.Round) {
	counts := map[int]bool{}
	for _, v := range valid {
		counts[v.Index] = true
	}
	closed := map[int]bool{}
	for _, rd := range run.Rounds {
		if rd.Comparison != c.Name || rd.Phase != c.Phase {
			continue
		}
		closed[rd.Round] = true
		switch {
		case !rd.Valid:
			why, _ := rd.Dropped()
			c.Dropped = append(c.Dropped, Dropped{rd.Round, why.String(), counts[rd.Round]})
		case !counts[rd.Round]:
			c.Dropped = append(c.Dropped, Dropped{rd.Round, "it lacks a valid sample of some cell", false})
		case rd.Disturbed:
			c.Disturbed = append(c.Disturbed, rd)
		}
	}
	for _, s := range run.Samples {
		if s.Comparison == c.Name && s.Phase == c.Phase && !closed[s.Round] {
			closed[s.Round] = true
			c.Dropped = append(c.Dropped, Dropped{s.Round, "it was not finished", false})
		}
	}
	slices.SortStableFunc(c.Dropped, func(a, b Dropped) int { return a.Round - b.Round })
}

// verdicts gives the last word on each assertion; a verdict of the full phase
// outweighs any of the first.
func verdicts(run *journal.Run, comparison string) []journal.Verdict {
	var vs []journal.Verdict
	for _, v := range run.Verdicts {
		if v.Comparison != comparison {
			continue
		}
		i := slices.IndexFunc(vs, func(o journal.Verdict) bool { return o.Assertion == v.Assertion })
		switch {
		case i < 0:
			vs = append(vs, v)
		case v.Phase == journal.PhaseFull || vs[i].Phase != journal.PhaseFull:
			vs[i] = v
		}
	}
	return vs
}

// headline is the metric of the table: the one that the page publishes for the
// tool, else the first that every sample has. netperf and redis-benchmark
// measure latency beside their rate.
func headline(rounds []measure.Round) *measure.Metric {
	inAll := func(m measure.Metric) bool {
		for _, rd := range rounds {
			for _, vs := range rd.Values {
				if v, ok := vs.Get(m.Name); !ok || v.Metric != m {
					return false
				}
			}
		}
		return true
	}
	candidates := []measure.Metric{measure.Throughput, measure.Transactions, measure.Requests, measure.Latency}
	for _, v := range rounds[0].Values[cells(rounds)[0]] {
		candidates = append(candidates, v.Metric)
	}
	if i := slices.IndexFunc(candidates, inAll); i >= 0 {
		return &candidates[i]
	}
	return nil
}

// cells lists the cells of the rounds, which all have the same, by name.
func cells(rounds []measure.Round) []measure.Cell {
	return slices.SortedFunc(maps.Keys(rounds[0].Values), func(a, b measure.Cell) int { return cmp.Compare(a.String(), b.String()) })
}

func hostOf(rounds []measure.Round) (measure.Cell, bool) {
	for cell := range rounds[0].Values {
		if cell.Arm == HostArm && !cell.Control {
			return cell, true
		}
	}
	return measure.Cell{}, false
}

// ratio is of the metric's values, not of its cost.
func (r *Report) ratio(rounds []measure.Round, a, b measure.Cell, m measure.Metric) *Ratio {
	if _, ok := rounds[0].Values[b]; !ok {
		return nil
	}
	ds, err := measure.LogRatios(rounds, a, b, m.Name)
	if err != nil {
		r.warn("no ratio of %s to %s: %v", a, b, err)
		return nil
	}
	if m.Better == measure.HigherIsBetter {
		for i := range ds {
			ds[i] = -ds[i]
		}
	}
	return &Ratio{math.Exp(measure.Median(ds)), math.Exp(slices.Min(ds)), math.Exp(slices.Max(ds))}
}

// summaries describes every metric that a cell has, the table's first and the
// others as the parser orders them.
func summaries(rounds []measure.Round, cell measure.Cell, first measure.Metric) []Summary {
	list := []Summary{{Metric: first}}
	for _, rd := range rounds {
		for _, v := range rd.Values[cell] {
			i := slices.IndexFunc(list, func(s Summary) bool { return s.Metric == v.Metric })
			if i < 0 {
				i = len(list)
				list = append(list, Summary{Metric: v.Metric})
			}
			list[i].Values = append(list[i].Values, v.Value)
		}
	}
	for i := range list {
		s := &list[i]
		s.Median, s.Min, s.Max = measure.Median(s.Values), slices.Min(s.Values), slices.Max(s.Values)
		if len(s.Values) > 1 && s.Median > 0 {
			spread := stats.Sample{Xs: s.Values}.IQR() / s.Median
			s.Spread = &spread
		}
	}
	return list
}

// title names a comparison by what is compared.
func (c Comparison) title() string {
	parts := slices.DeleteFunc([]string{c.Benchmark, c.Path, c.Placement}, func(s string) bool { return s == "" })
	if len(parts) == 0 {
		return cmp.Or(c.Name, "Across comparisons")
	}
	title := strings.Join(parts, ", ")
	switch c.Phase {
	case journal.PhaseFirst:
		title += " (first comparison, of the arms that were ready)"
	case journal.PhaseConfirm:
		title += " (second batch, on fresh pods, to confirm a fail)"
	}
	return title
}
