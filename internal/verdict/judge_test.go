package verdict

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func armSide(arm string) *Side { return &Side{Arm: arm, Path: "pod-ip", Placement: "cross-node"} }

func ordering(better, worse string, role Role) Assertion {
	return Assertion{
		Name: better + "-over-" + worse, Sentence: "It is said.", Source: "a page",
		Faster: armSide(better), Slower: armSide(worse), Benchmark: "sockperf-latency", Metric: "latency",
		Alpha: .01, MaxRounds: 20, Role: role,
	}
}

func thresholds(as ...Assertion) Thresholds {
	return Thresholds{APIVersion: APIVersion, Kind: Kind, Name: "test", FamilyAlpha: .05, Assertions: as}
}

func cell(arm string) measure.Cell {
	return measure.Cell{Arm: arm, Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency"}
}

func control(arm string) measure.Cell {
	c := cell(arm)
	c.Control = true
	return c
}

// columns makes rounds of one metric from a column of values per cell.
func columns(m measure.Metric, cols map[measure.Cell][]float64) []measure.Round {
	var rounds []measure.Round
	for c, values := range cols {
		for i, x := range values {
			if i == len(rounds) {
				rounds = append(rounds, measure.Round{Index: i + 1, Values: map[measure.Cell]measure.Values{}})
			}
			rounds[i].Values[c] = measure.Values{{Metric: m, Value: x}}
		}
	}
	return rounds
}

// facts are the seven interleaved rounds measured by hand, and an eighth made of
// each column's median.
func facts() map[measure.Cell][]float64 {
	return map[measure.Cell][]float64{
		cell("calico"):     {21.0, 19.5, 20.1, 19.5, 20.2, 19.8, 19.3, 19.8},
		cell("macvlan"):    {12.3, 11.8, 12.0, 11.5, 11.9, 11.4, 11.3, 11.8},
		control("macvlan"): {12.0, 11.7, 12.1, 11.5, 11.9, 11.6, 11.3, 11.7},
		cell("cilium"):     {13.7, 13.7, 13.5, 13.6, 13.8, 14.0, 13.7, 13.7},
	}
}

func judgeOne(t *testing.T, a Assertion, c Comparison) Verdict {
	t.Helper()
	vs, err := Judge(thresholds(a), "kind", c)
	require.NoError(t, err)
	require.Len(t, vs, 1)
	_, err = json.Marshal(vs)
	require.NoError(t, err, "evidence must be fit for JSON")
	require.NotEmpty(t, vs[0].Explanation)
	data, err := json.Marshal(vs[0])
	require.NoError(t, err)
	var recorded Verdict
	require.NoError(t, json.Unmarshal(data, &recorded))
	require.Equal(t, vs[0].Explanation, Explain(recorded), "a recorded verdict says the same")
	return vs[0]
}

func TestTheLabsOrderingsAreDecidedAfterEightRounds(t *testing.T) {
	gates := thresholds(ordering("macvlan", "calico", Gate), ordering("macvlan", "cilium", Gate), ordering("cilium", "calico", Gate))
	all := Comparison{Rounds: columns(measure.Latency, facts())}
	vs, err := Judge(gates, "kind", Comparison{Rounds: all.Rounds[:7]})
	require.NoError(t, err)
	assert.False(t, vs[0].Final)
	assert.Equal(t, "macvlan against calico by Pod IP: no verdict, undecided after 7 of at most 20 rounds; "+
		"macvlan 41 % faster in the median, ahead in 7 of 7 rounds, no interval yet; so few rounds could not have shown any effect", vs[0].Explanation)

	vs, err = Judge(gates, "kind", all)
	require.NoError(t, err)
	assert.True(t, vs[0].Final)
	assert.Equal(t, []Outcome{Pass, Pass, Pass}, []Outcome{vs[0].Outcome, vs[1].Outcome, vs[2].Outcome})
	assert.Equal(t, "macvlan is 41 % faster than calico by Pod IP: 8 of 8 rounds, 98 % interval 39–42 %", vs[0].Explanation)
	assert.Equal(t, "macvlan is 14 % faster than cilium by Pod IP: 8 of 8 rounds, 98 % interval 10–19 %", vs[1].Explanation)
	e := vs[0].Evidence
	assert.Equal(t, []int{8, 8, 0, 20}, []int{e.N, e.Wins, e.Ties, e.MaxRounds})
	assert.InDelta(t, 56.778, e.EPass, .001)
	assert.InDelta(t, .592, *e.MedianRatio, .005)
	assert.InDelta(t, 3*.006378, e.PHolm, 1e-5)
	assert.InDelta(t, .0253, *e.NoiseFloor, .001, "the widest of the A/A ratios")
}

func TestSwappingArmsSwapsTheOutcome(t *testing.T) {
	c := Comparison{Rounds: columns(measure.Latency, facts())}
	v := judgeOne(t, ordering("calico", "macvlan", Gate), c)
	assert.Equal(t, Inconclusive, v.Outcome)
	assert.True(t, v.NeedsConfirmation)
	assert.False(t, v.Final)
	assert.Equal(t, ToConfirm, v.Why.Code)

	c.Confirming = c.Rounds
	v = judgeOne(t, ordering("calico", "macvlan", Gate), c)
	assert.Equal(t, Fail, v.Outcome)
	assert.True(t, v.Final)
	assert.Equal(t, "calico is 70 % slower than macvlan by Pod IP: 8 of 8 rounds, 98 % interval 65–74 %, confirmed on fresh pods", v.Explanation)

	good := judgeOne(t, ordering("macvlan", "calico", Gate), c)
	assert.Equal(t, [2]float64{good.Evidence.EPass, good.Evidence.EFail}, [2]float64{v.Evidence.EFail, v.Evidence.EPass})
	assert.InDelta(t, 1, *good.Evidence.Low**v.Evidence.High, 1e-12)
}

func TestConfirmation(t *testing.T) {
	rounds := columns(measure.Latency, facts())
	a := ordering("calico", "macvlan", Gate)
	part := judgeOne(t, a, Comparison{Rounds: rounds, Confirming: rounds[:5]})
	assert.True(t, part.NeedsConfirmation, "a second batch goes on until it is decided")
	assert.False(t, part.Final)

	other := facts()
	other[cell("calico")], other[cell("macvlan")], other[control("macvlan")] = other[cell("macvlan")], other[cell("calico")], other[cell("calico")]
	v := judgeOne(t, a, Comparison{Rounds: rounds, Confirming: columns(measure.Latency, other)})
	assert.Equal(t, Inconclusive, v.Outcome)
	assert.True(t, v.Final)
	assert.Contains(t, v.Explanation, "does not confirm it")
	require.NotNil(t, v.Confirmation)
}

func TestScaleChangesNothing(t *testing.T) {
	a := ordering("macvlan", "cilium", Gate)
	want := judgeOne(t, a, Comparison{Rounds: columns(measure.Latency, facts())})
	for _, k := range []float64{1e-9, 1.0 / 3, 1000} {
		scaled := facts()
		for _, xs := range scaled {
			for i := range xs {
				xs[i] *= k
			}
		}
		got := judgeOne(t, a, Comparison{Rounds: columns(measure.Latency, scaled)})
		assert.Equal(t, want.Explanation, got.Explanation)
		assert.Equal(t, want.Evidence.EPass, got.Evidence.EPass)
	}
}

func TestThroughputPointsTheOtherWay(t *testing.T) {
	a := ordering("macvlan", "calico", Gate)
	a.Metric = "throughput"
	flipped := facts()
	for _, xs := range flipped {
		for i := range xs {
			xs[i] = 1e9 / xs[i]
		}
	}
	v := judgeOne(t, a, Comparison{Rounds: columns(measure.Throughput, flipped)})
	assert.Equal(t, Pass, v.Outcome)
	assert.Equal(t, "macvlan is 70 % ahead of calico in throughput by Pod IP, sockperf-latency: 8 of 8 rounds, 98 % interval 65–74 %", v.Explanation)
}

func TestMargin(t *testing.T) {
	a := ordering("macvlan", "calico", Inform)
	c := Comparison{Rounds: columns(measure.Latency, facts())}
	a.Margin = .3
	v := judgeOne(t, a, c)
	assert.Equal(t, Pass, v.Outcome)
	assert.InDelta(t, math.Log(.7), v.Evidence.Theta, 1e-12)
	assert.Contains(t, v.Explanation, "41 % faster than calico by Pod IP, more than the 30 % claimed: 8 of 8 rounds")
	a.Margin = .5
	c.Confirming = c.Rounds
	v = judgeOne(t, a, c)
	assert.Equal(t, Fail, v.Outcome)
	assert.Contains(t, v.Explanation, "41 % faster than calico by Pod IP, less than the 50 % claimed: 8 of 8 rounds")
}

// An arm that was left out midway costs the claims about it and no other; and of
// those it keeps the rounds that it was in.
func TestRoundsCountForTheClaimsWhoseTwoCellsTheyHave(t *testing.T) {
	f := facts()
	f[cell("calico")], f[cell("cilium")] = f[cell("calico")][:5], f[cell("cilium")][2:]
	rounds := columns(measure.Latency, map[measure.Cell][]float64{
		cell("macvlan"): f[cell("macvlan")], control("macvlan"): f[control("macvlan")], cell("calico"): f[cell("calico")],
	})
	vs, err := Judge(thresholds(ordering("macvlan", "calico", Gate), ordering("macvlan", "cilium", Gate), ordering("calico", "cilium", Gate)), "kind",
		Comparison{Rounds: rounds})
	require.NoError(t, err)
	assert.Equal(t, []int{5, 5}, []int{vs[0].Evidence.Rounds, vs[0].Evidence.Wins})
	assert.Equal(t, Inconclusive, vs[0].Outcome)
	assert.False(t, vs[0].Final, "the arm may come back")

	for i, x := range f[cell("cilium")] {
		rounds[i+2].Values[cell("cilium")] = measure.Values{{Metric: measure.Latency, Value: x}}
	}
	vs, err = Judge(thresholds(ordering("macvlan", "cilium", Gate), ordering("cilium", "calico", Gate)), "kind", Comparison{Rounds: rounds})
	require.NoError(t, err)
	assert.Equal(t, []int{6, 3}, []int{vs[0].Evidence.Rounds, vs[1].Evidence.Rounds}, "cilium came in round 3, calico left after round 5")

	// A second copy that is in some of the rounds still tells the noise of those.
	full := columns(measure.Latency, facts())
	delete(full[7].Values, control("macvlan"))
	v := judgeOne(t, ordering("macvlan", "calico", Gate), Comparison{Rounds: full})
	assert.Equal(t, NoiseUnknown, v.Why.Code, "seven A/A rounds give no interval")
	full = append(columns(measure.Latency, facts()), columns(measure.Latency, facts())...)
	delete(full[7].Values, control("macvlan"))
	assert.Equal(t, Pass, judgeOne(t, ordering("macvlan", "calico", Gate), Comparison{Rounds: full}).Outcome)
}

func TestSkippedIsNeverPassed(t *testing.T) {
	c := Comparison{Rounds: columns(measure.Latency, facts())}
	for arm, reason := range map[string]string{
		"bypass": "no latency was measured for bypass/pod-ip/cross-node/sockperf-latency",
	} {
		v := judgeOne(t, ordering("macvlan", arm, Gate), c)
		assert.Equal(t, Skipped, v.Outcome)
		assert.Contains(t, v.Explanation, ": not judged, "+reason)
		assert.Nil(t, v.Evidence)
	}
	a := ordering("macvlan", "calico", Gate)
	a.AppliesTo = []string{"kubeconfig"}
	v := judgeOne(t, a, c)
	assert.Equal(t, Skipped, v.Outcome)
	assert.True(t, v.Elsewhere)
	assert.Contains(t, v.Explanation, `it applies to [kubeconfig], this lab is "kind"`)

	vs, err := Judge(thresholds(ordering("macvlan", "calico", Gate)), "kind")
	require.NoError(t, err)
	assert.Equal(t, Skipped, vs[0].Outcome, "no rounds at all")
}

func TestRegression(t *testing.T) {
	a := ordering("", "", Gate)
	a.Faster, a.Slower, a.Candidate, a.Baseline = nil, nil, armSide("calico"), armSide("cilium")
	a.Name, a.Margin = "no-regression", .1
	// The candidate's cost is k times the baseline's.
	judge := func(k float64) Verdict {
		f := facts()
		for i, x := range f[cell("cilium")] {
			f[cell("calico")][i] = x * (k + 0.001*float64(i%3))
		}
		rounds := columns(measure.Latency, f)
		return judgeOne(t, a, Comparison{Rounds: rounds, Confirming: rounds})
	}
	v := judge(1.02)
	assert.Equal(t, Pass, v.Outcome)
	assert.Contains(t, v.Explanation, "calico is 2.1 % slower than cilium by Pod IP, within the 10 % allowed: 8 of 8 rounds")
	v = judge(1.2)
	assert.Equal(t, Fail, v.Outcome)
	assert.Contains(t, v.Explanation, "20 % slower than cilium by Pod IP, beyond the 10 % allowed")
	assert.Equal(t, Inconclusive, judge(1.0995).Outcome)

	a.Margin = .01
	v = judge(1.03)
	assert.Equal(t, Pass, v.Outcome, "the margin is never under twice the noise floor")
	assert.InDelta(t, 2**v.Evidence.NoiseFloor, v.Evidence.Margin, 1e-12)
}

// Among many assertions each needs more than its own bound.
func TestHolmHoldsBackTheFamily(t *testing.T) {
	f := facts()
	rng := rand.New(rand.NewPCG(7, 8))
	var as []Assertion
	for i := range 20 {
		arm := fmt.Sprintf("arm%d", i)
		as = append(as, ordering("macvlan", arm, Gate))
		for _, x := range f[cell("macvlan")] {
			f[cell(arm)] = append(f[cell(arm)], x*(1.3+.1*rng.Float64()))
		}
	}
	c := Comparison{Rounds: columns(measure.Latency, f)}
	vs, err := Judge(thresholds(as...), "kind", c)
	require.NoError(t, err)
	assert.Equal(t, Inconclusive, vs[0].Outcome)
	assert.Contains(t, vs[0].Explanation, "not yet as one of 20 assertions")
	assert.False(t, vs[0].Final)
	vs, err = Judge(thresholds(as[:7]...), "kind", c)
	require.NoError(t, err)
	for _, v := range vs {
		assert.Equal(t, Pass, v.Outcome, v.Explanation)
	}
}

func TestJudgeRefusesValuesThatAreNone(t *testing.T) {
	f := facts()
	f[cell("calico")][3] = 0
	_, err := Judge(thresholds(ordering("macvlan", "calico", Gate)), "kind", Comparison{Rounds: columns(measure.Latency, f)})
	assert.ErrorContains(t, err, "assertion macvlan-over-calico: round 4")
}
