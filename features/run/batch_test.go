package run

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
)

// controls are the arms of which the batch measures a second copy.
func controls(b *Batch) []string {
	var arms []string
	for _, c := range b.cells {
		if c.Cell.Control {
			arms = append(arms, c.Arm.Name)
		}
	}
	return arms
}

func has(b *Batch, cell measure.Cell) bool {
	return slices.ContainsFunc(b.cells, func(c plan.Cell) bool { return c.Cell == cell })
}

func TestBatchMeasuresEveryArmThatCanBeHad(t *testing.T) {
	o := newOffline(t, "quick")
	d := o.decided(t, "pod-ip-latency")
	b := newBatch(o.room, d, journal.PhaseFull)
	require.NoError(t, b.Prepare(t.Context()))
	assert.Equal(t, d.Round(), b.loop.Cells)
	assert.Empty(t, o.recorded(t))
	for _, c := range d.Cells {
		sets := len(plan.Pairs(c.Arm, c.Cell, journal.PhaseFull, o.plan.Profile.PodSets))
		assert.Len(t, b.targets[c.Cell], sets, c.Cell)
	}
}

func TestBatchLeavesALostArmOutAndRecordsItOnce(t *testing.T) {
	o := newOffline(t, "quick")
	o.pods.refuse["calico"] = errors.New("no address is left")
	d := o.decided(t, "pod-ip-latency")
	b := newBatch(o.room, d, journal.PhaseFull)
	require.NoError(t, b.Prepare(t.Context()))
	require.NoError(t, b.narrow(t.Context()))
	calico := cellOf(t, d, "calico")
	assert.False(t, has(b, calico))
	assert.Len(t, b.cells, len(d.Cells)-1, "the other arms are measured")
	assert.Equal(t, roundOf(b.cells), b.loop.Cells)
	assert.Equal(t, []string{d.Control}, controls(b))

	again := newBatch(o.room, d, journal.PhaseFull)
	require.NoError(t, again.Prepare(t.Context()))
	why := record.Reason{Code: record.PodsFailed, Cluster: "kube-proxy", Detail: "no address is left"}
	assert.Equal(t, []journal.Skip{{Cell: calico, Comparison: d.Name, Phase: journal.PhaseFull, Why: &why}}, o.recorded(t))
}

func TestBatchLeavesTheArmsOfALostClusterOut(t *testing.T) {
	o := newOffline(t, "quick")
	o.clusters.broken["ebpf"] = errors.New("no route")
	d := o.decided(t, "pod-ip-latency")
	b := newBatch(o.room, d, journal.PhaseFull)
	require.NoError(t, b.Prepare(t.Context()))
	assert.Equal(t, roundOf(d.In("kube-proxy")), b.loop.Cells)
	for _, skip := range o.recorded(t) {
		assert.Equal(t, record.ClusterLost, skip.Why.Code)
		assert.False(t, has(b, skip.Cell))
	}
	assert.Len(t, o.recorded(t), len(d.In("ebpf")))
}

func TestBatchMakesAnotherArmTheControl(t *testing.T) {
	for _, lost := range []string{"macvlan-control", "macvlan"} {
		t.Run(lost, func(t *testing.T) {
			o := newOffline(t, "quick")
			o.pods.refuse[lost] = errors.New("away")
			d := o.decided(t, "pod-ip-latency")
			require.Equal(t, "macvlan", d.Control)
			b := newBatch(o.room, d, journal.PhaseFull)
			require.NoError(t, b.Prepare(t.Context()))
			assert.Equal(t, lost == "macvlan-control", has(b, cellOf(t, d, "macvlan")))
			now := controls(b)
			require.Len(t, now, 1)
			assert.NotEqual(t, "macvlan", now[0])
			assert.True(t, has(b, cellOf(t, d, now[0])), "both of its copies are measured")
			assert.Contains(t, o.pods.started, now[0]+"-control")
			assert.Equal(t, roundOf(b.cells), b.loop.Cells)
		})
	}
}

func TestBatchOfFewerThanTwoArmsHasNothingToCompare(t *testing.T) {
	o := newOffline(t, "quick")
	d := o.decided(t, "pod-ip-latency")
	for _, c := range d.Cells {
		if c.Arm.Name != "calico" {
			o.pods.refuse[c.Arm.Datapath] = errors.New("away")
		}
	}
	b := newBatch(o.room, d, journal.PhaseFull)
	err := b.Prepare(t.Context())
	var left *leftOutError
	require.ErrorAs(t, err, &left)
	assert.Equal(t, record.NothingToCompare, left.why.Code)
	recorded := o.recorded(t)
	require.NotEmpty(t, recorded)
	last := recorded[len(recorded)-1]
	assert.Zero(t, last.Cell, "it is about the comparison")
	assert.Equal(t, record.NothingToCompare, last.Why.Code)
}

func TestBatchWithoutAnyClusterIsAnErrorOfTheInfrastructure(t *testing.T) {
	o := newOffline(t, "quick")
	o.clusters.broken["ebpf"], o.clusters.broken["kube-proxy"] = errors.New("no route"), errors.New("no disk")
	err := newBatch(o.room, o.decided(t, "pod-ip-latency"), journal.PhaseFull).Prepare(t.Context())
	assert.ErrorIs(t, err, ErrInfrastructure)
	assert.ErrorContains(t, err, "no route")
	assert.ErrorContains(t, err, "no disk")
}

// A resumed run measures the arms of the rounds that it has. Before the first round
// it tries again what was lost.
func TestBatchOfAResumedRun(t *testing.T) {
	for name, rounds := range map[string]int{"rounds exist": 1, "no round exists": 0} {
		t.Run(name, func(t *testing.T) {
			o := newOffline(t, "quick")
			d := o.decided(t, "pod-ip-latency")
			calico := cellOf(t, d, "calico")
			why := record.Reason{Code: record.PodsFailed, Cluster: "kube-proxy", Detail: "no address is left"}
			o.book.past = &journal.Run{Skips: []journal.Skip{{Cell: calico, Comparison: d.Name, Phase: journal.PhaseFull, Why: &why}}}
			for i := range rounds {
				for _, c := range d.Round() {
					if c != calico {
						o.book.past.Samples = append(o.book.past.Samples, journal.Sample{
							Comparison: d.Name, Phase: journal.PhaseFull, Round: i + 1, Attempt: 1, Cell: c,
							Values: measure.Values{{Metric: measure.Latency, Value: 40}},
						})
					}
				}
				o.book.past.Rounds = append(o.book.past.Rounds, journal.Round{
					Comparison: d.Name, Phase: journal.PhaseFull, Round: i + 1, Attempt: 1, Valid: true,
				})
			}
			b := newBatch(o.room, d, journal.PhaseFull)
			require.NoError(t, b.Prepare(t.Context()))
			assert.Equal(t, rounds == 0, has(b, calico))
			assert.Equal(t, rounds == 0, slices.Contains(o.pods.started, "calico"))
			assert.Empty(t, o.recorded(t), "what was recorded is not recorded again")
		})
	}
}
