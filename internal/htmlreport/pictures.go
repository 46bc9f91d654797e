package htmlreport

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/chart"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/verdict"
)

// roundsPicture shows every round's value of each arm and their median.
func (r *Report) roundsPicture(v comparisonView, about []verdict.Verdict) chart.Picture {
	c := v.analysed
	q := shown(*c.Metric)
	var rows []chart.Row
	var all []float64
	arms := c.Arms
	if c.Control != nil {
		arms = append(slices.Clone(arms), c.Control.Arm)
	}
	for _, arm := range arms {
		row := r.roundsRow(c, arm, q)
		for _, d := range row.Points {
			all = append(all, d.Value)
		}
		rows = append(rows, row)
	}
	title := strings.TrimSuffix(r.texts.Say("%s in %s, %s", c.Metric.Name, q.unit, v.Better), " ")
	if q.unit == "" {
		title = r.texts.Say("%s, %s", c.Metric.Name, v.Better)
	}
	if every := everyRound(c); every > 1 {
		title += r.texts.Say("; one round in %d is drawn", every)
	}
	return chart.Rows(v.ID+"-rounds", r.finding(v, about), rows, chart.Axis{Scale: chart.Around(all...), Title: title})
}

// pointsDrawn is how many rounds of an arm a picture draws: no run so far had a tenth of
// them, and more are not to be told apart.
const pointsDrawn = 500

// everyRound is in which steps rounds are drawn: 1 is each.
func everyRound(c analysis.Comparison) int { return 1 + (len(c.Valid)-1)/pointsDrawn }

// roundsRow is one arm of it. Values are in the unit that is shown.
func (r *Report) roundsRow(c analysis.Comparison, arm analysis.Arm, q quantity) chart.Row {
	s := arm.Metrics[0]
	median := s.Median * q.factor
	row := chart.Row{
		Name: arm.Cell.Arm, Class: r.palette.class(arm.Cell.Arm), Shape: r.palette.shape(arm.Cell.Arm), Median: &median,
		Figure: q.of(s.Median),
	}
	if arm.Cell.Control {
		row.Name = r.texts.Say("%s, second copy", arm.Cell.Arm)
	} else if arm.Ratio != nil && arm.Cell.Arm != analysis.HostArm {
		row.Figure += fmt.Sprintf(" · %s × %s", factor(arm.Ratio.Median), analysis.HostArm)
	}
	marked := map[int]bool{}
	for _, d := range c.Disturbed {
		marked[d.Round] = true
	}
	every := everyRound(c)
	for n, round := range c.Valid {
		if n%every != 0 {
			continue
		}
		if value, ok := round.Values[arm.Cell].Get(c.Metric.Name); ok {
			tip := r.texts.Say("%s, round %d: %s", row.Name, round.Index, q.of(value.Value))
			if marked[round.Index] {
				tip = r.texts.Say("%s, disturbed", tip)
			}
			row.Points = append(row.Points, chart.Dot{Value: value.Value * q.factor, Tip: tip, Faint: marked[round.Index]})
		}
	}
	return row
}

// finding is what the picture of a comparison says, in words.
func (r *Report) finding(v comparisonView, about []verdict.Verdict) string {
	c, say := v.analysed, r.texts.Say
	q := shown(*c.Metric)
	first, last := c.Arms[0], c.Arms[len(c.Arms)-1]
	text := say("%s, %s is better. %s has the best median, %s over %s", c.Metric.Name, string(c.Metric.Better),
		first.Cell.Arm, q.of(first.Metrics[0].Median), plural(len(first.Metrics[0].Values), "round", "rounds"))
	switch {
	case len(c.Arms) == 1:
		text = say("%s, %s is better. Only %s was measured: %s over %s", c.Metric.Name, string(c.Metric.Better),
			first.Cell.Arm, q.of(first.Metrics[0].Median), plural(len(first.Metrics[0].Values), "round", "rounds"))
	default:
		text += say("; %s the worst, %s", last.Cell.Arm, q.of(last.Metrics[0].Median))
	}
	text += "."
	for _, x := range about {
		if x.Outcome != verdict.Skipped {
			text += " " + outcomeOf(x.Outcome).Word + ": " + x.Explanation + "."
		}
	}
	return text
}

