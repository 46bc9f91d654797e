package run

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// What the rounds say of the gates of pod-ip-latency.
var (
	asClaimed = map[string]float64{"macvlan": 20, "cilium": 30, "calico": 50}
	backwards = map[string]float64{"macvlan": 50, "cilium": 30, "calico": 20}
	allEqual  = map[string]float64{}
)

// measured is a comparison whose rounds have run twice, with these latencies.
func (o *offline) measured(t *testing.T, comparison string, latency map[string]float64, but ...string) *measurement {
	t.Helper()
	d := o.decided(t, comparison)
	cells := slices.DeleteFunc(d.Round(), func(c measure.Cell) bool { return slices.Contains(but, c.Arm) })
	m := &measurement{decided: d, phase: journal.PhaseFull, done: true}
	m.result = o.room.judge.comparison(d, measuredRounds(cells, d.MaxRounds, latency), nil)
	m.result.Confirming = measuredRounds(cells, d.MaxRounds, latency)
	return m
}

// lose records that an arm of a measurement was lost with its cluster.
func (o *offline) lose(t *testing.T, m *measurement, arm string) {
	t.Helper()
	why := record.Reason{Code: record.ClusterLost, Cluster: "ebpf", Detail: "no route"}
	require.NoError(t, o.book.skip(m.decided.Name, m.phase, cellOf(t, m.decided, arm), why))
}

// gatesOnly leaves of the gates only the named one.
func (o *offline) gatesOnly(m *measurement, name string) {
	other := func(a verdict.Assertion) bool { return a.Role == verdict.Gate && a.Name != name }
	o.plan.Thresholds.Assertions = slices.DeleteFunc(slices.Clone(o.plan.Thresholds.Assertions), other)
	m.decided.Assertions = slices.DeleteFunc(slices.Clone(m.decided.Assertions), other)
}

func TestOutcomeOfARunThatJudges(t *testing.T) {
	const comparison = "pod-ip-latency"
	for name, c := range map[string]struct {
		run  func(*testing.T, *offline) []*measurement
		code int
	}{
		"every gate passed": {
			func(t *testing.T, o *offline) []*measurement {
				return []*measurement{o.measured(t, comparison, asClaimed)}
			}, verdict.ExitPass,
		},
		"a gate failed": {
			func(t *testing.T, o *offline) []*measurement {
				return []*measurement{o.measured(t, comparison, backwards)}
			}, verdict.ExitFail,
		},
		"open gates": {
			func(t *testing.T, o *offline) []*measurement {
				return []*measurement{o.measured(t, comparison, allEqual)}
			}, verdict.ExitInconclusive,
		},
		"a failed gate counts before one that a lost cluster keeps open": {
			func(t *testing.T, o *offline) []*measurement {
				m := o.measured(t, comparison, backwards, "cilium")
				o.lose(t, m, "cilium")
				return []*measurement{m}
			}, verdict.ExitFail,
		},
		"a lost cluster counts before a gate that stays open": {
			func(t *testing.T, o *offline) []*measurement {
				m := o.measured(t, comparison, allEqual, "cilium")
				o.lose(t, m, "cilium")
				return []*measurement{m}
			}, verdict.ExitInfrastructure,
		},
		"a lost cluster without a gate": {
			func(t *testing.T, o *offline) []*measurement {
				m := o.measured(t, comparison, asClaimed, "cilium")
				o.lose(t, m, "cilium")
				o.gatesOnly(m, "latency-macvlan-over-calico")
				return []*measurement{m}
			}, verdict.ExitPass,
		},
		"a cluster lost after its gates were decided": {
			func(t *testing.T, o *offline) []*measurement {
				m := o.measured(t, comparison, asClaimed)
				o.lose(t, m, "cilium")
				return []*measurement{m}
			}, verdict.ExitPass,
		},
		"the comparison of the gates broke": {
			func(t *testing.T, o *offline) []*measurement {
				broken := &measurement{decided: o.decided(t, comparison), phase: journal.PhaseFull, err: errors.New("disk full")}
				return []*measurement{o.measured(t, "cluster-ip-latency", allEqual), broken}
			}, verdict.ExitInfrastructure,
		},
		"the time for the gates was over": {
			func(t *testing.T, o *offline) []*measurement {
				skipped := &measurement{decided: o.decided(t, comparison), phase: journal.PhaseFull, skipped: &record.Reason{Code: record.NoTime}}
				require.NoError(t, o.book.skip(comparison, journal.PhaseFull, measure.Cell{}, *skipped.skipped))
				return []*measurement{o.measured(t, "cluster-ip-latency", allEqual), skipped}
			}, verdict.ExitInconclusive,
		},
		"no comparison could be measured": {
			func(t *testing.T, o *offline) []*measurement {
				return []*measurement{{decided: o.decided(t, comparison), phase: journal.PhaseFull, err: errors.New("disk full")}}
			}, verdict.ExitInfrastructure,
		},
		"nothing was measured": {
			func(*testing.T, *offline) []*measurement { return nil }, verdict.ExitInfrastructure,
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffline(t, "quick")
			o.measurements = c.run(t, o)
			code, reason := o.concluded(t)
			assert.Equal(t, c.code, code, reason)
		})
	}
}

