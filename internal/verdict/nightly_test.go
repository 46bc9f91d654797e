package verdict

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNightly(t *testing.T) {
	var nights []float64
	for i := range 30 {
		nights = append(nights, math.Log(.6)+.001*float64(i%7))
	}
	after := func(xs ...float64) []float64 { return append(append([]float64{}, nights...), xs...) }
	for _, tc := range []struct {
		name   string
		nights []float64
		want   Outcome
		says   string
	}{
		{"none", nil, Inconclusive, "0 of at least 31 nights"},
		{"none to compare", nights, Inconclusive, "30 of at least 31 nights"},
		{"as before", after(-.51), Pass, "no slower than in the worst of 30 nights"},
		{"one worse", after(-.51, -.4), Inconclusive, "for 1 in a row of the 2 that would show it"},
		{"one worse, then as before", after(-.4, -.51), Pass, ""},
		{"two worse", after(-.4, -.41), Fail, "slower than the worst of 30 nights for 2 in a row, the last by 9.9 %; 10 % slower than their median"},
		{"it stays worse", after(-.4, -.41, -.4, -.41, -.4), Fail, "for 5 in a row"},
		{"it was mended", after(-.4, -.41, -.4, -.51), Pass, ""},
		{"and breaks again", after(-.4, -.41, -.51, -.4, -.4), Fail, "for 2 in a row"},
		{"two by chance, apart: the second is compared with the first", after(-.4, -.51, -.4), Pass, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := Nightly(tc.nights, 2, 30)
			require.NoError(t, err)
			assert.Equal(t, tc.want, v.Outcome, v.Explanation)
			assert.Contains(t, v.Explanation, tc.says)
		})
	}
	_, err := Nightly(nights, 0, 30)
	assert.ErrorContains(t, err, "want at least one of each")
	_, err = Nightly(after(math.NaN()), 2, 30)
	assert.ErrorContains(t, err, "night 31")
}

func TestFalseAlarm(t *testing.T) {
	assert.InDelta(t, .002016, FalseAlarm(2, 30), 1e-6, "METHOD's")
	assert.InDelta(t, 1./210, FalseAlarm(4, 6), 1e-12)
	assert.Equal(t, 2, InARow(24, 30, .05))
	assert.Equal(t, 3, InARow(25, 30, .05))
	assert.Equal(t, 5, InARow(4, 3, .08))
}

// Where nothing changes, whatever the distribution of the nights, alarms begin no
// more often than FalseAlarm says; a change that is larger than the nights'
// spread is found as soon as it can be, and stays found.
func TestNightlyBySimulation(t *testing.T) {
	runs := simulations()
	const inARow, window = 2, 10
	for name, draw := range map[string]func(*rand.Rand) float64{
		"normal":    (*rand.Rand).NormFloat64,
		"skewed":    (*rand.Rand).ExpFloat64,
		"two modes": func(rng *rand.Rand) float64 { return float64(rng.IntN(2)) + .1*rng.NormFloat64() },
	} {
		rng := rand.New(rand.NewPCG(uint64(len(name)), 3))
		alarms, found := 0, 0
		for range runs {
			var nights []float64
			for range window + inARow {
				nights = append(nights, draw(rng))
			}
			v, err := Nightly(nights, inARow, window)
			require.NoError(t, err)
			if v.Outcome == Fail {
				alarms++
			}
			for i := range nights[window:] {
				nights[window+i] += 12
			}
			for range 20 {
				nights = append(nights, 12+draw(rng))
			}
			if v, err = Nightly(nights, inARow, window); err == nil && v.Outcome == Fail && v.Beyond == inARow+20 {
				found++
			}
		}
		p := FalseAlarm(inARow, window)
		got := float64(alarms) / float64(runs)
		assert.InDelta(t, p, got, 3*math.Sqrt(p*(1-p)/float64(runs)), name)
		assert.GreaterOrEqual(t, float64(found)/float64(runs), .99, name)
		t.Logf("%s: %.4f false alarms a night, %.4f by the formula; a change found and kept: %.4f", name, got, p, float64(found)/float64(runs))
	}
}
