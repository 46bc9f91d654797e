package interference

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/podrun"
	"github.com/cniperf/cniperf/internal/trailer"
)

// reading is a CPU that spent so many hundredths of a second busy and stolen.
func reading(busy, steal uint64) trailer.CPUTime {
	before := started
	before.User, before.Steal, before.Idle = before.User+busy, before.Steal+steal, before.Idle+100-busy-steal
	return before
}

var started = trailer.CPUTime{User: 1000, System: 500, Softirq: 200, Steal: 40, Idle: 9000}

// sample is a second on two CPUs, client and server pinned to CPU 1: how many
// hundredths the hypervisor took of CPU 1, how many CPU 0 was busy, and how many
// others took of CPU 1. The client took 40 of it, the server 20.
func sample(steal, busy, foreign uint64) Sample {
	before := map[int]trailer.CPUTime{0: started, 1: started}
	after := map[int]trailer.CPUTime{0: reading(busy, 0), 1: reading(60+foreign, steal)}
	server := podrun.Process{Name: "sockperf", CPUs: []int{1}, Ran: time.Minute, Waited: time.Second, Forced: 100}
	later := server
	later.Ran, later.Waited, later.Forced = server.Ran+200*time.Millisecond, server.Waited+100*time.Millisecond, server.Forced+9
	return Sample{
		Server: "sockperf",
		Before: podrun.Servers{Boot: "1", Machine: "m", Processes: []podrun.Process{server}, PerCPU: before},
		After:  podrun.Servers{Boot: "1", Machine: "m", Processes: []podrun.Process{later}, PerCPU: after},
		Client: trailer.Trailer{
			Elapsed: time.Second, CPUs: []int{1}, Involuntary: 7, ToolCPU: 400 * time.Millisecond, ToolWaited: 50 * time.Millisecond,
			Before: trailer.Snapshot{Machine: "m", PerCPU: before, Load1: 1.5},
			After:  trailer.Snapshot{Machine: "m", PerCPU: after, Load1: 1.25},
		},
	}
}

func TestNumbersOfASample(t *testing.T) {
	got := Numbers(sample(10, 30, 25))
	want := map[string]float64{Steal: 0.1, OtherCPUs: 0.3, MeasuringCPU: 0.25, RunQueue: 0.1, Throttled: 0, ForcedSwitches: 9, Load: 1.5}
	assert.InDeltaMapValues(t, want, got, 1e-9)

	throttled := sample(0, 0, 0)
	throttled.Client.After.Throttled = 250 * time.Millisecond
	assert.Equal(t, 0.25, Numbers(throttled)[Throttled])
}

// netserver works in a child for each test, whose time is gone with it: only the
// container's account has it. It was taken for the time of others, 60 % of the CPU.
func TestAServersChildrenAreNotOthers(t *testing.T) {
	s := sample(0, 0, 30)
	assert.InDelta(t, 0.3, Numbers(s)[MeasuringCPU], 1e-9)
	s.Before.Ran, s.After.Ran = time.Minute, time.Minute+500*time.Millisecond
	assert.InDelta(t, 0, Numbers(s)[MeasuringCPU], 1e-9)
}

// On two machines the same number means two CPUs: each end's own process is all
// that may run there.
func TestEachEndIsWatchedOnItsOwnMachine(t *testing.T) {
	s := sample(0, 0, 0)
	s.Before.Machine, s.After.Machine = "other", "other"
	assert.InDelta(t, 0.4, Numbers(s)[MeasuringCPU], 1e-9, "of the server's CPU 60 were busy, 20 its own")
	s.After.PerCPU = map[int]trailer.CPUTime{0: started, 1: reading(20, 30)}
	assert.InDelta(t, 0.3, Numbers(s)[Steal], 1e-9, "the worse end counts")
}

func TestWhatCannotBeToldIsAbsent(t *testing.T) {
	assert.Equal(t, map[string]float64{Load: 0}, Numbers(Sample{}))
	one := sample(0, 0, 0)
	one.Client.CPUs = []int{0, 1}
	one.Server = "another"
	assert.NotContains(t, Numbers(one), OtherCPUs, "no CPU is left to others")
	back := sample(0, 0, 0)
	for _, m := range []map[int]trailer.CPUTime{back.Client.After.PerCPU, back.After.PerCPU} {
		cpu := m[1]
		cpu.Steal = 0
		m[1] = cpu
	}
	for _, name := range []string{Steal, MeasuringCPU} {
		assert.NotContains(t, Numbers(back), name, "a counter that went back tells nothing")
	}
	for _, x := range Numbers(back) {
		assert.False(t, math.IsNaN(x) || math.IsInf(x, 0))
	}
	restarted := sample(0, 0, 0)
	restarted.After.Boot = "2"
	assert.Equal(t, 7.0, Numbers(restarted)[ForcedSwitches], "a server that was restarted tells nothing")
}

