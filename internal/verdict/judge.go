package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
	"gonum.org/v1/gonum/mathext"
)

// Outcome is a verdict's word.
type Outcome string

const (
	Pass         Outcome = "pass"
	Fail         Outcome = "fail"
	Inconclusive Outcome = "inconclusive"
	Skipped      Outcome = "skipped" // not judged at all, with the reason
)

// Exit codes of a gate.
const (
	ExitPass           = 0
	ExitFail           = 1
	ExitInconclusive   = 2
	ExitInfrastructure = 3
)

const (
	// minFloor is the least difference that is ever called one, where the
	// thresholds don't say more: copies of one pod differ by that much from one
	// start to the next.
	minFloor = 0.02
	// ceilingShare is how near to a shared ceiling an arm counts as held by it.
	ceilingShare = 0.03
	// toolLimit is the share of a core in percent at which a tool's own event
	// loop is the limit.
	toolLimit = 90
	// dropAlpha is the chance at which equal arms lose rounds so unequally.
	dropAlpha = 0.05
)

// Comparison is a set of rounds measured together.
type Comparison struct {
	Rounds     []measure.Round
	Confirming []measure.Round // a second batch on fresh pods; none until it was asked for
	// PodSets is how many pairs of pods of every cell take turns: round i has the
	// pair (i−1) mod PodSets. Zero is taken as one.
	PodSets int

	// Dropped counts, per cell, the rounds dropped because of that cell.
	Dropped map[measure.Cell]int
	// Ceilings are shared limits by metric name, in its unit: the link's rate.
	Ceilings map[string]float64
	// Limited names cells whose tool, not the datapath, was the limit, and why.
	Limited map[measure.Cell]string
}

// Verdict is an assertion's outcome with all it rests on.
type Verdict struct {
	Name              string         `json:"name"`
	Sentence          string         `json:"sentence"`
	Source            string         `json:"source"`
	Published         *Published     `json:"published,omitempty"`
	Role              Role           `json:"role"`
	Outcome           Outcome        `json:"outcome"`
	Reason            string         `json:"reason,omitempty"` // why inconclusive or skipped
	Explanation       string         `json:"explanation"`      // one sentence for a tired person
	NeedsConfirmation bool           `json:"needsConfirmation,omitempty"`
	Elsewhere         bool           `json:"elsewhere,omitempty"` // skipped because it applies to other labs
	Final             bool           `json:"final"`               // no further round can change it
	A                 measure.Cell   `json:"a"`                   // claimed better
	B                 measure.Cell   `json:"b"`
	Metric            measure.Metric `json:"metric"`
	Evidence          *Evidence      `json:"evidence,omitempty"`
	Confirmation      *Evidence      `json:"confirmation,omitempty"`
}

// Evidence is what one batch of rounds shows. Ratios are of costs, A to B:
// below one is better for A whatever the metric. What isn't there yet is absent.
type Evidence struct {
	Rounds      int      `json:"rounds"` // counted
	Ties        int      `json:"ties"`
	N           int      `json:"n"`    // rounds that favour a side
	Wins        int      `json:"wins"` // of these, below Theta
	EPass       float64  `json:"ePass"`
	EFail       float64  `json:"eFail"` // the largest so far, both
	Bound       float64  `json:"bound"` // decides when reached
	P           float64  `json:"p"`     // exact, of the side that leads
	PHolm       float64  `json:"pHolm"` // the same, adjusted for the family
	Alpha       float64  `json:"alpha"`
	MaxRounds   int      `json:"maxRounds"`
	Margin      float64  `json:"margin"` // as used: a regression's is never under twice the floor
	Theta       float64  `json:"theta"`  // log cost ratio of the margin
	MedianRatio *float64 `json:"medianRatio,omitempty"`
	Low         *float64 `json:"low,omitempty"`
	High        *float64 `json:"high,omitempty"`
	Confidence  float64  `json:"confidence"` // of low to high
	NoiseFloor  *float64 `json:"noiseFloor,omitempty"`
	Detectable  *float64 `json:"detectable,omitempty"` // smallest relative effect such a batch decides in 4 of 5 cases
	DroppedA    int      `json:"droppedA"`
	DroppedB    int      `json:"droppedB"`
}

