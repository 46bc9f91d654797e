// Package verdict decides whether one datapath is better than another: a
// sequential sign test over interleaved rounds, its confidence sequence, and
// the rules that turn them into pass, fail or inconclusive. It does no I/O
// beyond the readers it is given and knows no cluster.
package verdict

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// maxHorizon bounds MaxRounds: calibration is quadratic in it, and 2^-1000 is
// about the smallest probability a float64 still holds.
const maxHorizon = 1000

// E is the evidence of s rounds out of n for a sign probability above one
// half: the likelihood ratio against one half, averaged over all probabilities
// from one half to one,
//
//	2^(n+1) · B(s+1, n−s+1) · [1 − I_½(s+1, n−s+1)].
//
// Where the conditional probability of a round in favour never exceeds one
// half this is a test supermartingale, so one may look after every round.
func E(n, s int) float64 {
	a, b := float64(s+1), float64(n-s+1)
	// 1 − I_½(a, b) = I_½(b, a), which keeps its digits when it is small.
	return math.Exp(float64(n+1)*math.Ln2 + mathext.Lbeta(a, b) + math.Log(mathext.RegIncBeta(b, a, 0.5)))
}

// Bound is the calibrated sequential sign test for at most MaxRounds rounds:
// it decides at the first round whose E reaches C.
type Bound struct {
	Alpha     float64 // wanted one-sided chance of a wrong decision
	MaxRounds int
	C         float64 // smallest attainable E whose TypeI is at most Alpha; +Inf when there is none
	TypeI     float64 // exact chance of reaching C when both signs are equally likely

	e [][]float64 // e[n][s] = E(n, s)
}

// NewBound calibrates C by dynamic programming over the paths of the sign
// count. Ville's inequality would give 1/alpha; knowing the last round beforehand
// allows less, hence more power. An alpha outside (0, 0.5] and a number of rounds
// outside 1..1000 are errors.
func NewBound(alpha float64, maxRounds int) (*Bound, error) {
	if !(alpha > 0 && alpha <= 0.5) {
		return nil, fmt.Errorf("alpha is %v: want more than 0 and at most 0.5", alpha)
	}
	if maxRounds < 1 || maxRounds > maxHorizon {
		return nil, fmt.Errorf("the maximum of rounds is %d: want 1 to %d", maxRounds, maxHorizon)
	}
	b := &Bound{Alpha: alpha, MaxRounds: maxRounds, e: make([][]float64, maxRounds+1)}
	var attainable []float64
	for n := range b.e {
		b.e[n] = make([]float64, n+1)
		for s := range b.e[n] {
			b.e[n][s] = E(n, s)
		}
		attainable = append(attainable, b.e[n]...)
	}
	slices.Sort(attainable)
	i := sort.Search(len(attainable), func(i int) bool { return b.PValue(attainable[i]) <= alpha })
	if i == len(attainable) {
		b.C = math.Inf(1)
		return b, nil
	}
	b.C, b.TypeI = attainable[i], b.PValue(attainable[i])
	return b, nil
}

// reaches compares with room for the last digits: equal E from different
// (n, s) must not differ by how they were rounded.
func reaches(e, c float64) bool { return e >= c*(1-1e-9) }

// walk gives the chance that E reaches c within the horizon when each round is
// in favour with probability p, and the mean number of rounds until it does or
// the horizon ends.
func (b *Bound) walk(c, p float64, horizon int) (reached, rounds float64) {
	alive := make([]float64, horizon+2) // by s: probability of being there undecided
	alive[0] = 1
	left := 1.0
	for n := 1; n <= horizon; n++ {
		rounds += left
		left = 0
		for s := n; s >= 0; s-- {
			at := alive[s] * (1 - p)
			if s > 0 {
				at += alive[s-1] * p
			}
			if reaches(b.e[n][s], c) {
				reached += at
				at = 0
			}
			alive[s] = at
			left += at
		}
	}
	return reached, rounds
}

// PValue is the exact chance that E reaches e at any round up to MaxRounds when
// both signs are equally likely. Taken at the largest E so far it is valid
// whenever one stops.
func (b *Bound) PValue(e float64) float64 {
	p, _ := b.walk(e, 0.5, b.MaxRounds)
	return p
}

// Power is the chance of a decision in favour, and the mean number of rounds,
// when each round is in favour with probability p.
func (b *Bound) Power(p float64) (power, rounds float64) {
	return b.walk(b.C, p, b.MaxRounds)
}

// Smallest is the least number of rounds in favour that decides after n rounds,
// n+1 when none does.
func (b *Bound) Smallest(n int) int {
	return sort.Search(n+1, func(s int) bool { return reaches(b.e[n][s], b.C) })
}

// First is the number of unanimous rounds that decides, and whether MaxRounds
// allows so many.
func (b *Bound) First() (int, bool) {
	for n := range b.e {
		if b.Smallest(n) <= n {
			return n, true
		}
	}
	return 0, false
}

// Holm adjusts the p-values of a family step-down: rejecting those at most α
// keeps the chance of any wrong rejection at α, however they depend on each other.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if p[i] < p[j] {
			return -1
		} else if p[i] > p[j] {
			return 1
		}
		return 0
	})
	adjusted, worst := make([]float64, len(p)), 0.0
	for rank, i := range order {
		worst = max(worst, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = worst
	}
	return adjusted
}
