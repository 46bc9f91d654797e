package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/page"
)

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
		rows = append(rows, []string{row.Cell.Arm, strconv.Itoa(len(s.Values)), u.format(s.Median), spread(s), ratio, published})
	}
	p.Table("lrrrrr", []string{"arm", "rounds", "median", "spread", "× " + analysis.HostArm, "published"}, rows)
	p.List(c.notes())
}

// notes say what stands behind the table and what isn't in it.
func (c Comparison) notes() []string {
	var notes []string
	if k := c.Control; k != nil {
		notes = append(notes, fmt.Sprintf("A/A control: %s against itself %.3f, rounds from %.3f to %.3f",
			k.Row.Cell.Arm, k.Ratio.Median, k.Ratio.Min, k.Ratio.Max))
	}
	for _, s := range c.Skipped {
		notes = append(notes, skipped(s))
	}
	for _, d := range c.Dropped {
		again := ""
		if d.Repeated {
			again = " and measured again"
		}
		notes = append(notes, fmt.Sprintf("round %d dropped%s: %s", d.Round, again, d.Cause))
	}
	notes = append(notes, disturbed(c.Disturbed, false, "disturbed")...)
	return append(notes, disturbed(c.Disturbed, true, "disturbed beyond the limit and counted: the profile lets no more be dropped")...)
}

// skipped says of one arm, or of the whole comparison where the cell has none, why
// it isn't there.
func skipped(s journal.Skip) string {
	if s.Cell.Arm == "" {
		return "skipped: " + s.Text()
	}
	return fmt.Sprintf("skipped: %s: %s", armOf(s.Cell), s.Text())
}

// disturbed is one line about the rounds with external interference, with the worst
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
			if i := slices.IndexFunc(row.Metrics, func(s analysis.Summary) bool { return s.Metric == m }); i >= 0 {
				text = shown(m).format(row.Metrics[i].Median)
			}
			line = append(line, text)
		}
		rows = append(rows, line)
	}
	p.Table("l"+strings.Repeat("r", len(metrics)), header, rows)
}

func spread(s analysis.Summary) string {
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