// Judge gives every assertion its verdict, in the file's order. where is the
// provider of the lab. An assertion whose cells are not there, or that doesn't
// apply, is Skipped with its reason. Values that can't be compared (zero, not
// finite, another unit) are an error.
func Judge(t Thresholds, where string, comparisons ...Comparison) ([]Verdict, error) {
	bounds := map[[2]float64]*Bound{}
	verdicts := make([]Verdict, len(t.Assertions))
	cases := make([]*judged, len(t.Assertions))
	var copies []copyPair
	for i, a := range t.Assertions {
		v := &verdicts[i]
		*v = Verdict{Name: a.Name, Sentence: a.Sentence, Source: a.Source, Published: a.Published, Role: a.Role}
		v.A, v.B = a.Cells()
		v.Metric, _ = measure.MetricNamed(a.Metric)
		comparison, reason := find(a, v, where, comparisons)
		if reason != "" {
			v.Outcome, v.Reason, v.Final = Skipped, reason, true
			v.Elsewhere = !a.applies(where)
			v.Explanation = fmt.Sprintf("%s: not judged, %s", pair(*v), reason)
			continue
		}
		key := [2]float64{a.Alpha, float64(a.MaxRounds)}
		if bounds[key] == nil {
			b, err := NewBound(a.Alpha, a.MaxRounds)
			if err != nil {
				return nil, fmt.Errorf("assertion %s: %w", a.Name, err)
			}
			bounds[key] = b
		}
		first, err := examine(a, v, bounds[key], comparison.Rounds, comparison.PodSets, t.least())
		if err != nil {
			return nil, fmt.Errorf("assertion %s: %w", a.Name, err)
		}
		second, err := examine(a, v, bounds[key], comparison.Confirming, comparison.PodSets, t.least())
		if err != nil {
			return nil, fmt.Errorf("assertion %s, confirming batch: %w", a.Name, err)
		}
		cases[i] = &judged{assertion: a, comparison: comparison, first: first, second: second}
		for _, p := range first.copies {
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
			verdicts[i].Explanation = explain(verdicts[i], c)
		}
	}
	return verdicts, nil
}

// find is the comparison that holds both cells of an assertion, or the reason
// why it isn't judged.
func find(a Assertion, v *Verdict, where string, comparisons []Comparison) (*Comparison, string) {
	if !a.applies(where) {
		return nil, fmt.Sprintf("it applies to %v, this lab is %q", a.AppliesTo, where)
	}
	var seen [2]bool
	for i, c := range comparisons {
		for _, r := range c.Rounds {
			_, x := r.Values[v.A].Get(a.Metric)
			_, y := r.Values[v.B].Get(a.Metric)
			if x && y {
				return &comparisons[i], ""
			}
			seen[0], seen[1] = seen[0] || x, seen[1] || y
		}
	}
	switch {
	case seen[0] && seen[1]:
		return nil, fmt.Sprintf("%s and %s were never measured in the same round", v.A, v.B)
	case seen[0]:
		return nil, fmt.Sprintf("no %s was measured for %s", a.Metric, v.B)
	case seen[1]:
		return nil, fmt.Sprintf("no %s was measured for %s", a.Metric, v.A)
	}
	return nil, fmt.Sprintf("no %s was measured for %s nor for %s", a.Metric, v.A, v.B)
}

type judged struct {
	assertion     Assertion
	comparison    *Comparison
	first, second *batch
	pHolm         float64
}

// batch is an assertion's sequences over one batch of rounds.
type batch struct {
	main     *Sequence
	controls int
	floor    float64 // log; +Inf while unknown
	copies   []copyPair
	differs  string // which A/A pair differs, and by how much
	margin   float64
	kept     int        // rounds that count although others disturbed them too much
	costs    [2]float64 // median log costs of A and B
}

// copyPair is what one A/A pair shows in one metric.
type copyPair struct {
	comparison *Comparison
	metric     string
	cell       measure.Cell
	p          float64 // exact, two-sided
	differs    string  // how, where it is shown and not too small to matter
}

