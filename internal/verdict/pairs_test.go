package verdict

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func readPairs(text string, better measure.Direction) ([]Pair, *PairsReader, error) {
	r := NewPairsReader(strings.NewReader(text), better)
	var pairs []Pair
	for {
		p, err := r.Read()
		if errors.Is(err, io.EOF) {
			return pairs, r, nil
		}
		if err != nil {
			return pairs, r, err
		}
		pairs = append(pairs, p)
	}
}

func TestReadPairs(t *testing.T) {
	want := []Pair{{1, 10, 20}, {4, 1.5, 2e3}}
	for _, text := range []string{
		"1,10,20\n4,1.5,2e3\n",
		"round,a,b\n1,10,20\n4,1.5,2e3",
		"\ufeffRound, A, B\r\n 1, 10 ,20\r\n\r\n4,1.5,2e3\r\n",
		"round,a,b,direction\n1,10,20,lower\n4,1.5,2e3,lower\n",
	} {
		pairs, r, err := readPairs(text, "")
		require.NoError(t, err, text)
		assert.Equal(t, want, pairs, text)
		assert.Equal(t, measure.LowerIsBetter, r.Better())
	}
	_, r, err := readPairs("0,1,2,higher\n1,1,2,higher", "")
	require.NoError(t, err)
	assert.Equal(t, measure.HigherIsBetter, r.Better())
	_, r, err = readPairs("0,1,2", measure.HigherIsBetter)
	require.NoError(t, err)
	assert.Equal(t, measure.HigherIsBetter, r.Better())
}

func TestReadPairsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"1,2":                            "line 1: 2 columns",
		"round,a,b\n1,2,3,lower,5":       "line 2: 5 columns",
		"x,2,3":                          `line 1: round is "x"`,
		"1.5,2,3":                        `line 1: round is "1.5"`,
		"-1,2,3":                         `line 1: round is "-1"`,
		"1,2,3\n\n1,2,3":                 "line 3: round 1 after round 1",
		"0,2,3\n0,2,3":                   "line 2: round 0 after round 0",
		"2,2,3\n1,2,3":                   "line 2: round 1 after round 2",
		"1,2,3\nround,a,b":               `line 2: round is "round"`,
		"1,NaN,3":                        `line 1: a is "NaN"`,
		"1,2,Inf":                        `line 1: b is "Inf"`,
		"1,2,1e999":                      `line 1: b is "1e999"`,
		"1,0,3":                          `line 1: a is "0"`,
		"1,2,-3":                         `line 1: b is "-3"`,
		"1,2,":                           `line 1: b is ""`,
		"1,2,3,sideways":                 "line 1: direction",
		"1,2,3,":                         "line 1: direction",
		"1,2,3,lower\n2,2,3,higher":      "line 2: direction is higher, where it was lower",
		"1,2,3\n2,\"2,3":                 "line 2: ",
		"round,a,b\nround,a,b,direction": "line 2: round",
	} {
		_, _, err := readPairs(text, "")
		assert.ErrorContains(t, err, want, text)
	}
	_, _, err := readPairs("1,2,3,lower", measure.HigherIsBetter)
	assert.ErrorContains(t, err, "line 1: direction is lower, where it was higher before")
}

// A pair is fit for the test, or there is an error.
func FuzzReadPairs(f *testing.F) {
	for _, seed := range []string{"round,a,b\n1,2,3\n", "1,2,3,lower\n2,0x1p4,1e-300,lower\n", "1,\"2\",3", "\ufeff", "1,5e-324,1.7e308"} {
		f.Add(seed)
	}
	b := bound(f, .05, 12)
	f.Fuzz(func(t *testing.T, text string) {
		pairs, r, err := readPairs(text, "")
		s, last := NewSequence(b, 0), -1
		for _, p := range pairs {
			require.Greater(t, p.Round, last)
			last = p.Round
			m := measure.Metric{Name: "value", Better: r.Better()}
			d, err := measure.LogRatio(measure.Value{Metric: m, Value: p.A}, measure.Value{Metric: m, Value: p.B})
			require.NoError(t, err)
			require.False(t, math.IsNaN(d) || math.IsInf(d, 0))
			s.Add(d)
		}
		require.NotEmpty(t, ExplainPairs(s, r.Better()))
		if err != nil {
			require.Contains(t, err.Error(), "line ")
		}
	})
}

func TestExplainPairs(t *testing.T) {
	b := bound(t, .01, 20)
	eight := []float64{-.51, -.52, -.53, -.54, -.55, -.56, -.57, -.58}
	assert.Equal(t, "a is 42 % faster than b: 8 of 8 rounds, 98 % interval 40–44 %", ExplainPairs(Follow(b, 0, eight), measure.LowerIsBetter))
	assert.Equal(t, "a is 72 % ahead of b in value: 8 of 8 rounds, 98 % interval 67–79 %", ExplainPairs(Follow(b, 0, eight), measure.HigherIsBetter))
	assert.Equal(t, "a is 42 % faster than b: 8 of 8 rounds above the log ratio -0.7, 98 % interval 40–44 %", ExplainPairs(Follow(b, -.7, eight), measure.LowerIsBetter))
	assert.Equal(t, "a is 41 % faster than b in the median, undecided: 3 of 3 rounds, no interval yet; so few rounds could not have shown any effect",
		ExplainPairs(Follow(b, 0, eight[:3]), measure.LowerIsBetter))
	assert.Equal(t, "no rounds", ExplainPairs(NewSequence(b, 0), measure.LowerIsBetter))
}

func TestPercent(t *testing.T) {
	for x, want := range map[float64]string{0.41: "41 %", 0.0994: "9.9 %", 0.0999: "10 %", 0.05: "5 %", -0.013: "−1.3 %", -1e-9: "0 %", 2: "200 %"} {
		assert.Equal(t, want, percent(x))
	}
	assert.Equal(t, "39–43 %", span(.39, .43))
	assert.Equal(t, "−2 to 3.5 %", span(-.02, .035))
}
