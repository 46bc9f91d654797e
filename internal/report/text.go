package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
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
			for _, k := range slices.Sorted(maps.Keys(c.Values)) {
				rows = append(rows, []string{c.Cluster + ": " + k, c.Values[k]})
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
	r.printCrossChecks(p)
	var warnings []string
	for _, w := range r.Warnings {
		warnings = append(warnings, "warning: "+w)
	}
	p.List(warnings)
}

func (c Comparison) print(p *page.Page) {
	p.Heading("%s", c.title())
	if c.Metric == nil {
		p.Paragraph("No valid round.")
		p.List(c.notes())
	} else {
		p.Paragraph("%s in %s, %s is better; spread is the interquartile range", c.Metric.Name, shown(*c.Metric).unit, c.Metric.Better)
		c.printRows(p)
	}
	var rows [][]string
	for _, v := range c.Verdicts {
		word := strings.ToUpper(v.Outcome)
		if !v.Gate {
			word += " (informs)"
		}
		if v.Phase != c.Phase {
			word += " (" + v.Phase + " comparison)"
		}
		rows = append(rows, []string{word, v.Assertion, v.Sentence})
	}
	p.Table("lll", []string{"verdict", "assertion", "why"}, rows)
	if p.Markdown {
		c.printOthers(p)
	}
}

func (c Comparison) printRows(p *page.Page) {
	u := shown(*c.Metric)
	var rows [][]string
	for _, row := range c.Rows {
		s := row.Metrics[0]
		ratio, published := "–", "–"
		if row.Ratio != nil {
			ratio = strconv.FormatFloat(row.Ratio.Median, 'f', 2, 64)
		}
		if row.Published != nil {
			published = u.format(*row.Published)
			if strings.Contains(published, ".") { // the page gives fewer digits
				published = strings.TrimRight(strings.TrimRight(published, "0"), ".")
			}
		}
		rows = append(rows, []string{row.Cell.Arm, strconv.Itoa(len(s.Values)), u.format(s.Median), s.spread(), ratio, published})
	}
	p.Table("lrrrrr", []string{"arm", "rounds", "median", "spread", "× " + HostArm, "published"}, rows)
	p.List(c.notes())
}

// notes say what stands behind the table and what isn't in it.
func (c Comparison) notes() []string {
	var notes []string
	if k := c.Control; k != nil {
		notes = append(notes, fmt.Sprintf("A/A control: %s against itself %.3f, rounds from %.3f to %.3f", k.Row.Cell.Arm, k.Ratio.Median, k.Ratio.Min, k.Ratio.Max))
	}
	for _, s := range c.Skipped {
		notes = append(notes, fmt.Sprintf("skipped: %s: %s", armOf(s.Cell), s.Reason))
	}
	for _, d := range c.Dropped {
		again := ""
		if d.Repeated {
			again = " and measured again"
		}
		notes = append(notes, fmt.Sprintf("round %d dropped%s: %s", d.Round, again, d.Cause))
	}
	notes = append(notes, disturbed(c.Disturbed, false, "disturbed")...)
	return append(notes, disturbed(c.Disturbed, true, "disturbed beyond the limit, and counted as no more might be dropped")...)
}

// disturbed is one line about the rounds that others disturbed, with the worst
// of each number, or none: on a busy machine a line a round would be all there
// is to read. Single rounds are in the JSON report.
func disturbed(all []journal.Round, kept bool, how string) []string {
	worst := map[string]float64{}
	var rounds []string
	for _, rd := range all {
		if rd.Kept != kept {
			continue
		}
		rounds = append(rounds, strconv.Itoa(rd.Round))
		for k, x := range rd.Disturbance {
			worst[k] = max(worst[k], x)
		}
	}
	if len(rounds) == 0 {
		return nil
	}
	var found []string
	for _, k := range slices.Sorted(maps.Keys(worst)) {
		found = append(found, fmt.Sprintf("%s %.3g", k, worst[k]))
	}
	word := "round "
	if len(rounds) > 1 {
		word = "rounds "
	}
	return []string{fmt.Sprintf("%s%s %s: %s", word, strings.Join(rounds, ", "), how, strings.Join(found, ", "))}
}

