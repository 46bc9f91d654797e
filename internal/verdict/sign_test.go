package verdict

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestEGolden(t *testing.T) {
	for _, g := range []struct {
		n, s int
		e    float64
	}{{6, 6, 18.143}, {8, 8, 56.778}, {10, 9, 18.509}, {20, 16, 20.538}, {12, 6, 0.3410}, {0, 0, 1}} {
		assert.InEpsilon(t, g.e, E(g.n, g.s), 3e-4, "E(%d, %d)", g.n, g.s)
	}
}

// Under equal signs the mean of the next E is the present one at most: the very
// property that lets one look after every round.
func TestEIsASupermartingale(t *testing.T) {
	for n := range 200 {
		for s := range n + 1 {
			next := (E(n+1, s) + E(n+1, s+1)) / 2
			require.LessOrEqual(t, next, E(n, s)*(1+1e-9), "after %d of %d", s, n)
			require.Greater(t, E(n+1, s+1), E(n, s), "a round in favour adds evidence")
		}
	}
	assert.False(t, math.IsNaN(E(maxHorizon, 0)) || math.IsInf(E(maxHorizon, maxHorizon), 0))
}

// METHOD's table. Its c is rounded, and between its 7.0 and our 9.44 lies no E.
var shipped = []struct {
	alpha, c, typeI float64
	maxRounds       int
	unanimous       int
	power           map[float64][2]float64 // effect in sd: P(pass), mean rounds
}{
	{.05, 9.4406, .0483, 12, 5, map[float64][2]float64{1: {.755, 8.5}, 1.25: {.898, 7.3}, 1.5: {.967, 6.5}, 2: {.998, 5.5}}},
	{.05, 11.256, .0371, 20, 6, map[float64][2]float64{1: {.871, 11.1}, 1.25: {.969, 9.0}, 1.5: {.995, 7.6}, 2: {1, 6.5}}},
	{.01, 33.741, .0092, 20, 8, map[float64][2]float64{1: {.719, 14.4}, 1.25: {.901, 12.1}, 1.5: {.976, 10.5}, 2: {.999, 8.8}}},
	{.01, 48.520, .0095, 30, 8, map[float64][2]float64{1: {.887, 16.8}, 1.25: {.982, 13.0}, 1.5: {.999, 10.8}, 2: {1, 8.8}}},
	{.001, 394.67, .0009, 40, 12, map[float64][2]float64{1: {.871, 25.5}, 1.25: {.985, 19.6}, 1.5: {.999, 16.1}, 2: {1, 13.2}}},
}

func TestBoundMatchesTheMethodsTable(t *testing.T) {
	for _, w := range shipped {
		t.Run(fmt.Sprintf("alpha=%v/rounds=%d", w.alpha, w.maxRounds), func(t *testing.T) {
			b, err := NewBound(w.alpha, w.maxRounds)
			require.NoError(t, err)
			assert.InEpsilon(t, w.c, b.C, 1e-4)
			assert.InDelta(t, w.typeI, b.TypeI, 1e-4)
			first, ok := b.First()
			assert.True(t, ok)
			assert.Equal(t, w.unanimous, first)
			for effect, want := range w.power {
				power, rounds := b.Power(distuv.UnitNormal.CDF(effect))
				assert.InDelta(t, want[0], power, .001, "power at %v sd", effect)
				assert.InDelta(t, want[1], rounds, .06, "rounds at %v sd", effect)
			}
		})
	}
}

func TestMethodsFirstBoundDecidesAlike(t *testing.T) {
	b, err := NewBound(.05, 12)
	require.NoError(t, err)
	for n := range b.e {
		for s := range b.e[n] {
			assert.Equal(t, b.e[n][s] >= 7.0, reaches(b.e[n][s], b.C), "E(%d, %d)", n, s)
		}
	}
}

func TestSmallestThatDecides(t *testing.T) {
	b, err := NewBound(.01, 20)
	require.NoError(t, err)
	for n, s := range map[int]int{8: 8, 9: 9, 10: 10, 11: 11, 12: 11, 13: 12, 14: 13, 15: 13, 16: 14, 17: 15, 18: 15, 19: 16, 20: 17} {
		assert.Equal(t, s, b.Smallest(n), "after %d rounds", n)
	}
	for n := range 8 {
		assert.Equal(t, n+1, b.Smallest(n), "%d rounds decide nothing", n)
	}
}

// The dynamic programme against every single path, and with it the type I error.
func TestTypeIByExhaustion(t *testing.T) {
	for _, w := range shipped {
		b, err := NewBound(w.alpha, w.maxRounds)
		require.NoError(t, err)
		assert.LessOrEqual(t, b.TypeI, w.alpha)
		if w.maxRounds > 20 {
			continue // 2^30 paths are too many; those rest on the programme checked here
		}
		crossed := 0
		for path := range uint64(1) << w.maxRounds {
			for n := 1; n <= w.maxRounds; n++ {
				if reaches(b.e[n][bits.OnesCount64(path&(1<<n-1))], b.C) {
					crossed++
					break
				}
			}
		}
		assert.Equal(t, math.Ldexp(float64(crossed), -w.maxRounds), b.TypeI, "alpha %v, %d rounds", w.alpha, w.maxRounds)
	}
}

// The bound is the least: the next smaller E would break alpha.
func TestBoundIsTheLeast(t *testing.T) {
	for _, w := range shipped {
		b, err := NewBound(w.alpha, w.maxRounds)
		require.NoError(t, err)
		below := 0.0
		for _, es := range b.e {
			for _, e := range es {
				if !reaches(e, b.C) {
					below = max(below, e)
				}
			}
		}
		assert.Greater(t, b.PValue(below), w.alpha)
	}
}

func TestBoundThatNothingReaches(t *testing.T) {
	b, err := NewBound(.01, 4)
	require.NoError(t, err)
	assert.True(t, math.IsInf(b.C, 1))
	_, ok := b.First()
	assert.False(t, ok)
	assert.Equal(t, Inconclusive, Follow(b, 0, []float64{-1, -1, -1, -1}).Outcome())
}

func TestNewBoundRefuses(t *testing.T) {
	for _, alpha := range []float64{0, -1, .51, math.NaN(), math.Inf(1)} {
		_, err := NewBound(alpha, 20)
		assert.ErrorContains(t, err, "alpha", "%v", alpha)
	}
	for _, n := range []int{0, -1, maxHorizon + 1} {
		_, err := NewBound(.01, n)
		assert.ErrorContains(t, err, "rounds", "%d", n)
	}
}

func TestHolm(t *testing.T) {
	assert.InDeltaSlice(t, []float64{.03, .06, .06, .02}, Holm([]float64{.01, .04, .03, .005}), 1e-15)
	assert.Equal(t, []float64{1, 1}, Holm([]float64{.9, .8}))
	assert.Empty(t, Holm(nil))
}

// What the shipped thresholds rest on: eight unanimous rounds among seven.
func TestEightRoundsSufficeAmongSeven(t *testing.T) {
	b, err := NewBound(.01, 20)
	require.NoError(t, err)
	assert.LessOrEqual(t, 7*b.PValue(E(8, 8)), .05)
	assert.Greater(t, 8*b.PValue(E(8, 8)), .05)
}
