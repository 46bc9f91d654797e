package history

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/report"
	"github.com/cniperf/cniperf/internal/verdict"
	"golang.org/x/perf/benchunit"
)

// Text writes the history for a terminal: a line for each cell, then what changed
// where one got slower, and what was left out.
func (h *History) Text(w io.Writer) error {
	p := &printer{w: w}
	p.line("cniperf history: %s, %s of profile %s, %s; each arm as a ratio to %s in the same run",
		h.Outcome(), count(len(h.Runs), "run"), h.Profile, span(h.Runs), report.HostArm)
	if len(h.Cells) > 0 {
		p.line("slower: worse than the worst of %s for %d in a row; chance that this is said of any of the %s in a night when nothing changed: at most %.2g %%",
			count(h.Rule.Window, "night"), h.Rule.InARow, count(len(h.Cells), "cell"), 100*h.FalseAlarm)
	} else {
		p.line("no whole table with a %s arm in the last run: nothing to compare", report.HostArm)
	}
	p.line("")
	table := ""
	for _, s := range h.Cells {
		if s.Table != table {
			p.row("%s, %s\tnights\tmedian\tworst\tlast\tverdict\twhy", s.Table, s.Metric.Name)
			table = s.Table
		}
		v := s.Verdict
		p.row("  %s\t%d\t%s\t%s\t%.3f\t%s\t%s", s.Cell.Cell.Arm, len(s.Nights), s.of(v.Median), s.of(v.Worst), s.Nights[len(s.Nights)-1].Ratio,
			strings.ToUpper(string(v.Outcome)), v.Explanation)
	}
	p.flush()
	for _, s := range h.Cells {
		if s.Verdict.Outcome == verdict.Fail {
			p.line("%s: since %s. What changed with it: %s", s.Cell.Cell, s.Since, orNothing(s.Changed))
		}
	}
	if len(h.Alone) > 0 {
		p.line("without a %s arm, so compared only within a run: %s", report.HostArm, strings.Join(h.Alone, ", "))
	}
	if len(h.Missing) > 0 {
		p.line("measured before, but not in the last run: %s", byTable(h.Missing))
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
		p.line("left out %s: %s", strings.Join(names, ", "), few(l.Reasons))
	}
	return p.err
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
	p := &printer{w: w}
	p.line("cniperf compare: %s, then %s", c.Old.ID, c.New.ID)
	p.line("No verdict: pods, placement and the machine's day differ between two runs. cniperf history, or both versions as arms of one run, gives one.")
	p.line("")
	table := ""
	for _, d := range c.Changes {
		if d.Table != table {
			p.row("%s, %s in %s\told\tnew\tchange\told × %s\tnew × %[4]s\tchange", d.Table, d.Metric.Name, d.Metric.Unit, report.HostArm)
			table = d.Table
		}
		if d.OldRatio == nil || d.NewRatio == nil {
			p.row("  %s\t%s\t%s\t%s\t–\t–\t–", d.Cell.Cell.Arm, short(d.Old), short(d.New), change(d.Metric, d.Old, d.New))
			continue
		}
		p.row("  %s\t%s\t%s\t%s\t%.3f\t%.3f\t%s", d.Cell.Cell.Arm, short(d.Old), short(d.New), change(d.Metric, d.Old, d.New),
			*d.OldRatio, *d.NewRatio, change(d.Metric, *d.OldRatio, *d.NewRatio))
	}
	p.flush()
	p.line("what changed of the CNIs: %s", orNothing(c.Subject))
	p.line("what else differs: %s", orNothing(c.Elsewhere))
	if len(c.OnlyOld) > 0 {
		p.line("only in %s: %s", c.Old.ID, byTable(c.OnlyOld))
	}
	if len(c.OnlyNew) > 0 {
		p.line("only in %s: %s", c.New.ID, byTable(c.OnlyNew))
	}
	return p.err
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

// printer writes lines, and rows in aligned columns between them.
type printer struct {
	w    io.Writer
	rows strings.Builder
	err  error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) row(format string, args ...any) {
	fmt.Fprintf(&p.rows, format+"\n", args...)
}

// flush aligns the rows since the last.
func (p *printer) flush() {
	if p.err != nil || p.rows.Len() == 0 {
		return
	}
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	if _, p.err = io.WriteString(t, p.rows.String()); p.err == nil {
		p.err = t.Flush()
	}
	p.rows.Reset()
	p.line("")
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
