package htmlreport

import (
	"io"
	"math"
	"slices"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/chart"
	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/measure"
)

type compareBody struct {
	Title              string
	Old, New           history.RunInfo
	Elsewhere, Subject []string
	Filter             filterView
	Tables             []pairsView
	OnlyOld, OnlyNew   []string
}

// pairsView is one table of both runs.
type pairsView struct {
	ID, Title, Path, Unit, Better string
	Arms                          []armView
	Picture                       chart.Picture
	Rows                          []pairRow
}

type pairRow struct {
	Arm                                                 armView
	Old, New, Change, OldRatio, NewRatio, RatioChange   string
	RawOld, RawNew, RawChange, RawOldRatio, RawNewRatio float64
	RawRatioChange                                      float64
}

// Compare writes the page of two runs side by side. home is where a server shows its
// runs, else empty.
func Compare(w io.Writer, c *history.Comparison, texts Texts, home string) error {
	b := compareBody{
		Title: texts.Say("cniperf compare: %s, then %s", c.Old.ID, c.New.ID), Old: c.Old, New: c.New, Elsewhere: c.Elsewhere, Subject: c.Subject,
	}
	arms, ids := &palette{}, map[string]bool{}
	for rest := c.Changes; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(p history.Pair) bool { return p.Table != rest[0].Table })
		if n < 0 {
			n = len(rest)
		}
		b.Tables = append(b.Tables, pairsOf(texts, arms, rest[:n], ids))
		rest = rest[n:]
	}
	for _, t := range b.Tables {
		for _, a := range t.Arms {
			if !slices.Contains(b.Filter.Arms, a) {
				b.Filter.Arms = append(b.Filter.Arms, a)
			}
		}
		if !slices.Contains(b.Filter.Paths, t.Path) {
			b.Filter.Paths = append(b.Filter.Paths, t.Path)
		}
	}
	slices.SortFunc(b.Filter.Arms, func(x, y armView) int { return x.Key - y.Key })
	b.OnlyOld, b.OnlyNew = names(c.OnlyOld), names(c.OnlyNew)
	return write(w, texts, "compare.html", b.Title, home, b)
}

func names(cells []history.Cell) []string {
	var all []string
	for _, c := range cells {
		all = append(all, c.Table+": "+c.Cell.Arm)
	}
	return all
}

func pairsOf(texts Texts, arms *palette, pairs []history.Pair, ids map[string]bool) pairsView {
	first := pairs[0]
	q, say := shown(first.Metric), texts.Say
	v := pairsView{
		ID: unique(ids, "t-"+slug(first.Table)), Title: say("%s, %s", first.Table, first.Metric.Name), Unit: q.unit, Better: better(texts, first.Metric),
	}
	var all []float64
	var rows []chart.Row
	var best, worst *history.Pair
	for i, p := range pairs {
		arm := arms.view(p.Cell.Cell.Arm)
		v.Arms = append(v.Arms, arm)
		if p.Cell.Cell.Arm != analysis.HostArm || v.Path == "" {
			v.Path = p.Cell.Cell.Path
		}
		v.Rows = append(v.Rows, pairRowOf(texts, q, arm, p))
		old, now := p.Old*q.factor, p.New*q.factor
		all = append(all, old, now)
		rows = append(rows, chart.Row{
			Name: arm.Name, Class: arm.Class, Shape: arm.Shape, Low: &old, High: &now,
			Points: []chart.Dot{{Value: old, Tip: say("before: %s", q.of(p.Old)), Faint: true}, {Value: now, Tip: say("after: %s", q.of(p.New))}},
			Figure: say("%s, then %s", q.of(p.Old), q.of(p.New)),
		})
		if change := gained(p); !math.IsNaN(change) {
			if best == nil || change > gained(*best) {
				best = &pairs[i]
			}
			if worst == nil || change < gained(*worst) {
				worst = &pairs[i]
			}
		}
	}
	finding := say("%s, %s is better, before and after, without a verdict.", first.Metric.Name, string(first.Metric.Better))
	if best != nil {
		finding += say(" The largest gain is %s: %s; the largest loss %s: %s.", best.Cell.Cell.Arm, changed(texts, best.Metric, best.Old, best.New),
			worst.Cell.Cell.Arm, changed(texts, worst.Metric, worst.Old, worst.New))
	}
	v.Picture = chart.Rows(v.ID+"-picture", finding, rows, chart.Axis{Scale: chart.Around(all...), Title: say("%s in %s, %s", first.Metric.Name, q.unit, v.Better)})
	return v
}

// gained is by what fraction the new run is better.
func gained(p history.Pair) float64 {
	cost := p.New / p.Old
	if p.Metric.Better == measure.HigherIsBetter {
		cost = p.Old / p.New
	}
	return 1 - cost
}

func pairRowOf(texts Texts, q quantity, arm armView, p history.Pair) pairRow {
	r := pairRow{
		Arm: arm, Old: q.number(p.Old), New: q.number(p.New), Change: changed(texts, p.Metric, p.Old, p.New), OldRatio: "–", NewRatio: "–", RatioChange: "–",
		RawOld: p.Old, RawNew: p.New, RawChange: p.New/p.Old - 1,
	}
	if p.OldRatio != nil && p.NewRatio != nil {
		r.OldRatio, r.NewRatio, r.RatioChange = ratioText(*p.OldRatio), ratioText(*p.NewRatio), changed(texts, p.Metric, *p.OldRatio, *p.NewRatio)
		r.RawOldRatio, r.RawNewRatio, r.RawRatioChange = *p.OldRatio, *p.NewRatio, *p.NewRatio / *p.OldRatio - 1
	}
	return r
}

// changed is how a value changed: "12 % slower" where less is better, "12 % less"
// where more is.
func changed(texts Texts, m measure.Metric, was, is float64) string {
	x := is/was - 1
	words := [2]string{"%s more", "%s less"}
	if m.Better == measure.LowerIsBetter {
		words = [2]string{"%s slower", "%s faster"}
	}
	switch {
	case math.Abs(x) < .0005:
		return texts.Say("same")
	case x > 0:
		return texts.Say(words[0], percent(x))
	}
	return texts.Say(words[1], percent(-x))
}