func (c copyPair) same(o copyPair) bool {
	return c.comparison == o.comparison && c.metric == o.metric && c.cell == o.cell
}

// spoiled tells by which A/A pair the whole run is spoiled. A run of many
// comparisons has as many pairs, of which some differ by chance; so it takes one
// that differs still when Holm's correction over all of them is made. One that
// differs by itself alone spoils what was measured beside it, see decide.
func spoiled(copies []copyPair, alpha float64) string {
	ps := make([]float64, len(copies))
	for i, c := range copies {
		ps[i] = c.p
	}
	for i, p := range Holm(ps) {
		if copies[i].differs != "" && p <= alpha {
			return copies[i].differs
		}
	}
	return ""
}

// examine follows an assertion and every A/A pair of its benchmark through the
// rounds, whose pods are of so many sets. least is the smallest difference that
// may be called one, as a fraction.
func examine(a Assertion, v *Verdict, bound *Bound, rounds []measure.Round, sets int, least float64) (*batch, error) {
	b := &batch{floor: math.Log1p(least), margin: a.Margin}
	for _, control := range controls(rounds, a.Benchmark) {
		original := control
		original.Control = false
		held := both(rounds, control, original, a.Metric)
		ds, err := measure.LogRatios(held, control, original, a.Metric)
		if err != nil {
			return nil, err
		}
		if len(ds) == 0 {
			continue
		}
		b.controls++
		s := Follow(bound, 0, ds)
		b.floor = max(b.floor, s.High, -s.Low, setsFloor(ds, held, sets))
		pair := copyPair{cell: control, p: min(1, 2*bound.PValue(max(s.MaxPass, s.MaxFail)))}
		// The same rule as for any ordering: shown, and not too small to matter.
		if m := s.Median(); s.Outcome() != Inconclusive && math.Abs(m) >= math.Log1p(least) {
			pair.differs = fmt.Sprintf("two copies of %s differ by %s", original, percent(math.Expm1(math.Abs(m))))
			b.differs = pair.differs
		}
		b.copies = append(b.copies, pair)
	}
	if b.controls == 0 {
		b.floor = math.Inf(1)
	}
	if a.nonInferiority() && !math.IsInf(b.floor, 1) {
		b.margin = max(b.margin, 2*math.Expm1(b.floor))
	}
	ds, err := logRatios(rounds, v.A, v.B, a.Metric)
	if err != nil {
		return nil, err
	}
	b.main = Follow(bound, a.theta(v.Metric.Better, b.margin), ds)
	for i, r := range both(rounds, v.A, v.B, a.Metric) {
		if r.Disturbed && i < b.main.Rounds() {
			b.kept++
		}
	}
	for i, cell := range []measure.Cell{v.A, v.B} {
		var costs []float64
		for _, r := range rounds {
			if x, ok := r.Values[cell].Get(a.Metric); ok {
				c, err := measure.LogCost(x)
				if err != nil {
					return nil, err
				}
				costs = append(costs, c)
			}
		}
		b.costs[i] = measure.Median(costs)
	}
	return b, nil
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

// logRatios takes the rounds that hold both cells.
func logRatios(rounds []measure.Round, a, b measure.Cell, metric string) ([]float64, error) {
	return measure.LogRatios(both(rounds, a, b, metric), a, b, metric)
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
	slices.SortFunc(cells, func(x, y measure.Cell) int {
		if x.String() < y.String() {
			return -1
		}
		return 1
	})
	return cells
}

// p is the exact p-value of the side that leads.
func (b *batch) p() float64 {
	return b.main.Bound.PValue(max(b.main.MaxPass, b.main.MaxFail))
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
			family[i].pHolm = p
		}
	}
}

// far tells that a decided ordering is also larger than the noise floor. A
// regression's margin has the floor in it already.
func (b *batch) far(a Assertion) bool {
	return a.nonInferiority() || math.Abs(b.main.Median()-b.main.Theta) >= b.floor
}

