package verdict

import (
	"fmt"
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// Judge gives every assertion its verdict, in the file's order. where is the
// provider of the lab. An assertion whose cells are not there, or that doesn't
// apply, is Skipped with its reason. Values that can't be compared (zero, not
// finite, another unit) are an error.
func Judge(t Thresholds, where string, comparisons ...Comparison) ([]Verdict, error) {
	bounds := map[boundKey]*Bound{}
	verdicts := make([]Verdict, len(t.Assertions))
	cases := make([]*judged, len(t.Assertions))
	var copies []copyPair
	for i, a := range t.Assertions {
		v := &verdicts[i]
		*v = claim(a)
		comparison, why := find(a, v, where, comparisons)
		if why != nil {
			v.Outcome, v.Why, v.Final = Skipped, why, true
			v.Elsewhere = why.Code == Elsewhere
			continue
		}
		c, err := open(a, v, bounds, comparison, t.least())
		if err != nil {
			return nil, err
		}
		cases[i] = c
		for _, p := range c.first.copies {
			p.comparison, p.metric = comparison, a.Metric
			if !slices.ContainsFunc(copies, p.same) {
				copies = append(copies, p)
			}
		}
	}
	holm(cases)
	differs := spoiled(copies, t.FamilyAlpha)
	for i, c := range cases {
		if c != nil {
			c.decide(&verdicts[i], t.FamilyAlpha, differs)
		}
		verdicts[i].Explanation = Explain(verdicts[i])
	}
	return verdicts, nil
}

// claim is an assertion's verdict before there is one.
func claim(a Assertion) Verdict {
	v := Verdict{
		Name: a.Name, Sentence: a.Sentence, Source: a.Source, Published: a.Published, Role: a.Role,
		NonInferiority: a.nonInferiority(),
	}
	v.A, v.B = a.Cells()
	v.Metric, _ = measure.MetricNamed(a.Metric)
	return v
}

type boundKey struct {
	alpha     float64
	maxRounds int
}

// open looks at both batches of an assertion.
func open(a Assertion, v *Verdict, bounds map[boundKey]*Bound, comparison *Comparison, least float64) (*judged, error) {
	key := boundKey{a.Alpha, a.MaxRounds}
	if bounds[key] == nil {
		b, err := NewBound(a.Alpha, a.MaxRounds)
		if err != nil {
			return nil, fmt.Errorf("assertion %s: %w", a.Name, err)
		}
		bounds[key] = b
	}
	first, err := examine(a, v, bounds[key], comparison.Rounds, comparison.PodSets, least)
	if err != nil {
		return nil, fmt.Errorf("assertion %s: %w", a.Name, err)
	}
	second, err := examine(a, v, bounds[key], comparison.Confirming, comparison.PodSets, least)
	if err != nil {
		return nil, fmt.Errorf("assertion %s, confirming batch: %w", a.Name, err)
	}
	return &judged{assertion: a, comparison: comparison, first: first, second: second}, nil
}

// find is the comparison that holds both cells of an assertion, or the reason
// why it isn't judged. It notes whose the assertion is.
func find(a Assertion, v *Verdict, where string, comparisons []Comparison) (*Comparison, *Reason) {
	if !a.applies(where) {
		return nil, &Reason{Code: Elsewhere, AppliesTo: a.AppliesTo, Provider: where}
	}
	var seen [2]bool
	for i, c := range comparisons {
		held := [2]bool{slices.Contains(c.Cells, v.A), slices.Contains(c.Cells, v.B)}
		for _, r := range c.Rounds {
			_, x := r.Values[v.A].Get(a.Metric)
			_, y := r.Values[v.B].Get(a.Metric)
			if x && y {
				v.Comparison = c.Name
				return &comparisons[i], nil
			}
			held[0], held[1] = held[0] || x, held[1] || y
			seen[0], seen[1] = seen[0] || x, seen[1] || y
		}
		if held[0] && held[1] && v.Comparison == "" {
			v.Comparison = c.Name
		}
	}
	switch {
	case seen[0] && seen[1]:
		return nil, &Reason{Code: NeverTogether, Cells: []measure.Cell{v.A, v.B}}
	case seen[0]:
		return nil, &Reason{Code: NotMeasured, Cells: []measure.Cell{v.B}}
	case seen[1]:
		return nil, &Reason{Code: NotMeasured, Cells: []measure.Cell{v.A}}
	}
	return nil, &Reason{Code: NotMeasured, Cells: []measure.Cell{v.A, v.B}}
}

// holm adjusts the p-values of each family.
func holm(cases []*judged) {
	families := map[string][]*judged{}
	for _, c := range cases {
		if c != nil {
			families[c.assertion.family()] = append(families[c.assertion.family()], c)
		}
	}
	for _, family := range families {
		ps := make([]float64, len(family))
		for i, c := range family {
			ps[i] = c.first.p()
		}
		for i, p := range Holm(ps) {
			family[i].pHolm, family[i].family = p, len(family)
		}
	}
}
