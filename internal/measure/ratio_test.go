package measure

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLogRatioFollowsTheMetricsDirection(t *testing.T) {
	d, err := LogRatio(Value{Latency, 12}, Value{Latency, 20})
	require.NoError(t, err)
	assert.InDelta(t, math.Log(0.6), d, 1e-15)

	d, err = LogRatio(Value{Throughput, 20}, Value{Throughput, 12})
	require.NoError(t, err)
	assert.InDelta(t, math.Log(0.6), d, 1e-15, "more throughput is less cost")
}

func TestLogRatioIsAntisymmetricAndNeverOverflows(t *testing.T) {
	for _, v := range [][2]float64{{1, 3}, {math.MaxFloat64, math.SmallestNonzeroFloat64}, {7, 7}} {
		ab, err := LogRatio(Value{Latency, v[0]}, Value{Latency, v[1]})
		require.NoError(t, err)
		ba, err := LogRatio(Value{Latency, v[1]}, Value{Latency, v[0]})
		require.NoError(t, err)
		assert.Equal(t, ab, -ba)
		assert.False(t, math.IsInf(ab, 0))
		assert.Equal(t, v[0] == v[1], ab == 0)
	}
}

func TestLogRatioRefuses(t *testing.T) {
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		_, err := LogRatio(Value{Latency, bad}, Value{Latency, 1})
		assert.ErrorContains(t, err, "want a finite number above zero", "%v", bad)
		_, err = LogRatio(Value{Latency, 1}, Value{Latency, bad})
		assert.Error(t, err, "%v", bad)
	}
	_, err := LogRatio(Value{Latency, 1}, Value{Throughput, 1})
	assert.ErrorContains(t, err, "can't be compared")
	_, err = LogCost(Value{Metric{Name: "odd"}, 1})
	assert.ErrorContains(t, err, "no direction")
}

func TestLogRatiosWantsWholeRounds(t *testing.T) {
	a, b := Cell{"a", "p", "l", "x", false}, Cell{"b", "p", "l", "x", false}
	rounds := []Round{
		{Index: 1, Values: map[Cell]Values{a: {{Latency, 1}}, b: {{Latency, 2}}}},
		{Index: 2, Values: map[Cell]Values{a: {{Latency, 1}}}},
	}
	ds, err := LogRatios(rounds[:1], a, b, "latency")
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64{math.Log(0.5)}, ds, 1e-15)
	_, err = LogRatios(rounds, a, b, "latency")
	assert.EqualError(t, err, "round 2: b/p/l/x has no latency")
	_, err = LogRatios(rounds, b, a, "latency")
	assert.EqualError(t, err, "round 2: b/p/l/x has no latency")
}

func TestMedianAndInterval(t *testing.T) {
	xs := []float64{9, 1, 8, 2, 7, 3}
	assert.Equal(t, 5.0, Median(xs))
	assert.Equal(t, []float64{9, 1, 8, 2, 7, 3}, xs, "left as it was")
	assert.Equal(t, 3.0, Median([]float64{9, 3, 1}))
	assert.True(t, math.IsNaN(Median(nil)))

	// All six: coverage 1 − 2/64 = .969.
	low, high := Interval(xs, 0.95)
	assert.Equal(t, [2]float64{1, 9}, [2]float64{low, high})
	low, high = Interval(xs, 0.99)
	assert.True(t, math.IsInf(low, -1) && math.IsInf(high, 1), "six values can't give 99 %%: %v %v", low, high)
}

func TestMetricNamed(t *testing.T) {
	m, ok := MetricNamed("transactions")
	require.True(t, ok)
	assert.Equal(t, HigherIsBetter, m.Better)
	_, ok = MetricNamed("speed")
	assert.False(t, ok)
}