func TestOutcomeOfASmokeRun(t *testing.T) {
	all := func(t *testing.T, o *offline) {
		for _, d := range o.plan.Selected() {
			o.measurements = append(o.measurements, o.measured(t, d.Name, allEqual))
		}
	}
	o := newOffline(t, "smoke")
	all(t, o)
	code, reason := o.concluded(t)
	assert.Equal(t, verdict.ExitPass, code, reason)

	// An arm that the lab or the profile doesn't have is nobody's fault.
	first := o.measurements[0]
	left := record.Reason{Code: record.OtherCluster, Profile: "smoke", Cluster: "ebpf"}
	require.NoError(t, o.book.skip(first.decided.Name, first.phase, cellOf(t, first.decided, "cilium"), left))
	code, reason = o.concluded(t)
	assert.Equal(t, verdict.ExitPass, code, reason)

	o.measurements[0] = o.measured(t, first.decided.Name, allEqual, "cilium")
	o.lose(t, first, "cilium")
	code, reason = o.concluded(t)
	assert.Equal(t, verdict.ExitInfrastructure, code)
	assert.Contains(t, reason, "cluster ebpf is lost: no route")
}

// A comparison that was narrowed to nothing is skipped, not broken, and its error
// never ends the run.
func TestMeasurementKeepsWhyItWasNotMeasured(t *testing.T) {
	o := newOffline(t, "quick")
	for _, c := range o.decided(t, "pod-ip-latency").Cells {
		o.pods.refuse[c.Arm.Datapath] = errors.New("away")
	}
	m := &measurement{decided: o.decided(t, "pod-ip-latency"), phase: journal.PhaseFull}
	m.prepare(t.Context(), o.room)
	require.NoError(t, m.err)
	require.NotNil(t, m.skipped)
	assert.Equal(t, record.NothingToCompare, m.skipped.Code)
	assert.False(t, m.done)

	o.room.measured = 1 << 62
	late := &measurement{decided: o.decided(t, "cluster-ip-latency"), phase: journal.PhaseFull}
	late.prepare(t.Context(), o.room)
	require.NoError(t, late.err)
	assert.Equal(t, record.NoTime, late.skipped.Code)
	assert.False(t, late.skipped.Infrastructure(), "time is no fault of the infrastructure")
}

// The budget is of the rounds of a process: what an interrupted run had no time for, it
// has when it is resumed.
func TestASkipForTimeIsNotForEver(t *testing.T) {
	o := newOffline(t, "quick")
	m := &measurement{decided: o.decided(t, "pod-ip-latency"), phase: journal.PhaseFull}
	o.room.measured = time.Duration(o.room.plan.Profile.BudgetMinutes)*time.Minute + time.Second
	why := o.room.overBudget(m)
	require.NotNil(t, why)
	assert.Equal(t, record.NoTime, why.Code)

	o.book.past = &journal.Run{Skips: []journal.Skip{{Comparison: m.decided.Name, Phase: m.phase, Why: why}}}
	o.room.measured = 0
	assert.Nil(t, o.room.overBudget(m))
	assert.Empty(t, o.book.missing(), "it is not missing before it was tried again")
}
