package htmlreport

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// FileName is the report's name in a run folder.
const FileName = "report.html"

// Figures are the published ones by cell, in the units of package measure.
type Figures = map[measure.Cell]measure.Value

// Report is the page of one run.
type Report struct {
	texts    Texts
	run      *journal.Run
	figures  Figures
	plan     record.Plan
	analysed []analysis.Comparison
	verdicts []verdict.Verdict
	palette  *palette
	warnings []string
}

// New makes the page of what a journal holds. The published figures may be nil. What
// can't be understood, such as a plan of a newer cniperf, becomes a warning of the page.
func New(run *journal.Run, figures Figures, texts Texts) *Report {
	r := &Report{texts: texts, run: run, figures: figures, palette: &palette{}, warnings: slices.Clone(run.Warnings)}
	var err error
	if r.plan, err = record.DecodePlan(run.Header.Plan); err != nil {
		r.warn("What was planned can't be read, so claims without a verdict are not listed: %v", err)
	}
	for _, arm := range r.plan.Catalogue.Arms {
		r.palette.add(arm.Name)
	}
	for _, s := range run.Samples {
		r.palette.add(s.Cell.Arm)
	}
	for _, s := range run.Skips {
		r.palette.add(s.Cell.Arm)
	}
	r.analysed = analysis.Of(run)
	for _, c := range r.analysed {
		for _, w := range c.Warnings {
			if w.Code == analysis.NoMetric {
				r.warn("%s: no metric was measured in every sample, so there is no table.", w.Comparison)
			} else {
				r.warn("There is no ratio of %s to %s: %v", w.A, w.B, w.Err)
			}
		}
	}
	r.verdicts = r.judged()
	return r
}

func (r *Report) warn(format string, args ...any) {
	r.warnings = append(r.warnings, r.texts.Say(format, args...))
}

// Write puts the page of a run into dir as FileName, whole or not at all.
func Write(dir string, run *journal.Run, figures Figures) error {
	var b bytes.Buffer
	if err := New(run, figures, English{}).HTML(&b); err != nil {
		return fmt.Errorf("make %s of run %s: %w", FileName, run.Header.RunID, err)
	}
	if err := journal.WriteFile(filepath.Join(dir, FileName), b.Bytes()); err != nil {
		return fmt.Errorf("write %s into %s: %w", FileName, dir, err)
	}
	return nil
}

// HTML writes the page with all its evidence.
func (r *Report) HTML(w io.Writer) error {
	b := r.body()
	b.Evidence, b.Unlisted = r.evidence()
	return write(w, r.texts, "report.html", b.Title, "", b)
}

// Served writes the page as a server shows it: with a way back, and where the run has
// no end yet without its evidence and as one that is brought up to date from events.
func (r *Report) Served(w io.Writer, home, events string) error {
	b := r.body()
	if r.run.End == nil && events != "" {
		b.Events = events
	} else {
		b.Evidence, b.Unlisted = r.evidence()
	}
	return write(w, r.texts, "report.html", b.Title, home, b)
}

// body is the page's content.
type body struct {
	Title     string
	Head      headView
	Warnings  []string
	Matrix    matrixView
	Summaries []summaryView
	Filter    filterView
	// Comparisons are those with something to show, in the run's order; Unjudged the
	// claims that none of them is about.
	Comparisons []comparisonView
	Unjudged    []claimView
	CrossChecks []crossView
	Timeline    timelineView
	Evidence    []evidenceView
	// Unlisted is how many samples the evidence leaves out.
	Unlisted int
	Tables   []tableView
	// Events is where a page that is served hears of news.
	Events string
}

// filterView is what the filters offer.
type filterView struct {
	Arms     []armView
	Paths    []string
	Outcomes []outcomeView
}

func (r *Report) body() body {
	h := r.run.Header
	b := body{
		Title: r.texts.Say("cniperf run %s", h.RunID), Warnings: r.warnings, Head: r.head(),
		CrossChecks: r.crossChecks(), Tables: r.tables(),
	}
	ids := map[string]bool{}
	var placed []string
	for _, c := range r.analysed {
		view := r.comparison(c, ids)
		for _, claim := range slices.Concat(view.Claims, view.Unjudged) {
			placed = append(placed, claim.Name)
		}
		b.Comparisons = append(b.Comparisons, view)
	}
	for _, v := range r.verdicts {
		if !slices.Contains(placed, v.Name) {
			b.Unjudged = append(b.Unjudged, r.claim(v))
		}
	}
	b.Matrix, b.Summaries = r.matrix(b.Comparisons), r.summaries(b.Comparisons)
	b.Filter = r.filter(b.Comparisons)
	b.Timeline = r.timeline()
	return b
}

func (r *Report) filter(comparisons []comparisonView) filterView {
	var f filterView
	var outcomes []verdict.Outcome
	for _, c := range comparisons {
		for _, a := range c.Arms {
			if !slices.Contains(f.Arms, a) {
				f.Arms = append(f.Arms, a)
			}
		}
		if !slices.Contains(f.Paths, c.Path) && c.Path != "" {
			f.Paths = append(f.Paths, c.Path)
		}
		if c.Outcome != "" && !slices.Contains(outcomes, c.Outcome) {
			outcomes = append(outcomes, c.Outcome)
			f.Outcomes = append(f.Outcomes, outcomeOf(c.Outcome))
		}
	}
	slices.SortFunc(f.Arms, func(a, b armView) int { return cmp.Compare(a.Key, b.Key) })
	return f
}

// tableView is a table of pairs or more, with a heading.
type tableView struct {
	ID, Title string
	Header    []string
	Rows      [][]string
}

// tables are what stands behind the figures: facts, fingerprint, and how to repeat it.
func (r *Report) tables() []tableView {
	h, say := r.run.Header, r.texts.Say
	var all []tableView
	facts := tableView{ID: "facts", Title: say("What the clusters ran, as found there"), Header: []string{say("cluster"), say("subject"), say("claim"), say("found")}}
	for _, f := range r.run.Facts {
		facts.Rows = append(facts.Rows, []string{f.Cluster, f.Subject, f.Claim, f.Found})
	}
	prints := tableView{ID: "fingerprint", Title: say("Machine and versions"), Header: []string{say("where"), say("what"), say("found")}}
	for _, p := range append([]journal.Fingerprint{{Cluster: say("machine"), Values: h.Fingerprint}}, r.run.Prints...) {
		for _, name := range sortedKeys(p.Values) {
			prints.Rows = append(prints.Rows, []string{p.Cluster, name, p.Values[name]})
		}
	}
	if h.Speed != nil {
		prints.Rows = append(prints.Rows, []string{say("machine"), say("speed class"), h.Speed.Class})
	}
	command := h.Command
	if len(command) == 0 {
		command = []string{"go", "test", "./e2e", "-tags", "perf", "-args", "-profile", h.Profile}
	}
	again := tableView{ID: "reproduce", Title: say("How to reproduce it"), Header: []string{say("what"), say("value")}, Rows: [][]string{
		{say("command"), shellLine(command)}, {say("seed"), strconv.FormatUint(h.Seed, 10)}, {say("plan hash"), h.PlanHash},
		{say("cniperf"), h.Version}, {say("this page again"), "cniperf report --html " + shellLine([]string{cmp.Or(filepath.Base(r.run.Dir), "RUN")})},
	}}
	for _, t := range []tableView{facts, prints, again} {
		if len(t.Rows) > 0 {
			all = append(all, t)
		}
	}
	return all
}
