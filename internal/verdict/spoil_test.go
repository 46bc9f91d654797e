package verdict

import (
	"fmt"
	"testing"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatSpoilsAVerdict(t *testing.T) {
	a := ordering("macvlan", "calico", Gate)
	for _, tc := range []struct {
		name   string
		code   Code
		words  string
		final  bool
		change func(*Comparison, map[measure.Cell][]float64)
	}{
		{"copies that differ", CopiesDiffer, "two copies of macvlan/pod-ip/cross-node/sockperf-latency differ by 19 % in these rounds", true,
			func(_ *Comparison, f map[measure.Cell][]float64) {
				for i := range f[control("macvlan")] {
					f[control("macvlan")][i] = f[cell("macvlan")][i] * 1.19
				}
			}},
		{"no second copy", NoControl, "no arm has a second copy, so the noise is not known", false,
			func(_ *Comparison, f map[measure.Cell][]float64) { delete(f, control("macvlan")) }},
		{"unequal drops", UnequalDrops, "macvlan spoiled 0 rounds and calico 5", false,
			func(c *Comparison, _ map[measure.Cell][]float64) { c.Dropped = map[measure.Cell]int{cell("calico"): 5} }},
		{"below the noise", BelowNoise, "the difference is below this run's noise of 2 %", false,
			func(_ *Comparison, f map[measure.Cell][]float64) {
				for i, x := range f[cell("macvlan")] {
					f[cell("calico")][i], f[control("macvlan")][i] = x*1.01, x
				}
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := facts(), Comparison{}
			tc.change(&c, f)
			c.Rounds = columns(measure.Latency, f)
			v := judgeOne(t, a, c)
			assert.Equal(t, Inconclusive, v.Outcome)
			assert.Equal(t, tc.code, v.Why.Code)
			assert.Contains(t, v.Explanation, tc.words)
			assert.Equal(t, tc.final, v.Final)
		})
	}
	t.Run("a few drops are harmless", func(t *testing.T) {
		c := Comparison{Rounds: columns(measure.Latency, facts()), Dropped: map[measure.Cell]int{cell("calico"): 2}}
		assert.Equal(t, Pass, judgeOne(t, a, c).Outcome)
	})
}

// One pair that differs spoils the run, also where other rounds had none.
func TestCopiesThatDifferSpoilTheWholeRun(t *testing.T) {
	bad := facts()
	for i := range bad[control("macvlan")] {
		bad[control("macvlan")][i] *= 1.3
	}
	a, b := ordering("macvlan", "calico", Gate), ordering("macvlan", "calico", Gate)
	b.Name, b.Metric = "other", "latency-p99"
	vs, err := Judge(thresholds(a, b), "kind",
		Comparison{Rounds: columns(measure.Latency, facts())}, Comparison{Rounds: columns(measure.LatencyP99, bad)})
	require.NoError(t, err)
	for _, v := range vs {
		assert.Equal(t, Inconclusive, v.Outcome)
		assert.Contains(t, v.Explanation, "two copies of macvlan")
	}
}

// With an A/A pair for each of many tables, one that differs as chance alone
// makes one differ now and then spoils its own table and no other.
func TestOneOfManyPairsOfCopiesSpoilsOnlyItsOwnTable(t *testing.T) {
	var assertions []Assertion
	var comparisons []Comparison
	for i := range 15 {
		a := ordering("macvlan", "calico", Inform)
		a.Name, a.Benchmark = fmt.Sprintf("table-%d", i), fmt.Sprintf("benchmark-%d", i)
		f := map[measure.Cell][]float64{}
		for c, xs := range facts() {
			c.Benchmark = a.Benchmark
			f[c] = xs
		}
		if i == 3 {
			original := cell("macvlan")
			original.Benchmark = a.Benchmark
			copied := original
			copied.Control = true
			for j, x := range f[original] {
				f[copied][j] = x * 1.042
			}
		}
		assertions, comparisons = append(assertions, a), append(comparisons, Comparison{Rounds: columns(measure.Latency, f)})
	}
	vs, err := Judge(thresholds(assertions...), "kind", comparisons...)
	require.NoError(t, err)
	for i, v := range vs {
		if i == 3 {
			assert.Equal(t, Inconclusive, v.Outcome)
			assert.Contains(t, v.Explanation, "differ by 4.2 % in these rounds")
			continue
		}
		assert.Equal(t, Pass, v.Outcome, v.Explanation)
	}
}

func TestCeiling(t *testing.T) {
	a := ordering("macvlan", "calico", Gate)
	a.Metric = "throughput"
	f := map[measure.Cell][]float64{}
	for i := range 8 {
		x := 9.36e9 + 1e6*float64(i)
		f[cell("macvlan")] = append(f[cell("macvlan")], x)
		f[control("macvlan")] = append(f[control("macvlan")], x)
		f[cell("calico")] = append(f[cell("calico")], x*.99)
	}
	c := Comparison{Rounds: columns(measure.Throughput, f), Ceilings: map[string]float64{"throughput": 9.41e9}}
	v := judgeOne(t, a, c)
	assert.Equal(t, Inconclusive, v.Outcome)
	assert.Contains(t, v.Explanation, "tie: saturated, both are within 3 % of the shared limit of 9.41 Gbit/s")
	for i := range f[cell("calico")] {
		f[cell("calico")][i] /= 2
	}
	c.Rounds = columns(measure.Throughput, f)
	assert.Equal(t, Pass, judgeOne(t, a, c).Outcome, "one arm at the ceiling is no tie")
}

// A request tool whose one event loop is full measures itself.
func TestToolAtItsLimit(t *testing.T) {
	a := ordering("macvlan", "calico", Gate)
	a.Metric = "requests"
	rounds := columns(measure.Requests, facts())
	for _, r := range rounds {
		r.Values[cell("calico")] = append(r.Values[cell("calico")], measure.Value{Metric: measure.ToolCPU, Value: 97})
	}
	v := judgeOne(t, a, Comparison{Rounds: rounds})
	assert.Equal(t, ToolLimit, v.Why.Code)
	assert.True(t, v.Final)
	assert.Contains(t, v.Explanation, "the tool limits calico/pod-ip/cross-node/sockperf-latency: its event loop took 97 % of a core")
}

// Up to half of the rounds may be ones that others disturbed: the median is
// held by the rest. Beyond, nothing is said in either direction.
func TestTheThresholdsSayHowFarCopiesOfOnePodLieApart(t *testing.T) {
	c := Comparison{Rounds: columns(measure.Latency, map[measure.Cell][]float64{
		cell("a"): {100, 100, 100, 100, 100, 100, 100, 100}, control("a"): {100, 100, 100, 100, 100, 100, 100, 100},
		cell("b"): {102.5, 102.5, 102.5, 102.5, 102.5, 102.5, 102.5, 102.5},
	})}
	assert.Equal(t, Pass, judgeOne(t, ordering("a", "b", Gate), c).Outcome)
	th := thresholds(ordering("a", "b", Gate))
	th.NoiseFloor = .03
	vs, err := Judge(th, "kind", c)
	require.NoError(t, err)
	assert.Equal(t, Inconclusive, vs[0].Outcome)
	assert.Contains(t, vs[0].Explanation, "below this run's noise of 3 %")
	assert.False(t, vs[0].NeedsConfirmation)
}

func TestMostRoundsDisturbedIsInconclusive(t *testing.T) {
	disturbed := func(n int) []measure.Round {
		rounds := columns(measure.Latency, facts())
		for i := range n {
			rounds[2*i%8+2*i/8].Disturbed = true
		}
		return rounds
	}
	good, bad := ordering("macvlan", "calico", Gate), ordering("calico", "macvlan", Gate)
	assert.Equal(t, Pass, judgeOne(t, good, Comparison{Rounds: disturbed(4)}).Outcome)
	v := judgeOne(t, good, Comparison{Rounds: disturbed(5)})
	assert.Equal(t, Inconclusive, v.Outcome)
	assert.Contains(t, v.Explanation, "external interference was beyond the limit in 5 of 8 rounds")
	assert.False(t, v.Final, "quieter rounds may come")
	v = judgeOne(t, bad, Comparison{Rounds: disturbed(5)})
	assert.Equal(t, Inconclusive, v.Outcome)
	assert.False(t, v.NeedsConfirmation)

	v = judgeOne(t, bad, Comparison{Rounds: disturbed(0), Confirming: disturbed(5)})
	assert.Equal(t, Inconclusive, v.Outcome)
	assert.Contains(t, v.Explanation, "the first batch failed, but external interference was beyond the limit in 5 of the second's 8 rounds")
	assert.Equal(t, Fail, judgeOne(t, bad, Comparison{Rounds: disturbed(4), Confirming: disturbed(4)}).Outcome)
}

func TestUnequalDrops(t *testing.T) {
	for _, tc := range []struct {
		a, b int
		want bool
	}{{0, 0, false}, {4, 0, false}, {5, 0, true}, {0, 5, true}, {7, 1, true}, {6, 1, false}, {30, 30, false}, {2000, 1000, true}} {
		assert.Equal(t, tc.want, unequalDrops(tc.a, tc.b), "%d and %d", tc.a, tc.b)
	}
}
