package verdict

import (
	"math"

	"github.com/cniperf/cniperf/internal/measure"
	"gonum.org/v1/gonum/mathext"
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

type judged struct {
	assertion     Assertion
	comparison    *Comparison
	first, second *batch
	pHolm         float64
	family        int // how many assertions Holm's correction is over
}

// decide applies the rules, in the order of what they say about the run: what
// spoils the comparison first, the sign test last. differs is the A/A pair that
// spoils the whole run, nil for none.
func (c *judged) decide(v *Verdict, familyAlpha float64, differs *Reason) {
	b, s := c.first, c.first.main
	v.Evidence = c.evidence(v, b)
	v.Evidence.PHolm = c.pHolm
	ended := s.Rounds() >= s.Bound.MaxRounds
	if why, final := c.spoils(v, differs); why != nil {
		v.inconclusive(final, *why)
		return
	}
	switch outcome := s.Outcome(); {
	case outcome == Inconclusive:
		v.inconclusive(ended, Reason{Code: Undecided, Rounds: s.Rounds(), MaxRounds: s.Bound.MaxRounds})
	case math.IsInf(b.floor, 1):
		v.inconclusive(ended, Reason{Code: NoiseUnknown})
	case !b.far(c.assertion):
		v.inconclusive(ended, Reason{Code: BelowNoise, NoiseFloor: math.Expm1(b.floor)})
	case c.pHolm > familyAlpha:
		v.inconclusive(ended, Reason{Code: OneOfMany, Family: c.family, P: c.pHolm, Alpha: familyAlpha})
	case outcome == Pass:
		v.Outcome, v.Final = Pass, true
	default:
		c.confirm(v)
	}
}

func (v *Verdict) inconclusive(final bool, why Reason) {
	v.Outcome, v.Final, v.Why = Inconclusive, final, &why
}

// spoils is what keeps the first batch from saying anything, nil for nothing, and
// whether further rounds can't change that.
func (c *judged) spoils(v *Verdict, differs *Reason) (why *Reason, final bool) {
	b, s := c.first, c.first.main
	first, _ := s.Bound.First()
	ended, enough := s.Rounds() >= s.Bound.MaxRounds, s.Rounds() >= first
	switch limited := c.limited(v); {
	case b.differs != nil:
		return b.differs, true
	case differs != nil:
		return differs, true
	case b.disturbed():
		return &Reason{Code: Disturbed, Disturbed: b.kept, Rounds: s.Rounds()}, ended
	case b.controls == 0:
		return &Reason{Code: NoControl}, ended
	case s.Contradicts():
		return &Reason{Code: Drift}, true
	case limited != nil:
		return limited, enough
	case c.saturated(v):
		return &Reason{Code: Saturated, Within: ceilingShare, Ceiling: c.comparison.Ceilings[v.Metric.Name]}, enough
	case unequalDrops(v.Evidence.DroppedA, v.Evidence.DroppedB):
		return &Reason{Code: UnequalDrops, DroppedA: v.Evidence.DroppedA, DroppedB: v.Evidence.DroppedB}, ended
	}
	return nil, false
}

// confirm turns a first batch that fails into Fail only when the second, on
// fresh pods, fails as well.
func (c *judged) confirm(v *Verdict) {
	b, s := c.second, c.second.main
	if s.Rounds() > 0 {
		v.Confirmation = c.evidence(v, b)
		// A failure is confirmed as one hypothesis, so Holm has nothing to add.
		v.Confirmation.PHolm = v.Confirmation.P
	}
	switch {
	case b.differs != nil:
		why := *b.differs
		why.Second = true
		v.inconclusive(true, why)
	case b.disturbed() && s.Outcome() != Inconclusive:
		v.inconclusive(true, Reason{Code: Disturbed, Second: true, Disturbed: b.kept, Rounds: s.Rounds()})
	case s.Outcome() == Fail && b.controls > 0 && b.far(c.assertion):
		v.Outcome, v.Final = Fail, true
	case s.Outcome() == Pass || s.Contradicts() || s.Rounds() >= s.Bound.MaxRounds:
		v.inconclusive(true, Reason{Code: NotConfirmed, Second: true})
	default:
		v.inconclusive(false, Reason{Code: ToConfirm})
		v.NeedsConfirmation = true
	}
}

// limited is the cell whose tool, not the datapath, was the limit.
func (c *judged) limited(v *Verdict) *Reason {
	for _, cell := range []measure.Cell{v.A, v.B} {
		if share := toolShare(c.comparison.Rounds, cell); share >= toolLimit {
			return &Reason{Code: ToolLimit, Cells: []measure.Cell{cell}, CPU: share}
		}
	}
	return nil
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
