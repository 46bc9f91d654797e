package analysis

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

func testPlan() record.Plan {
	return record.Plan{
		Profile: record.Profile{PodSets: 2},
		Catalogue: record.Catalogue{
			Arms: []record.Arm{{Name: "node", Path: measure.HostIP}, {Name: "macvlan"}, {Name: "calico"}},
			Comparisons: []record.Comparison{
				{Name: latency, Benchmark: "sockperf-latency", Path: measure.PodIP, Placement: measure.CrossNode},
				{Name: "later", Benchmark: "sockperf-latency", Path: measure.ClusterIP, Placement: measure.CrossNode},
			},
		},
		Comparisons: []record.Decided{
			{Name: latency, Arms: []string{"node", "macvlan", "calico"}, Ceilings: map[string]float64{"throughput": 1e9}},
			{Name: "later", Arms: []string{"macvlan", "calico"}},
		},
	}
}

func claims() verdict.Thresholds {
	claim := func(name, path string) verdict.Assertion {
		side := func(arm string) *verdict.Side {
			return &verdict.Side{Arm: arm, Path: path, Placement: measure.CrossNode}
		}
		return verdict.Assertion{
			Name: name, Faster: side("macvlan"), Slower: side("calico"), Benchmark: "sockperf-latency", Metric: "latency",
			Alpha: .01, MaxRounds: 20, Role: verdict.Gate,
		}
	}
	return verdict.Thresholds{FamilyAlpha: .05, Assertions: []verdict.Assertion{claim("by-pod-ip", measure.PodIP), claim("by-cluster-ip", measure.ClusterIP)}}
}

// run is a run of so many rounds of its first comparison.
func runOf(rounds int) *journal.Run {
	run := &journal.Run{}
	for i := 1; i <= rounds; i++ {
		drift := 1 + .01*float64(i%3)
		round(run, journal.PhaseFull, i, 1, true, map[string]float64{"node": 10 * drift, "macvlan": 8 * drift, "macvlan#control": 8.05 * drift, "calico": 20 * drift})
	}
	return run
}

func TestJudgedTakesWhatThePlanAndTheJournalHave(t *testing.T) {
	run := runOf(3)
	round(run, journal.PhaseFirst, 1, 1, true, map[string]float64{"macvlan": 8})
	round(run, journal.PhaseConfirm, 1, 1, true, map[string]float64{"node": 10, "macvlan": 8, "macvlan#control": 8, "calico": 20})
	run.Samples = append(run.Samples, journal.Sample{Comparison: latency, Phase: journal.PhaseFull, Round: 4, Attempt: 1, Cell: cell("calico"), Invalid: "cut"})
	all := Judged(run, testPlan())
	require.Len(t, all, 2)
	c := all[0]
	assert.Equal(t, []int{3, 1, 2}, []int{len(c.Rounds), len(c.Confirming), c.PodSets})
	assert.Equal(t, map[measure.Cell]int{cell("calico"): 1}, c.Dropped)
	assert.Equal(t, map[string]float64{"throughput": 1e9}, c.Ceilings)
	assert.ElementsMatch(t, []measure.Cell{cell("node"), cell("macvlan"), cell("calico"), cell("macvlan#control")}, c.Cells)
	assert.Empty(t, all[1].Rounds)
	assert.Len(t, all[1].Cells, 2, "the plan tells them")
	assert.Equal(t, latency, Judged(run, record.Plan{})[0].Name, "a journal without a plan")
}

// A comparison that never began has its gates, and what it lacks decides the exit
// code.
func TestGatesOfAComparisonThatNeverBegan(t *testing.T) {
	run := runOf(8)
	run.Skips = []journal.Skip{
		{Comparison: "later", Phase: journal.PhaseFirst, Why: &record.Reason{Code: record.ClusterLost}},
		{Comparison: "later", Phase: journal.PhaseFull, Why: &record.Reason{Code: record.NoTime}},
		{Comparison: "later", Reason: "of an earlier version"},
	}
	all := Judged(run, testPlan())
	verdicts, err := verdict.Judge(claims(), "kind", all...)
	require.NoError(t, err)
	assert.Equal(t, []string{latency, "later"}, []string{verdicts[0].Comparison, verdicts[1].Comparison})
	assert.Equal(t, verdict.Skipped, verdicts[1].Outcome)
	facts := Facts{Judges: true, Comparisons: all, Verdicts: verdicts, Missing: MissingOf(run)}
	require.Len(t, facts.Missing, 1)
	assert.Equal(t, verdict.ExitInconclusive, Conclude(facts).ExitCode)
	run.Skips[1].Why.Code = record.ClusterLost
	facts.Missing = MissingOf(run)
	assert.Equal(t, verdict.ExitInfrastructure, Conclude(facts).ExitCode)
}

func TestOnlyNewsOfAVerdictIsRecorded(t *testing.T) {
	judge := func(rounds int) []verdict.Verdict {
		verdicts, err := verdict.Judge(claims(), "kind", Judged(runOf(rounds), testPlan())...)
		require.NoError(t, err)
		return verdicts
	}
	first, err := Records(nil, journal.PhaseFull, judge(8))
	require.NoError(t, err)
	require.Len(t, first, 1, "of the second claim nothing was measured")
	assert.Equal(t, []string{latency, "by-pod-ip", "pass"}, []string{first[0].Comparison, first[0].Assertion, first[0].Outcome})
	for _, tc := range []struct {
		phase  string
		rounds int
		want   int
	}{{journal.PhaseFull, 8, 0}, {journal.PhaseFull, 9, 1}, {journal.PhaseFirst, 8, 1}} {
		again, err := Records(first, tc.phase, judge(tc.rounds))
		require.NoError(t, err)
		assert.Len(t, again, tc.want, fmt.Sprint(tc))
	}
	reworded := judge(8)
	reworded[0].Explanation = "the same in other words"
	again, err := Records(first, journal.PhaseFull, reworded)
	require.NoError(t, err)
	assert.Empty(t, again)

	first[0].Verdict = []byte(`{"reason": "in a text, as earlier versions had it"}`)
	again, err = Records(first, journal.PhaseFull, judge(8))
	require.NoError(t, err)
	assert.Len(t, again, 1)
	first[0].Verdict = []byte("{")
	_, err = Records(first, journal.PhaseFull, judge(8))
	assert.ErrorContains(t, err, "recorded verdict by-pod-ip of comparison pod-ip-latency")
}
