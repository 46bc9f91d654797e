package verdict

import (
	"cmp"
	"math"
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// batch is an assertion's sequences over one batch of rounds.
type batch struct {
	main     *Sequence
	controls int
	floor    float64 // log; +Inf while unknown
	copies   []copyPair
	differs  *Reason // the A/A pair that differs
	margin   float64
	kept     int        // rounds that count in spite of too much external interference
	costs    [2]float64 // median log costs of A and B
}

// copyPair is what one A/A pair shows in one metric.
type copyPair struct {
	comparison *Comparison
	metric     string
	cell       measure.Cell
	p          float64 // exact, two-sided
	differs    *Reason // where it is shown and not too small to matter
}

func (c copyPair) same(o copyPair) bool {
	return c.comparison == o.comparison && c.metric == o.metric && c.cell == o.cell
}

// spoiled tells by which A/A pair the whole run is spoiled. A run of many
// comparisons has as many pairs, of which some differ by chance; so it takes one
// that differs still when Holm's correction over all of them is made. One that
// differs by itself alone spoils what was measured beside it, see decide.
func spoiled(copies []copyPair, alpha float64) *Reason {
	ps := make([]float64, len(copies))
	for i, c := range copies {
		ps[i] = c.p
	}
	for i, p := range Holm(ps) {
		if copies[i].differs != nil && p <= alpha {
			differs := *copies[i].differs
			differs.Code = RunCopiesDiffer
			return &differs
		}
	}
	return nil
}

// examine follows an assertion and every A/A pair of its benchmark through the
// rounds, whose pods are of so many sets. least is the smallest difference that
// may be called one, as a fraction.
func examine(a Assertion, v *Verdict, bound *Bound, rounds []measure.Round, sets int, least float64) (*batch, error) {
	b := &batch{floor: math.Log1p(least), margin: a.Margin}
	for _, control := range controls(rounds, a.Benchmark) {
		if err := b.hold(a.Metric, bound, rounds, control, sets, least); err != nil {
			return nil, err
		}
	}
	if b.controls == 0 {
		b.floor = math.Inf(1)
	}
	if a.nonInferiority() && !math.IsInf(b.floor, 1) {
		b.margin = max(b.margin, 2*math.Expm1(b.floor))
	}
	held := both(rounds, v.A, v.B, a.Metric)
	ds, err := measure.LogRatios(held, v.A, v.B, a.Metric)
	if err != nil {
		return nil, err
	}
	b.main = Follow(bound, a.theta(v.Metric.Better, b.margin), ds)
	for i, r := range held {
		if r.Disturbed && i < b.main.Rounds() {
			b.kept++
		}
	}
	for i, cell := range []measure.Cell{v.A, v.B} {
		if b.costs[i], err = medianCost(rounds, cell, a.Metric); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// hold holds a second copy against its original.
func (b *batch) hold(metric string, bound *Bound, rounds []measure.Round, control measure.Cell, sets int, least float64) error {
	original := control
	original.Control = false
	held := both(rounds, control, original, metric)
	ds, err := measure.LogRatios(held, control, original, metric)
	if err != nil || len(ds) == 0 {
		return err
	}
	b.controls++
	s := Follow(bound, 0, ds)
	b.floor = max(b.floor, s.High, -s.Low, setsFloor(ds, held, sets))
	pair := copyPair{cell: control, p: min(1, 2*bound.PValue(max(s.MaxPass, s.MaxFail)))}
	// The same rule as for any ordering: shown, and not too small to matter.
	if m := s.Median(); s.Outcome() != Inconclusive && math.Abs(m) >= math.Log1p(least) {
		pair.differs = &Reason{Code: CopiesDiffer, Cells: []measure.Cell{original}, Difference: math.Expm1(math.Abs(m))}
		b.differs = pair.differs
	}
	b.copies = append(b.copies, pair)
	return nil
}

// medianCost is the median log cost over the rounds that have the cell.
func medianCost(rounds []measure.Round, cell measure.Cell, metric string) (float64, error) {
	var costs []float64
	for _, r := range rounds {
		if x, ok := r.Values[cell].Get(metric); ok {
			c, err := measure.LogCost(x)
			if err != nil {
				return 0, err
			}
			costs = append(costs, c)
		}
	}
	return measure.Median(costs), nil
}

// setsFloor is the noise floor that pods account for which are slow for as long
// as they live: twice the largest median by which the two copies differ within
// one set of pods. The medians of several sets can't cancel, as they do in the
// interval over all rounds; twice, because what one draw of pods did to the copies
// another did to the arms. ds are the log ratios of the rounds.
func setsFloor(ds []float64, rounds []measure.Round, sets int) float64 {
	bySet := make([][]float64, max(1, sets))
	for i, r := range rounds {
		set := uint(r.Index) % uint(len(bySet)) // which is which doesn't matter
		bySet[set] = append(bySet[set], ds[i])
	}
	floor := 0.0
	for _, of := range bySet {
		if len(of) > 0 {
			floor = max(floor, 2*math.Abs(measure.Median(of)))
		}
	}
	return floor
}

// both are the rounds that hold both cells.
func both(rounds []measure.Round, a, b measure.Cell, metric string) []measure.Round {
	var held []measure.Round
	for _, r := range rounds {
		_, x := r.Values[a].Get(metric)
		_, y := r.Values[b].Get(metric)
		if x && y {
			held = append(held, r)
		}
	}
	return held
}

// controls lists the second copies of a benchmark, in the order of their names.
func controls(rounds []measure.Round, benchmark string) []measure.Cell {
	var cells []measure.Cell
	for _, r := range rounds {
		for c := range r.Values {
			if c.Control && c.Benchmark == benchmark && !slices.Contains(cells, c) {
				cells = append(cells, c)
			}
		}
	}
	slices.SortFunc(cells, func(x, y measure.Cell) int { return cmp.Compare(x.String(), y.String()) })
	return cells
}

// p is the exact p-value of the side that leads.
func (b *batch) p() float64 {
	return b.main.Bound.PValue(max(b.main.MaxPass, b.main.MaxFail))
}

// far tells that a decided ordering is also larger than the noise floor, which is
// known. A regression's margin has the floor in it already.
func (b *batch) far(a Assertion) bool {
	if math.IsInf(b.floor, 1) {
		return false
	}
	return a.nonInferiority() || math.Abs(b.main.Median()-b.main.Theta) >= b.floor
}

// disturbed tells that most rounds had too much external interference. A
// median, and so the sign test, is held by the undisturbed rounds as long as
// those are at least half; beyond, it is about another machine than is claimed.
func (b *batch) disturbed() bool { return 2*b.kept > b.main.Rounds() }
