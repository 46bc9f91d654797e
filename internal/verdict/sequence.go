package verdict

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
	"github.com/cniperf/cniperf/internal/measure"
)

// tie is how near a log ratio must be to the threshold to favour neither side:
// the rounding of two logarithms, far below anything a tool resolves.
const tie = 1e-12

// Sequence follows the log cost ratios of one comparison round by round: the
// sign test against Theta in both directions, and the confidence sequence for
// the median got by inverting the same test.
type Sequence struct {
	Bound *Bound
	Theta float64 // log cost ratio that the median is compared with

	Wins, Losses, Ties int     // rounds below, above and at Theta
	Pass, Fail         float64 // E now, for a median below and above Theta
	MaxPass, MaxFail   float64 // the largest of them so far
	Low, High          float64 // running intersection, log ratios; each end holds at 1−TypeI

	sorted []float64
}

// NewSequence starts an empty sequence.
func NewSequence(b *Bound, theta float64) *Sequence {
	return &Sequence{
		Bound: b, Theta: theta, Pass: 1, Fail: 1, MaxPass: 1, MaxFail: 1,
		Low: math.Inf(-1), High: math.Inf(1),
	}
}

// Follow adds all of ds to a new sequence.
func Follow(b *Bound, theta float64, ds []float64) *Sequence {
	s := NewSequence(b, theta)
	for _, d := range ds {
		s.Add(d)
	}
	return s
}

// Rounds is how many rounds were counted, ties included.
func (s *Sequence) Rounds() int { return len(s.sorted) }

// N is how many of them favoured a side: the n of E(n, s).
func (s *Sequence) N() int { return s.Wins + s.Losses }

// Add counts one round's log ratio. Beyond the bound's MaxRounds it does
// nothing: the calibration ends there.
func (s *Sequence) Add(d float64) {
	if s.Rounds() >= s.Bound.MaxRounds {
		return
	}
	at, _ := slices.BinarySearch(s.sorted, d)
	s.sorted = slices.Insert(s.sorted, at, d)
	switch {
	case math.Abs(d-s.Theta) <= tie:
		s.Ties++
	case d < s.Theta:
		s.Wins++
	default:
		s.Losses++
	}
	e := s.Bound.e[s.N()]
	s.Pass, s.Fail = e[s.Wins], e[s.Losses]
	s.MaxPass, s.MaxFail = max(s.MaxPass, s.Pass), max(s.MaxFail, s.Fail)

	// A candidate just above the k-th smallest ratio has k rounds below it, so
	// the test first refuses candidates there; likewise from the other end.
	n := s.Rounds()
	if k := s.Bound.Smallest(n); k <= n {
		s.High = min(s.High, s.sorted[k-1])
		s.Low = max(s.Low, s.sorted[n-k])
	}
}

// Outcome is what the sign test alone says: Pass when the median was shown to
// be below Theta, Fail when above, Inconclusive otherwise or when the rounds
// showed first one and then the other.
func (s *Sequence) Outcome() Outcome {
	pass, fail := reaches(s.MaxPass, s.Bound.C), reaches(s.MaxFail, s.Bound.C)
	switch {
	case pass && !fail:
		return Pass
	case fail && !pass:
		return Fail
	}
	return Inconclusive
}

// Contradicts tells that the rounds showed a median below Theta at one time and
// above it at another: the comparison drifts.
func (s *Sequence) Contradicts() bool {
	return reaches(s.MaxPass, s.Bound.C) && reaches(s.MaxFail, s.Bound.C)
}

// Median is the median log ratio; NaN before the first round.
func (s *Sequence) Median() float64 { return measure.Median(s.sorted) }

// Confidence is the exact two-sided confidence of the interval Low to High.
func (s *Sequence) Confidence() float64 { return 1 - 2*s.Bound.TypeI }

// Detectable is the smallest distance of the median from Theta, as a log ratio,
// that as many rounds with this spread decide in four of five cases. It is +Inf
// when so few rounds decide nothing. The sign probability that gives that power
// comes from the exact paths; the distance that gives that probability is read
// from the residuals' own quantiles, whatever their shape.
func (s *Sequence) Detectable() float64 {
	const power = 0.8
	n := s.Rounds()
	if n == 0 || s.Bound.Smallest(n) > n {
		return math.Inf(1)
	}
	low, high := 0.5, 1.0
	for high-low > 1e-4 {
		p := (low + high) / 2
		if got, _ := s.Bound.walk(s.Bound.C, p, n); got >= power {
			high = p
		} else {
			low = p
		}
	}
	sample := stats.Sample{Xs: s.sorted, Sorted: true}
	m := s.Median()
	return max(sample.Quantile(high)-m, m-sample.Quantile(1-high))
}
