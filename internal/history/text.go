package history

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/page"
	"github.com/cniperf/cniperf/internal/verdict"
	"golang.org/x/perf/benchunit"
)

// Text writes the history for a terminal: a line for each cell, then what changed
// where one got slower, and what was left out.
func (h *History) Text(w io.Writer) error {
	p := &page.Page{}
	p.Paragraph("cniperf history: %s, %s of profile %s, %s; each arm as a ratio to %s in the same run",
		h.Outcome(), count(len(h.Runs), "run"), h.Profile, span(h.Runs), analysis.HostArm)
	if len(h.Cells) > 0 {
		p.Paragraph("slower: worse than the worst of %s for %d in a row; chance that this is said of any of the %s in a night when nothing changed: at most %.2g %%",
			count(h.Rule.Window, "night"), h.Rule.InARow, count(len(h.Cells), "cell"), 100*h.FalseAlarm)
	} else {
		p.Paragraph("no whole table with a %s arm in the last run: nothing to compare", analysis.HostArm)
	}
	var rows [][]string
	for i, s := range h.Cells {
		v := s.Verdict
		rows = append(rows, []string{s.Cell.Cell.Arm, strconv.Itoa(len(s.Nights)), s.of(v.Median), s.of(v.Worst), fmt.Sprintf("%.3f", s.Nights[len(s.Nights)-1].Ratio),
			strings.ToUpper(string(v.Outcome)), v.Explanation})
		if i+1 == len(h.Cells) || h.Cells[i+1].Table != s.Table {
			p.Heading("%s, %s", s.Table, s.Metric.Name)
			p.Table("lrrrrll", []string{"arm", "nights", "median", "worst", "last", "verdict", "why"}, rows)
			rows = nil
		}
	}
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	for _, s := range h.Cells {
		if s.Verdict.Outcome == verdict.Fail {
			note("%s: since %s. What changed with it: %s", s.Cell.Cell, s.Since, orNothing(s.Changed))
		}
	}
	if len(h.Alone) > 0 {
		note("without a %s arm, so compared only within a run: %s", analysis.HostArm, strings.Join(h.Alone, ", "))
	}
	if len(h.Missing) > 0 {
		note("measured before, but not in the last run: %s", byTable(h.Missing))
	}
	for i, l := range h.LeftOut {
		if slices.ContainsFunc(h.LeftOut[:i], l.alike) {
			continue
		}
		var names []string
		for _, o := range h.LeftOut[i:] {
			if l.alike(o) {
				names = append(names, o.Run)
			}
		}
		note("left out %s: %s", strings.Join(names, ", "), few(l.Reasons))
	}
	p.List(notes)
	return p.To(w)
}

func (l LeftOut) alike(o LeftOut) bool { return slices.Equal(l.Reasons, o.Reasons) }

// few are the first reasons of a list that may be long; the JSON form has all.
func few(reasons []string) string {
	const most = 3
	if n := len(reasons); n > most {
		return strings.Join(reasons[:most], "; ") + fmt.Sprintf("; and %d more", n-most)
	}
	return strings.Join(reasons, "; ")
}

// of writes a log cost ratio as the ratio of values it came from.
func (s Series) of(cost *float64) string {
	if cost == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", ratio(s.Metric, *cost))
}

// Text writes the two runs side by side for a terminal.
func (c *Comparison) Text(w io.Writer) error {
	p := &page.Page{}
	p.Paragraph("cniperf compare: %s, then %s", c.Old.ID, c.New.ID)
	p.Paragraph("No verdict: pods, placement and the machine's day differ between two runs. cniperf history, or both versions as arms of one run, gives one.")
	var rows [][]string
	for i, d := range c.Changes {
		row := []string{d.Cell.Cell.Arm, short(d.Old), short(d.New), change(d.Metric, d.Old, d.New), "–", "–", "–"}
		if d.OldRatio != nil && d.NewRatio != nil {
			row = append(row[:4], fmt.Sprintf("%.3f", *d.OldRatio), fmt.Sprintf("%.3f", *d.NewRatio), change(d.Metric, *d.OldRatio, *d.NewRatio))
		}
		rows = append(rows, row)
		if i+1 == len(c.Changes) || c.Changes[i+1].Table != d.Table {
			p.Heading("%s, %s in %s", d.Table, d.Metric.Name, d.Metric.Unit)
			p.Table("lrrrrrr", []string{"arm", "old", "new", "change", "old × " + analysis.HostArm, "new × " + analysis.HostArm, "change"}, rows)
			rows = nil
		}
	}
	notes := []string{"what changed of the CNIs: " + orNothing(c.Subject), "what else differs: " + orNothing(c.Elsewhere)}
	if len(c.OnlyOld) > 0 {
		notes = append(notes, fmt.Sprintf("only in %s: %s", c.Old.ID, byTable(c.OnlyOld)))
	}
	if len(c.OnlyNew) > 0 {
		notes = append(notes, fmt.Sprintf("only in %s: %s", c.New.ID, byTable(c.OnlyNew)))
	}
	p.List(notes)
	return p.To(w)
}

// byTable names cells that stand in the order of their tables.
func byTable(cells []Cell) string {
	var b strings.Builder
	for i, c := range cells {
		switch {
		case i > 0 && c.Table == cells[i-1].Table:
			b.WriteString(", " + c.Cell.Arm)
		case i > 0:
			b.WriteString("; " + c.Table + ": " + c.Cell.Arm)
		default:
			b.WriteString(c.Table + ": " + c.Cell.Arm)
		}
	}
	return b.String()
}

// JSON writes the history with all its nights.
func (h *History) JSON(w io.Writer) error { return writeJSON(w, h) }

// JSON writes the two runs side by side.
func (c *Comparison) JSON(w io.Writer) error { return writeJSON(w, c) }

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// change is how the cost or the worth of a value changed: "12 % slower" where
// less is better, "12 % less" where more is.
func change(m measure.Metric, was, is float64) string {
	x := 100 * (is/was - 1)
	words := [2]string{"more", "less"}
	if m.Better == measure.LowerIsBetter {
		words = [2]string{"slower", "faster"}
	}
	switch {
	case math.Abs(x) < 0.05:
		return "same"
	case x > 0:
		return fmt.Sprintf("%.1f %% %s", x, words[0])
	}
	return fmt.Sprintf("%.1f %% %s", -x, words[1])
}

func short(x float64) string { return benchunit.Scale(x, benchunit.Decimal) }

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing that is recorded"
	}
	return strings.Join(list, "; ")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func span(runs []RunInfo) string {
	if len(runs) == 1 {
		return runs[0].ID
	}
	return runs[0].ID + " to " + runs[len(runs)-1].ID
}