func armOf(c measure.Cell) string {
	if c.Control {
		return c.Arm + " (control)"
	}
	return c.Arm
}

// printOthers shows the medians of what was measured beside the table's metric.
func (c Comparison) printOthers(p *page.Page) {
	var metrics []measure.Metric
	for _, row := range c.Rows {
		for _, s := range row.Metrics[1:] {
			if !slices.Contains(metrics, s.Metric) {
				metrics = append(metrics, s.Metric)
			}
		}
	}
	if len(metrics) == 0 {
		return
	}
	header := []string{"arm, medians"}
	for _, m := range metrics {
		header = append(header, strings.TrimSuffix(m.Name+", "+shown(m).unit, ", 1"))
	}
	var rows [][]string
	for _, row := range c.Rows {
		line := []string{row.Cell.Arm}
		for _, m := range metrics {
			text := "–"
			if i := slices.IndexFunc(row.Metrics, func(s Summary) bool { return s.Metric == m }); i >= 0 {
				text = shown(m).format(row.Metrics[i].Median)
			}
			line = append(line, text)
		}
		rows = append(rows, line)
	}
	p.Table("l"+strings.Repeat("r", len(metrics)), header, rows)
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

func (s Summary) spread() string {
	if s.Spread == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", *s.Spread*100)
}

// scale is how a unit is shown to people.
type scale struct {
	unit   string
	factor float64
}

func shown(m measure.Metric) scale {
	switch m.Unit {
	case "us":
		return scale{"µs", 1}
	case "bit/s":
		return scale{"Gbit/s", 1e-9}
	}
	return scale{m.Unit, 1}
}

// format gives four significant digits, and all of those before the point.
func (s scale) format(v float64) string {
	v *= s.factor
	decimals := 3
	for limit := 10.0; decimals > 0 && v >= limit; limit *= 10 {
		decimals--
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
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

// Evidence writes, sample by sample in the order they were taken, what was run,
// what it gave, and what proved the path; and whether the raw output is still
// what was recorded.
func (r *Report) Evidence(w io.Writer) error {
	p := &page.Page{}
	p.Heading("Evidence")
	for _, s := range r.run.Samples {
		state := "valid"
		if s.Invalid != "" {
			state = "INVALID: " + s.Invalid
		}
		lines := []string{
			fmt.Sprintf("at %s for %s: %s", s.StartedAt.Round(time.Millisecond), s.Duration.Round(time.Millisecond), commandLine(s.Command)),
			fmt.Sprintf("client %s on %s CPU %d, server %s on %s CPU %d", s.ClientPod, s.ClientNode, s.ClientCPU, s.ServerPod, s.ServerNode, s.ServerCPU),
		}
		for _, v := range s.Values {
			u := shown(v.Metric)
			lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s %s", v.Name, u.format(v.Value), u.unit), " 1"))
		}
		for _, c := range s.Checks {
			word := "proved"
			if !c.OK {
				word = "NOT PROVED"
			}
			lines = append(lines, fmt.Sprintf("%s: %s: %s", word, c.Claim, c.Found))
		}
		if s.Raw != "" {
			raw := fmt.Sprintf("raw output %s, %d bytes", s.Raw, s.RawBytes)
			if _, err := journal.Raw(r.run.Dir, s.Raw); err != nil {
				raw += ": " + err.Error()
			}
			lines = append(lines, raw)
		}
		p.Paragraph("%s, %s, round %d, attempt %d, place %d: %s: %s", s.Comparison, s.Phase, s.Round, s.Attempt, s.Order, s.Cell, state)
		p.List(lines)
	}
	return p.To(w)
}