// disturbed tells that most rounds are ones that others disturbed too much. A
// median, and so the sign test, is held by the undisturbed rounds as long as
// those are at least half; beyond, it is about another machine than is claimed.
func (b *batch) disturbed() bool { return 2*b.kept > b.main.Rounds() }

// decide applies the rules, in the order of what they say about the run: what
// spoils the comparison first, the sign test last.
func (c *judged) decide(v *Verdict, familyAlpha float64, differs string) {
	a, b, s := c.assertion, c.first, c.first.main
	v.Evidence = c.evidence(v, b)
	v.Evidence.PHolm = c.pHolm
	first, _ := s.Bound.First()
	ended := s.Rounds() >= s.Bound.MaxRounds
	inconclusive := func(final bool, format string, args ...any) {
		v.Outcome, v.Final, v.Reason = Inconclusive, final, fmt.Sprintf(format, args...)
	}
	switch outcome := s.Outcome(); {
	case b.differs != "":
		inconclusive(true, "%s in these very rounds, so they can't tell arms apart", b.differs)
	case differs != "":
		inconclusive(true, "%s in this very run, so it can't tell arms apart", differs)
	case b.disturbed():
		inconclusive(ended, "others disturbed %d of its %d rounds beyond the limit fixed beforehand, so it is the busy machine that was measured", b.kept, s.Rounds())
	case b.controls == 0:
		inconclusive(ended, "without a second copy of an arm there is no telling noise from effect")
	case s.Contradicts():
		inconclusive(true, "the rounds said first the one, then the other: something drifts")
	case c.limited(v) != "":
		inconclusive(s.Rounds() >= first, "%s", c.limited(v))
	case c.saturated(v):
		inconclusive(s.Rounds() >= first, "tie: saturated, both are within %s of the shared limit of %s",
			percent(ceilingShare), quantity(v.Metric, c.comparison.Ceilings[a.Metric]))
	case unequalDrops(v.Evidence.DroppedA, v.Evidence.DroppedB):
		inconclusive(ended, "%d rounds were lost through %s and %d through %s: the rest may be a chosen few",
			v.Evidence.DroppedA, v.A.Arm, v.Evidence.DroppedB, v.B.Arm)
	case outcome == Inconclusive:
		inconclusive(ended, "undecided after %d of at most %d rounds", s.Rounds(), s.Bound.MaxRounds)
	case !b.far(a):
		inconclusive(ended, "the difference is below this run's noise of %s", percent(math.Expm1(b.floor)))
	case c.pHolm > familyAlpha:
		inconclusive(ended, "clear by itself, but not yet among so many assertions")
	case outcome == Pass:
		v.Outcome, v.Final = Pass, true
	default:
		c.confirm(v, inconclusive)
	}
}

// confirm turns a first batch that fails into Fail only when the second, on
// fresh pods, fails as well.
func (c *judged) confirm(v *Verdict, inconclusive func(bool, string, ...any)) {
	b, s := c.second, c.second.main
	if s.Rounds() > 0 {
		v.Confirmation = c.evidence(v, b)
		// A failure is confirmed as one hypothesis, so Holm has nothing to add.
		v.Confirmation.PHolm = v.Confirmation.P
	}
	switch {
	case b.differs != "":
		inconclusive(true, "the first batch failed, but in the second %s", b.differs)
	case b.disturbed() && s.Outcome() != Inconclusive:
		inconclusive(true, "the first batch failed, but others disturbed %d of the second's %d rounds", b.kept, s.Rounds())
	case s.Outcome() == Fail && b.controls > 0 && b.far(c.assertion):
		v.Outcome, v.Final = Fail, true
	case s.Outcome() == Pass || s.Contradicts() || s.Rounds() >= s.Bound.MaxRounds:
		inconclusive(true, "the first batch failed, the second on fresh pods doesn't confirm it")
	default:
		inconclusive(false, "the first batch failed; a second on fresh pods has to confirm it")
		v.NeedsConfirmation = true
	}
}