var rule = Rule{
	Mark:       map[string]float64{OtherCPUs: 0.5, ForcedSwitches: 100},
	Drop:       map[string]float64{Steal: 0.2, OtherCPUs: 0.9},
	MaxDropped: 2,
}

func TestARoundIsItsWorstSample(t *testing.T) {
	w := &Watch{Rule: rule}
	w.Add(Numbers(sample(0, 10, 0)))
	w.Add(Numbers(sample(0, 60, 0)))
	w.Add(Numbers(sample(0, 5, 0)))
	f := w.Round(true)
	assert.Equal(t, 0.6, f.Numbers[OtherCPUs])
	assert.Equal(t, Finding{Numbers: f.Numbers, Marked: true}, f)
	w.Add(Numbers(sample(0, 10, 0)))
	assert.False(t, w.Round(true).Marked, "the next round begins anew")
}

func TestDropsAsManyRoundsAsItMayAndThenKeepsThemMarked(t *testing.T) {
	w := &Watch{Rule: rule}
	busy := func(whole bool) Finding {
		w.Add(Numbers(sample(0, 100, 0)))
		return w.Round(whole)
	}
	f := busy(true)
	assert.True(t, f.Drop && f.Marked && !f.Kept)
	assert.Equal(t, []Excess{{OtherCPUs, 1, 0.9}}, f.Beyond)
	assert.Equal(t, "other-cpus 1, above 0.9", f.Beyond[0].String())
	f = busy(false)
	assert.False(t, f.Drop || f.Kept, "a round that is measured again anyway costs nothing")
	assert.True(t, busy(true).Drop)
	f = busy(true)
	assert.True(t, f.Kept && f.Marked && !f.Drop)
	w.Add(Numbers(sample(0, 10, 0)))
	f = w.Round(true)
	assert.False(t, f.Drop || f.Kept || f.Marked)
	assert.Equal(t, 2, w.Dropped)
}

// On the embedded lab everything but the tools is put on the other CPUs on
// purpose, while samples run: only what is left on the measuring one disturbs.
func TestFullOtherCPUsDisturbNothingWhereTheMeasuringOneIsReserved(t *testing.T) {
	w := &Watch{Reserved: true, Rule: Rule{
		Mark: map[string]float64{OtherCPUs: 0.5, MeasuringCPU: 0.2}, Drop: map[string]float64{OtherCPUs: 0.9, MeasuringCPU: 0.5}, MaxDropped: 1,
	}}
	w.Add(Numbers(sample(0, 100, 0)))
	f := w.Round(true)
	assert.Equal(t, 1.0, f.Numbers[OtherCPUs], "but it is recorded")
	assert.False(t, f.Marked || f.Drop)
	w.Add(Numbers(sample(0, 0, 30)))
	assert.True(t, w.Round(true).Marked)
	w.Add(Numbers(sample(5, 0, 35)))
	w.Add(map[string]float64{MeasuringCPU: 0.6})
	assert.True(t, w.Round(true).Drop)
}

// The rule sees samples without their arms and values: in whatever order they
// come, the finding is the same.
func TestTheFindingDoesNotDependOnWhichArmWasDisturbed(t *testing.T) {
	samples := []Sample{sample(0, 10, 0), sample(30, 10, 0), sample(0, 95, 0)}
	var first Finding
	for i := range samples {
		w := &Watch{Rule: rule}
		for j := range samples {
			w.Add(Numbers(samples[(i+j)%len(samples)]))
		}
		f := w.Round(true)
		if i == 0 {
			first = f
		}
		assert.Equal(t, first, f)
	}
	assert.Equal(t, []Excess{{OtherCPUs, 0.95, 0.9}, {Steal, 0.3, 0.2}}, first.Beyond)
}

func TestWithoutARuleNothingIsMarked(t *testing.T) {
	var w Watch
	w.Add(Numbers(sample(40, 0, 0)))
	f := w.Round(true)
	assert.Equal(t, 0.4, f.Numbers[Steal], "but all is recorded")
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
		`drop knows no "run-queue"`: {Drop: map[string]float64{RunQueue: 1}},
		`drop knows no "throttled"`: {Drop: map[string]float64{Throttled: 0.1}},
	} {
		assert.ErrorContains(t, r.Validate(), want)
	}
}
