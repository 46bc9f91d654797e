package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/page"
	"github.com/cniperf/cniperf/internal/progress"
)

// Text writes the report for a terminal: tables, verdicts, stages. It has no
// colours and no control characters.
func (r *Report) Text(w io.Writer) error {
	p := &page.Page{}
	p.Paragraph("cniperf run %s", r.summary())
	r.results(p)
	if len(r.Stages) > 0 {
		p.Heading("Stages")
		r.stages(p)
	}
	return p.To(w)
}

// Markdown writes the whole report, with the facts and the fingerprint that the
// text form leaves out.
func (r *Report) Markdown(w io.Writer) error {
	p := &page.Page{Markdown: true}
	p.Paragraph("# cniperf run %s", r.summary())
	r.results(p)
	p.Heading("Stages")
	r.stages(p)
	if len(r.Facts) > 0 {
		p.Heading("What the clusters ran, as found there")
		var rows [][]string
		for _, f := range r.Facts {
			rows = append(rows, []string{f.Cluster, f.Subject, f.Claim, f.Found})
		}
		p.Table("llll", []string{"cluster", "subject", "claim", "found"}, rows)
	}
	if len(r.Fingerprint) > 0 {
		p.Heading("Fingerprint")
		var rows [][]string
		for _, k := range slices.Sorted(maps.Keys(r.Fingerprint)) {
			rows = append(rows, []string{k, r.Fingerprint[k]})
		}
		for _, c := range r.Clusters {
			of := c.Cluster + ": "
			if c.Node != "" {
				of += c.Node + ": "
			}
			for _, k := range slices.Sorted(maps.Keys(c.Values)) {
				rows = append(rows, []string{of + k, c.Values[k]})
			}
		}
		p.Table("ll", []string{"what", "found"}, rows)
	}
	p.Heading("Reproduce")
	p.Table("ll", []string{"what", "value"}, [][]string{
		{"command", commandLine(r.Reproduce.Command)},
		{"seed", strconv.FormatUint(r.Reproduce.Seed, 10)},
		{"plan hash", r.Reproduce.PlanHash},
		{"cniperf", r.Reproduce.CNIPerf},
	})
	return p.To(w)
}

func (r *Report) summary() string {
	s := fmt.Sprintf("%s: profile %s, seed %d, %s", r.Run.ID, r.Run.Profile, r.Reproduce.Seed, r.Run.Outcome)
	if r.Run.Duration > 0 {
		s += " after " + progress.Round(r.Run.Duration).String()
	}
	for _, at := range r.Run.Resumed {
		s += ", resumed at " + at.UTC().Format(time.RFC3339)
	}
	if r.Run.Reason != "" {
		s += ": " + r.Run.Reason
	}
	return s
}

func (r *Report) results(p *page.Page) {
	for _, c := range r.Comparisons {
		c.print(p)
	}
	r.crossChecks(p)
	var warnings []string
	for _, w := range r.Warnings {
		warnings = append(warnings, "warning: "+w)
	}
	p.List(warnings)
}

func (r *Report) crossChecks(p *page.Page) {
	if len(r.CrossChecks) == 0 {
		return
	}
	p.Heading("Cross-check of the tools")
	var found []string
	for _, c := range r.CrossChecks {
		found = append(found, fmt.Sprintf("%s by %s %.2f", c.Arm, c.Path, c.Product))
	}
	p.Paragraph("netperf transactions/s × 2 × sockperf latency, about 1 where both measured the same: %s", strings.Join(found, ", "))
}

func (r *Report) stages(p *page.Page) {
	var rows [][]string
	for _, s := range r.Stages {
		rows = append(rows, []string{s.Name, progress.Round(s.Duration).String(), s.Error})
	}
	p.Table("lrl", []string{"stage", "time", ""}, rows)
	if m := r.Measuring; m.Tools > 0 {
		p.Paragraph("From the first sample to the end of the last it took %s; benchmark tools ran for %.0f %% of that.", progress.Round(m.Duration), 100*m.Share)
	}
}

// commandLine prints an argv so that a shell reads it back as it was.
func commandLine(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n\"'`$&|;<>()*?[]{}#~\\!") {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