func (c *judged) limited(v *Verdict) string {
	for _, cell := range []measure.Cell{v.A, v.B} {
		if why := c.comparison.Limited[cell]; why != "" {
			return fmt.Sprintf("%s was held by its tool: %s", cell, why)
		}
		if share := toolShare(c.comparison.Rounds, cell); share >= toolLimit {
			return fmt.Sprintf("%s was held by its tool, whose one event loop took %.0f %% of a core", cell, share)
		}
	}
	return ""
}

// toolShare is the median share of a core, in percent, that a request tool took
// for itself; 0 where that was not measured. Streams and transactions have no
// event loop of the tool's in their way.
func toolShare(rounds []measure.Round, cell measure.Cell) float64 {
	var shares []float64
	for _, r := range rounds {
		_, requests := r.Values[cell].Get(measure.Requests.Name)
		if v, ok := r.Values[cell].Get(measure.ToolCPU.Name); ok && requests {
			shares = append(shares, v.Value)
		}
	}
	if len(shares) == 0 {
		return 0
	}
	return measure.Median(shares)
}

// saturated tells that both arms are within 3 % of a shared ceiling.
func (c *judged) saturated(v *Verdict) bool {
	ceiling, ok := c.comparison.Ceilings[v.Metric.Name]
	if !ok || v.Metric.Better != measure.HigherIsBetter {
		return false
	}
	for _, cost := range c.first.costs {
		if math.Exp(-cost) < ceiling*(1-ceilingShare) {
			return false
		}
	}
	return true
}

// unequalDrops tells that one arm lost more rounds than the other by more than
// chance: were both as likely to spoil a round, so lopsided a split would have
// at most the probability dropAlpha.
func unequalDrops(a, b int) bool {
	if a == b {
		return false
	}
	// P(X ≥ k) = I_½(k, n−k+1) for X binomial(n, ½).
	return mathext.RegIncBeta(float64(max(a, b)), float64(min(a, b)+1), 0.5) <= dropAlpha
}

func (c *judged) evidence(v *Verdict, b *batch) *Evidence {
	s := b.main
	detectable := s.Detectable()
	if !c.assertion.nonInferiority() && s.Rounds() > 0 {
		// An ordering must also clear the floor by its median, so as often.
		low, high := measure.Interval(s.sorted, 0.6)
		detectable = max(detectable, b.floor+max(high-s.Median(), s.Median()-low))
	}
	return &Evidence{
		Rounds: s.Rounds(), Ties: s.Ties, N: s.N(), Wins: s.Wins,
		EPass: s.MaxPass, EFail: s.MaxFail, Bound: s.Bound.C, P: b.p(),
		Alpha: s.Bound.Alpha, MaxRounds: s.Bound.MaxRounds, Margin: b.margin, Theta: s.Theta,
		MedianRatio: finite(math.Exp(s.Median())), Low: ratio(s.Low), High: ratio(s.High),
		Confidence: s.Confidence(), NoiseFloor: finite(math.Expm1(b.floor)),
		Detectable: finite(math.Expm1(detectable)),
		DroppedA:   c.comparison.Dropped[v.A], DroppedB: c.comparison.Dropped[v.B],
	}
}

// ratio is a log ratio's, absent where it has no bound.
func ratio(log float64) *float64 {
	if math.IsInf(log, 0) {
		return nil
	}
	return finite(math.Exp(log))
}

func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// Decided tells that no further round can change any of the verdicts.
func Decided(verdicts []Verdict) bool {
	return !slices.ContainsFunc(verdicts, func(v Verdict) bool { return !v.Final })
}

// ExitCode is what the gates say together: ExitFail when one failed; else
// ExitInconclusive when one was inconclusive or lacked its measurements, or when
// there was none at all; else ExitPass. Gates that apply elsewhere don't count.
func ExitCode(verdicts []Verdict) int {
	code, found := ExitPass, false
	for _, v := range verdicts {
		switch {
		case v.Role != Gate || v.Elsewhere:
			continue
		case v.Outcome == Fail:
			return ExitFail
		case v.Outcome != Pass:
			code = ExitInconclusive
		}
		found = true
	}
	if !found {
		return ExitInconclusive
	}
	return code
}