// differencesPicture shows the interval of each asserted difference beside zero and
// the margin that was claimed; nil where no claim has any evidence.
func (r *Report) differencesPicture(v comparisonView, about []verdict.Verdict) *chart.Picture {
	about = slices.DeleteFunc(slices.Clone(about), func(x verdict.Verdict) bool { return x.Evidence == nil || x.Evidence.MedianRatio == nil })
	if len(about) == 0 {
		return nil
	}
	say := r.texts.Say
	marks, all := []float64{0}, []float64{0}
	var rows []chart.Row
	for _, x := range about {
		e := x.Evidence
		mark := outcomeOf(x.Outcome)
		median := 100 * gain(x.Metric, *e.MedianRatio)
		all = append(all, median)
		row := chart.Row{
			Name: mark.Sign + " " + sides(say, x), Class: "is-" + mark.Class, Shape: r.palette.shape(x.A.Arm), Median: &median,
			Figure: say("%s, no interval yet", percent(median/100)),
		}
		if e.Low != nil && e.High != nil {
			low, high := 100*gain(x.Metric, *e.High), 100*gain(x.Metric, *e.Low)
			if !math.IsInf(low, 0) && !math.IsInf(high, 0) {
				row.Low, row.High = &low, &high
				row.Figure = say("%s to %s", strings.TrimSuffix(percent(low/100), " %"), percent(high/100))
				all = append(all, low, high)
			}
		}
		if e.Theta != 0 {
			claimed := 100 * gain(x.Metric, math.Exp(e.Theta))
			if all = append(all, claimed); !slices.Contains(marks, claimed) {
				marks = append(marks, claimed)
			}
		}
		rows = append(rows, row)
	}
	var found []string
	for _, x := range about {
		found = append(found, x.Explanation+".")
	}
	p := chart.Rows(v.ID+"-claims", strings.Join(found, " "), rows, chart.Axis{
		Scale: chart.Around(all...), Marks: marks, Suffix: " %",
		Title: say("by how much the first arm is better, with its interval; right of the line is better →"),
	})
	return &p
}

// sides names the two arms of a claim, with what sets them apart.
func sides(say func(string, ...any) string, v verdict.Verdict) string {
	a, b := v.A.Arm, v.B.Arm
	if v.A.Path != v.B.Path && a == b {
		a, b = a+" "+v.A.Path, b+" "+v.B.Path
	}
	return say("%s vs %s", a, b)
}

// summaryView is one of the two pictures that the page has on top: panels with a bar
// for each arm.
type summaryView struct {
	ID, Title, Better string
	Panels            []panelView
}

type panelView struct {
	Title, Link string
	Picture     chart.Picture
}

// summaries are latency, and what is done per second, each by path.
func (r *Report) summaries(comparisons []comparisonView) []summaryView {
	say := r.texts.Say
	all := []summaryView{
		{ID: "latency", Title: say("Latency"), Better: say("lower is better")},
		{ID: "rates", Title: say("Throughput, transactions and requests"), Better: say("higher is better")},
	}
	sorted := slices.Clone(comparisons)
	slices.SortStableFunc(sorted, func(a, b comparisonView) int { return cmp.Compare(pathOrder(a), pathOrder(b)) })
	for _, c := range sorted {
		if c.analysed.Metric == nil || c.Confirms {
			continue
		}
		i := 0
		if c.analysed.Metric.Better == measure.HigherIsBetter {
			i = 1
		}
		all[i].Panels = append(all[i].Panels, r.panel(c))
	}
	return slices.DeleteFunc(all, func(s summaryView) bool { return len(s.Panels) == 0 })
}

func (r *Report) panel(c comparisonView) panelView {
	q := shown(*c.analysed.Metric)
	arms := slices.Clone(c.analysed.Arms)
	slices.SortFunc(arms, func(a, b analysis.Arm) int {
		return cmp.Compare(r.palette.place(a.Cell.Arm), r.palette.place(b.Cell.Arm))
	})
	var rows []chart.Row
	for _, arm := range arms {
		m := arm.Metrics[0].Median
		rows = append(rows, chart.Row{
			Name: arm.Cell.Arm, Class: r.palette.class(arm.Cell.Arm), Shape: r.palette.shape(arm.Cell.Arm), Median: &m, Figure: q.of(m),
		})
	}
	return panelView{
		Title: c.Title, Link: "#" + c.ID,
		Picture: chart.Bars(c.ID+"-bar", r.finding(c, nil), rows, chart.Axis{Title: c.Better}),
	}
}

// pathOrder puts Pod IP before ClusterIP, and both before what is within a node.
func pathOrder(c comparisonView) int {
	i := slices.Index([]string{measure.PodIP, measure.ClusterIP}, c.Path)
	if i < 0 {
		i = 2
	}
	if c.Placement == measure.SameNode {
		i += 3
	}
	return i
}
