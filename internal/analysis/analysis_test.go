package analysis

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

const latency = "pod-ip-latency"

func cell(arm string) measure.Cell {
	c := measure.Cell{Path: measure.PodIP, Placement: measure.CrossNode, Benchmark: "sockperf-latency"}
	c.Arm, c.Control = strings.CutSuffix(arm, "#control")
	if arm == HostArm {
		c.Path = measure.HostIP
	}
	return c
}

// round records one round of a phase; an arm of NaN has an invalid sample.
func round(run *journal.Run, phase string, index, attempt int, valid bool, latencies map[string]float64) {
	for arm, x := range latencies {
		s := journal.Sample{Comparison: latency, Phase: phase, Round: index, Attempt: attempt, Cell: cell(arm)}
		if math.IsNaN(x) {
			s.Invalid = "the stream was cut"
		} else {
			s.Values = measure.Values{{Metric: measure.Latency, Value: x}}
		}
		run.Samples = append(run.Samples, s)
	}
	run.Rounds = append(run.Rounds, journal.Round{Comparison: latency, Phase: phase, Round: index, Attempt: attempt, Valid: valid})
}

func TestAComparisonInNumbers(t *testing.T) {
	run := &journal.Run{}
	round(run, journal.PhaseFull, 1, 1, true, map[string]float64{"node": 10, "macvlan": 8, "macvlan#control": 8.4, "calico": 20})
	round(run, journal.PhaseFull, 2, 1, false, map[string]float64{"calico": math.NaN()})
	round(run, journal.PhaseFull, 2, 2, true, map[string]float64{"node": 20, "macvlan": 14, "macvlan#control": 14, "calico": 42})
	round(run, journal.PhaseFull, 3, 1, true, map[string]float64{"node": 10, "macvlan": 9, "macvlan#control": 9, "calico": 20})
	run.Rounds[len(run.Rounds)-1].Disturbed = true
	round(run, journal.PhaseFull, 4, 1, true, map[string]float64{"node": 10})
	run.Samples = append(run.Samples, journal.Sample{Comparison: latency, Phase: journal.PhaseFull, Round: 5, Attempt: 1, Cell: cell("node")})
	all := Of(run)
	require.Len(t, all, 1)
	c := all[0]
	assert.Equal(t, []string{"sockperf-latency", measure.PodIP, measure.CrossNode, "full"}, []string{c.Benchmark, c.Path, c.Placement, c.Phase})
	assert.Len(t, c.Valid, 3)
	var arms []string
	for _, a := range c.Arms {
		arms = append(arms, a.Cell.Arm)
	}
	assert.Equal(t, []string{"macvlan", "node", "calico"}, arms, "best first")
	assert.Equal(t, 9.0, c.Arms[0].Metrics[0].Median)
	assert.InDeltaSlice(t, []float64{.8, .7, .9}, []float64{c.Arms[0].Ratio.Median, c.Arms[0].Ratio.Min, c.Arms[0].Ratio.Max}, 1e-12, "round by round")
	assert.InDelta(t, 1.05, c.Control.Ratio.Max, 1e-12)
	var dropped []DropCode
	for _, d := range c.Dropped {
		dropped = append(dropped, d.Code)
	}
	assert.Equal(t, []DropCode{Recorded, Lacking, Unfinished}, dropped)
	assert.True(t, c.Dropped[0].Repeated)
	assert.Len(t, c.Disturbed, 1)
}

func TestAnArmLeftOutMidwayKeepsItsRounds(t *testing.T) {
	run := &journal.Run{}
	round(run, journal.PhaseFull, 1, 1, true, map[string]float64{"node": 10, "macvlan": 8, "calico": 20})
	round(run, journal.PhaseFull, 2, 1, false, map[string]float64{"node": 10, "calico": math.NaN()})
	run.Skips = []journal.Skip{{Cell: cell("calico"), Comparison: latency, Phase: journal.PhaseFull, Reason: "it has no pods"}}
	round(run, journal.PhaseFull, 2, 2, true, map[string]float64{"node": 10, "macvlan": 8})
	c := Of(run)[0]
	assert.Len(t, c.Valid, 2)
	require.Len(t, c.Arms, 3)
	assert.Equal(t, []float64{20}, c.Arms[2].Metrics[0].Values)
	assert.InDelta(t, 2, c.Arms[2].Ratio.Median, 1e-12)
	assert.Len(t, c.Skipped, 1)
}

// The first phase stands until the full one has a round; a confirming batch is
// beside its comparison.
func TestPhases(t *testing.T) {
	run := &journal.Run{}
	round(run, journal.PhaseFirst, 1, 1, true, map[string]float64{"node": 10, "macvlan": 8})
	round(run, journal.PhaseFull, 1, 1, false, map[string]float64{"node": math.NaN()})
	assert.Equal(t, journal.PhaseFirst, Of(run)[0].Phase)
	round(run, journal.PhaseFull, 1, 2, true, map[string]float64{"node": 10, "macvlan": 8})
	round(run, journal.PhaseConfirm, 1, 1, true, map[string]float64{"node": 10, "macvlan": 8})
	all := Of(run)
	require.Len(t, all, 2)
	assert.Equal(t, []string{journal.PhaseFull, journal.PhaseConfirm}, []string{all[0].Phase, all[1].Phase})
}

func TestWhatCanNotBeComputedIsAWarning(t *testing.T) {
	run := &journal.Run{}
	round(run, journal.PhaseFull, 1, 1, true, map[string]float64{"node": 0, "macvlan": 8})
	c := Of(run)[0]
	assert.Equal(t, NoRatio, c.Warnings[0].Code)
	run.Samples[0].Values[0].Metric = measure.CPUPerByte
	run.Samples[1].Values[0].Metric = measure.CPUPerTransaction
	c = Of(run)[0]
	assert.Equal(t, []Warning{{Code: NoMetric, Comparison: latency}}, c.Warnings)
	assert.Nil(t, c.Metric)
}
