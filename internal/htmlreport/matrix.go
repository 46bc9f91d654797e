package htmlreport

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/verdict"
)

// matrixView is the run on one screen: a line for each arm, a column for each
// comparison, grouped by path.
type matrixView struct {
	Groups  []groupView
	Columns []columnView
	Rows    []matrixRow
	// Absent are the comparisons without a valid round.
	Absent []columnView
}

type groupView struct {
	Title string
	Width int
}

type columnView struct{ Title, Full, Link string }

type matrixRow struct {
	Arm   armView
	Cells []matrixCell
}

// matrixCell is an arm's ratio to the host, or its median where there is no host, and
// the worst verdict on what is claimed of it. Words are for who can't see the colour.
type matrixCell struct {
	Text, Link, Words string
	Outcome           outcomeView
	Claimed           bool
}

func (r *Report) matrix(comparisons []comparisonView) matrixView {
	var m matrixView
	shownOnce := slices.DeleteFunc(slices.Clone(comparisons), func(c comparisonView) bool { return c.Confirms || c.analysed.Metric == nil })
	for _, c := range comparisons {
		if c.analysed.Metric == nil {
			m.Absent = append(m.Absent, columnView{c.Name, c.Title, "#" + c.ID})
		}
	}
	slices.SortStableFunc(shownOnce, func(a, b comparisonView) int { return cmp.Compare(pathOrder(a), pathOrder(b)) })
	var arms []armView
	for _, c := range shownOnce {
		title := r.group(c)
		if n := len(m.Groups); n == 0 || m.Groups[n-1].Title != title {
			m.Groups = append(m.Groups, groupView{Title: title})
		}
		m.Groups[len(m.Groups)-1].Width++
		m.Columns = append(m.Columns, columnView{cmp.Or(c.Benchmark, c.Name), c.Title, "#" + c.ID})
		for _, a := range c.Arms {
			if !slices.Contains(arms, a) {
				arms = append(arms, a)
			}
		}
	}
	slices.SortFunc(arms, func(a, b armView) int { return cmp.Compare(a.Key, b.Key) })
	for _, a := range arms {
		row := matrixRow{Arm: a}
		for _, c := range shownOnce {
			row.Cells = append(row.Cells, r.matrixCell(a.Name, c))
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func (r *Report) group(c comparisonView) string {
	words := []string{c.Path, c.Placement}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), ", ")
}

func (r *Report) matrixCell(arm string, c comparisonView) matrixCell {
	say := r.texts.Say
	cell := matrixCell{Text: "–", Link: "#" + c.ID, Words: say("not measured")}
	i := slices.IndexFunc(c.analysed.Arms, func(a analysis.Arm) bool { return a.Cell.Arm == arm })
	if i >= 0 {
		a := c.analysed.Arms[i]
		cell.Text, cell.Words = shown(*c.analysed.Metric).of(a.Metrics[0].Median), say("median")
		if a.Ratio != nil {
			cell.Text, cell.Words = factor(a.Ratio.Median)+" ×", say("of %s", analysis.HostArm)
		}
	}
	var outcomes []verdict.Outcome
	for _, v := range r.verdicts {
		if v.Comparison == c.Name && v.A.Arm == arm {
			outcomes = append(outcomes, v.Outcome)
		}
	}
	if o := worst(outcomes); o != "" && i >= 0 {
		cell.Outcome, cell.Claimed = outcomeOf(o), true
		cell.Words += ", " + cell.Outcome.Word
	}
	return cell
}

// crossView holds two tools against each other.
type crossView struct{ Arm, Path, Product, Words string }

func (r *Report) crossChecks() []crossView {
	var all []crossView
	for _, c := range analysis.CrossChecks(r.analysed) {
		words := r.texts.Say("the tools agree")
		if c.Product < .8 || c.Product > 1.25 {
			words = r.texts.Say("the tools disagree: they measured different things, or the machine changed between them")
		}
		all = append(all, crossView{c.Arm, strings.Join([]string{c.Path, c.Placement}, ", "), factor(c.Product), words})
	}
	return all
}

// phaseWord names a phase where it isn't the ordinary one.
func (r *Report) phaseWord(name, phase string) string {
	switch phase {
	case journal.PhaseFirst:
		return r.texts.Say("%s, first comparison", name)
	case journal.PhaseConfirm:
		return r.texts.Say("%s, second batch", name)
	}
	return name
}
