package verdict

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func bound(t testing.TB, alpha float64, rounds int) *Bound {
	t.Helper()
	b, err := NewBound(alpha, rounds)
	require.NoError(t, err)
	return b
}

func TestSequenceDecidesAfterEightUnanimousRounds(t *testing.T) {
	s := NewSequence(bound(t, .01, 20), 0)
	for i := range 7 {
		s.Add(-0.5 - 0.01*float64(i))
		require.Equal(t, Inconclusive, s.Outcome())
		require.True(t, math.IsInf(s.Low, -1) && math.IsInf(s.High, 1))
	}
	s.Add(-0.6)
	assert.Equal(t, Pass, s.Outcome())
	assert.Equal(t, [2]float64{-0.6, -0.5}, [2]float64{s.Low, s.High})
	assert.InDelta(t, .9816, s.Confidence(), 1e-4)
}

func TestTiesFavourNeitherSide(t *testing.T) {
	s := Follow(bound(t, .01, 20), 0, []float64{-1, 0, 1, 0, -1e-14})
	assert.Equal(t, []int{1, 1, 3, 2, 5}, []int{s.Wins, s.Losses, s.Ties, s.N(), s.Rounds()})
	assert.Equal(t, E(2, 1), s.Pass)
}

func TestNothingCountsBeyondTheHorizon(t *testing.T) {
	ds := make([]float64, 20)
	for i := range ds {
		ds[i] = float64(1 - 2*(i%2))
	}
	s := Follow(bound(t, .01, 20), 0, ds)
	before := *s
	for range 30 {
		s.Add(-5)
	}
	assert.Equal(t, before, *s)
}

func TestDriftContradictsItself(t *testing.T) {
	ds := make([]float64, 40)
	for i := range ds {
		ds[i] = 1
		if i < 9 {
			ds[i] = -1
		}
	}
	s := Follow(bound(t, .01, 40), 0, ds)
	assert.True(t, s.Contradicts())
	assert.Equal(t, Inconclusive, s.Outcome())
}

// The interval and the test are one: a median is outside the interval exactly
// when the test against it decides.
func TestIntervalIsTheInvertedTest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	b := bound(t, .05, 12)
	for range 300 {
		ds := make([]float64, 12)
		for i := range ds {
			ds[i] = math.Round(rng.NormFloat64()*4) / 4 // with ties among them
		}
		s := Follow(b, 0, ds)
		for i := -60; i < 60; i++ {
			theta := (float64(i) + 0.3) / 20 // between the ticks
			against := Follow(b, theta, ds)
			// Not the outcome: where both ends were crossed the interval is empty.
			assert.Equal(t, s.High < theta, reaches(against.MaxPass, b.C), "theta %v of %v", theta, ds)
			assert.Equal(t, s.Low > theta, reaches(against.MaxFail, b.C), "theta %v of %v", theta, ds)
		}
	}
}

func TestSwapAndScale(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	b := bound(t, .05, 20)
	for range 500 {
		shift := rng.NormFloat64()
		ds, swapped := make([]float64, 20), make([]float64, 20)
		for i := range ds {
			ds[i] = shift + rng.NormFloat64()
			swapped[i] = -ds[i]
		}
		x, y := Follow(b, 0.1, ds), Follow(b, -0.1, swapped)
		require.Equal(t, []float64{x.MaxPass, x.MaxFail, x.Low, x.High}, []float64{y.MaxFail, y.MaxPass, -y.High, -y.Low})
		swap := map[Outcome]Outcome{Pass: Fail, Fail: Pass, Inconclusive: Inconclusive}
		require.Equal(t, swap[x.Outcome()], y.Outcome())
	}
}

func TestDetectable(t *testing.T) {
	b := bound(t, .01, 20)
	assert.True(t, math.IsInf(NewSequence(b, 0).Detectable(), 1))
	assert.True(t, math.IsInf(Follow(b, 0, []float64{1, 2, 3, 4, 5, 6, 7}).Detectable(), 1))

	// 1.1 sd have a power of .8 in 20 rounds.
	rng := rand.New(rand.NewPCG(5, 6))
	sum := 0.0
	for range 200 {
		s := NewSequence(b, 0)
		for range 20 {
			s.Add(rng.NormFloat64())
		}
		sum += s.Detectable() / 200
	}
	// The larger of two noisy quantiles is above either: on the careful side.
	assert.InDelta(t, 1.3, sum, .2)
}
