package run

import (
	"errors"
	"slices"
	"testing"

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
		run    func(*testing.T, *offline) []*measurement
		code   int
		reason string
	}{
		"every gate passed": {
			func(t *testing.T, o *offline) []*measurement {
				return []*measurement{o.measured(t, comparison, asClaimed)}
			}, verdict.ExitPass, "every gate passed",
		},
		"a gate failed": {
			func(t *testing.T, o *offline) []*measurement {
				return []*measurement{o.measured(t, comparison, backwards)}
			}, verdict.ExitFail, "a gate failed",
		},
		"open gates": {
			func(t *testing.T, o *offline) []*measurement {
				return []*measurement{o.measured(t, comparison, allEqual)}
			}, verdict.ExitInconclusive, "not every gate could be decided",
		},
		"a failed gate counts before one that a lost cluster keeps open": {
			func(t *testing.T, o *offline) []*measurement {
				m := o.measured(t, comparison, backwards, "cilium")
				o.lose(t, m, "cilium")
				return []*measurement{m}
			}, verdict.ExitFail, "a gate failed",
		},
		"a lost cluster counts before a gate that stays open": {
			func(t *testing.T, o *offline) []*measurement {
				m := o.measured(t, comparison, allEqual, "cilium")
				o.lose(t, m, "cilium")
				return []*measurement{m}
			}, verdict.ExitInfrastructure, "infrastructure kept gates open: latency-macvlan-over-cilium (cilium/pod-ip/",
		},
		"a lost cluster without a gate": {
			func(t *testing.T, o *offline) []*measurement {
				m := o.measured(t, comparison, asClaimed, "cilium")
				o.lose(t, m, "cilium")
				o.gatesOnly(m, "latency-macvlan-over-calico")
				return []*measurement{m}
			}, verdict.ExitPass, "every gate passed",
		},
		"a cluster lost after its gates were decided": {
			func(t *testing.T, o *offline) []*measurement {
				m := o.measured(t, comparison, asClaimed)
				o.lose(t, m, "cilium")
				return []*measurement{m}
			}, verdict.ExitPass, "every gate passed",
		},
		"a broken comparison without a gate": {
			func(t *testing.T, o *offline) []*measurement {
				broken := &measurement{decided: o.decided(t, "pod-ip-tcp-rr"), phase: journal.PhaseFull, err: errors.New("disk full")}
				return []*measurement{o.measured(t, comparison, asClaimed), broken}
			}, verdict.ExitPass, "every gate passed",
		},
		"the comparison of the gates broke": {
			func(t *testing.T, o *offline) []*measurement {
				broken := &measurement{decided: o.decided(t, comparison), phase: journal.PhaseFull, err: errors.New("disk full")}
				return []*measurement{o.measured(t, "cluster-ip-latency", allEqual), broken}
			}, verdict.ExitInfrastructure, "latency-macvlan-over-calico (disk full)",
		},
		"the time for the gates was over": {
			func(t *testing.T, o *offline) []*measurement {
				skipped := &measurement{decided: o.decided(t, comparison), phase: journal.PhaseFull, skipped: &record.Reason{Code: record.NoTime}}
				return []*measurement{o.measured(t, "cluster-ip-latency", allEqual), skipped}
			}, verdict.ExitInconclusive, "not every gate could be decided",
		},
		"no comparison could be measured": {
			func(t *testing.T, o *offline) []*measurement {
				return []*measurement{{decided: o.decided(t, comparison), phase: journal.PhaseFull, err: errors.New("disk full")}}
			}, verdict.ExitInfrastructure, "no comparison was measured: disk full",
		},
		"nothing was measured": {
			func(*testing.T, *offline) []*measurement { return nil }, verdict.ExitInfrastructure, "no full comparison was measured",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffline(t, "quick")
			o.measurements = c.run(t, o)
			code, reason, err := o.outcome()
			require.NoError(t, err)
			assert.Equal(t, c.code, code, reason)
			assert.Contains(t, reason, c.reason)
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
	code, reason, err := o.outcome()
	require.NoError(t, err)
	assert.Equal(t, verdict.ExitPass, code, reason)
	assert.Equal(t, "profile smoke: 3 comparisons measured, none judged", reason)

	// An arm that the lab or the profile doesn't have is nobody's fault.
	first := o.measurements[0]
	left := record.Reason{Code: record.OtherCluster, Profile: "smoke", Cluster: "ebpf"}
	require.NoError(t, o.book.skip(first.decided.Name, first.phase, cellOf(t, first.decided, "cilium"), left))
	code, _, err = o.outcome()
	require.NoError(t, err)
	assert.Equal(t, verdict.ExitPass, code)

	o.lose(t, first, "cilium")
	code, reason, err = o.outcome()
	require.NoError(t, err)
	assert.Equal(t, verdict.ExitInfrastructure, code)
	assert.Contains(t, reason, "pod-ip-latency: cilium/pod-ip/cross-node/sockperf-latency: cluster ebpf is lost: no route")
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
	for _, a := range m.decided.Assertions {
		assert.ErrorContains(t, m.open(a, o.room), "too few arms are left", a.Name)
	}

	o.room.measured = 1 << 62
	late := &measurement{decided: o.decided(t, "cluster-ip-latency"), phase: journal.PhaseFull}
	late.prepare(t.Context(), o.room)
	require.NoError(t, late.err)
	assert.Equal(t, record.NoTime, late.skipped.Code)
	assert.NoError(t, late.open(late.decided.Assertions[0], o.room), "time is no fault of the infrastructure")
}
