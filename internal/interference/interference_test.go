package interference

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/trailer"
)

// sample is a second on two CPUs, the tool pinned to CPU 1: how many hundredths
// the hypervisor took of each, and how many CPU 0 was busy.
func sample(steal, busy uint64) trailer.Trailer {
	before := trailer.CPUTime{User: 1000, System: 500, Softirq: 200, Steal: 40, Idle: 9000}
	add := func(c trailer.CPUTime, user, steal, idle uint64) trailer.CPUTime {
		c.User, c.Steal, c.Idle = c.User+user, c.Steal+steal, c.Idle+idle
		return c
	}
	return trailer.Trailer{
		Elapsed: time.Second, CPUs: []int{1}, Involuntary: 7,
		Before: trailer.Snapshot{CPU: before, PerCPU: map[int]trailer.CPUTime{0: before, 1: before}, Load1: 1.5},
		After: trailer.Snapshot{
			CPU: add(before, busy+100-steal, 2*steal, 100-busy-steal), Load1: 1.25,
			PerCPU: map[int]trailer.CPUTime{0: add(before, busy, steal, 100-busy-steal), 1: add(before, 100-steal, steal, 0)},
		},
	}
}

func TestNumbersOfASample(t *testing.T) {
	got := numbers(sample(10, 30))
	assert.Equal(t, map[string]float64{Steal: 0.1, OtherCPUs: 0.3, Throttled: 0, ForcedSwitches: 7, Load: 1.5}, got)

	throttled := sample(0, 0)
	throttled.After.Throttled = 250 * time.Millisecond
	assert.Equal(t, 0.25, numbers(throttled)[Throttled])
}

func TestWhatCannotBeToldIsAbsent(t *testing.T) {
	assert.Equal(t, map[string]float64{Load: 0}, numbers(trailer.Trailer{}))
	one := sample(0, 0)
	one.CPUs = []int{0, 1}
	assert.NotContains(t, numbers(one), OtherCPUs, "no CPU is left to others")
	back := sample(0, 0)
	back.After.CPU.Steal = 0
	assert.NotContains(t, numbers(back), Steal, "a counter that went back tells nothing")
	for _, x := range numbers(back) {
		assert.False(t, math.IsNaN(x) || math.IsInf(x, 0))
	}
}

var rule = Rule{
	Mark:       map[string]float64{OtherCPUs: 0.5, ForcedSwitches: 100},
	Drop:       map[string]float64{Steal: 0.2, OtherCPUs: 0.9},
	MaxDropped: 2,
}

func TestARoundIsItsWorstSample(t *testing.T) {
	w := &Watch{Rule: rule}
	w.Add(sample(0, 10))
	w.Add(sample(0, 60))
	w.Add(sample(0, 5))
	f := w.Round(true)
	assert.Equal(t, 0.6, f.Numbers[OtherCPUs])
	assert.Equal(t, Finding{Numbers: f.Numbers, Marked: true}, f)
	w.Add(sample(0, 10))
	assert.False(t, w.Round(true).Marked, "the next round begins anew")
}

func TestDropsAsManyRoundsAsItMayAndThenKeepsThemMarked(t *testing.T) {
	w := &Watch{Rule: rule}
	busy := func(whole bool) Finding {
		w.Add(sample(0, 100))
		return w.Round(whole)
	}
	f := busy(true)
	assert.True(t, f.Drop && f.Marked && !f.Kept)
	assert.Equal(t, "other-cpus 1, above 0.9", f.Beyond)
	f = busy(false)
	assert.False(t, f.Drop || f.Kept, "a round that is measured again anyway costs nothing")
	assert.True(t, busy(true).Drop)
	f = busy(true)
	assert.True(t, f.Kept && f.Marked && !f.Drop)
	w.Add(sample(0, 10))
	f = w.Round(true)
	assert.False(t, f.Drop || f.Kept || f.Marked)
	assert.Equal(t, 2, w.Dropped)
}

// The rule sees samples without their arms and values: in whatever order they
// come, the finding is the same.
func TestTheFindingDoesNotDependOnWhichArmWasDisturbed(t *testing.T) {
	samples := []trailer.Trailer{sample(0, 10), sample(30, 10), sample(0, 95)}
	var first Finding
	for i := range samples {
		w := &Watch{Rule: rule}
		for j := range samples {
			w.Add(samples[(i+j)%len(samples)])
		}
		f := w.Round(true)
		if i == 0 {
			first = f
		}
		assert.Equal(t, first, f)
	}
	assert.Equal(t, "other-cpus 0.95, above 0.9, steal 0.3, above 0.2", first.Beyond)
}

func TestWithoutARuleNothingIsMarked(t *testing.T) {
	var w Watch
	w.Add(sample(90, 0))
	f := w.Round(true)
	assert.Equal(t, 0.9, f.Numbers[Steal], "but all is recorded")
	assert.False(t, f.Marked || f.Drop || f.Kept)
}

func TestValidateRefuses(t *testing.T) {
	require.NoError(t, rule.Validate())
	for want, r := range map[string]Rule{
		`mark knows no "stea"`:      {Mark: map[string]float64{"stea": 1}},
		`drop knows no "load"`:      {Drop: map[string]float64{Load: 4}},
		"drop of steal is 1.5":      {Drop: map[string]float64{Steal: 1.5}},
		"mark of load is 0":         {Mark: map[string]float64{Load: 0}},
		"mark of load is NaN":       {Mark: map[string]float64{Load: math.NaN()}},
		"mark of load is +Inf":      {Mark: map[string]float64{Load: math.Inf(1)}},
		"maxDropped is -1":          {MaxDropped: -1},
		"maxDropped is 101":         {MaxDropped: 101},
		`drop knows no "throttled"`: {Drop: map[string]float64{Throttled: 0.1}},
	} {
		assert.ErrorContains(t, r.Validate(), want)
	}
}
