// Package interference tells how much others disturbed a round: what the
// hypervisor took of the measuring CPU, what else ran on it, what a quota or the
// scheduler did to the tools, at both ends. It sees no value that was measured
// and does not know which arm a sample belongs to, so what it drops is no
// choice among results. It does no I/O and knows no cluster.
package interference

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// What is watched. Each is the worst of a round's samples and of both ends, since
// one disturbed sample is enough to spoil a ratio.
const (
	// Steal is the share of the measuring CPU's time that the hypervisor gave to
	// others.
	Steal = "steal"
	// MeasuringCPU is the share of the measuring CPU's time that neither client
	// nor server took.
	MeasuringCPU = "measuring-cpu"
	// RunQueue is for how long, per second, a tool was runnable but had to wait for
	// its CPU. With both ends on one CPU each waits for the other, too.
	RunQueue = "run-queue"
	// OtherCPUs is how busy the CPUs were that no tool is pinned to, as a share
	// of their time: agents, control planes, and whatever else the machine does.
	OtherCPUs = "other-cpus"
	// Throttled is the share of the sample's time for which a quota stopped the
	// client's pod.
	Throttled = "throttled"
	// ForcedSwitches is how often per second a tool had to give its CPU to
	// another. A server on the same CPU forces it too, thousands of times, so it
	// is for comparing like with like, and no profile of ours marks by it.
	ForcedSwitches = "forced-switches"
	// Load is the node's load average over the last minute.
	Load = "load"
)

// shares are those that are a part of a whole, between 0 and 1.
var shares = []string{Steal, MeasuringCPU, OtherCPUs, Throttled}

// external are those that no arm causes by being slow or costly. Only by them
// may rounds be dropped: by any other, an arm could choose its own rounds.
var external = []string{Steal, MeasuringCPU, OtherCPUs}

// Rule is fixed before the first round, as a part of the run's profile.
type Rule struct {
	// Mark holds what makes a round count as disturbed, by name.
	Mark map[string]float64 `yaml:"mark,omitempty" json:"mark,omitempty"`
	// Drop holds what makes a round be measured again: steal, measuring-cpu and
	// other-cpus only.
	Drop map[string]float64 `yaml:"drop,omitempty" json:"drop,omitempty"`
	// MaxDropped is how many rounds of one batch may be dropped. On a machine
	// that is always busy the rest count, marked: the arms are interleaved, so
	// what disturbs all of them costs precision and favours none. A verdict that
	// rests on such rounds for more than half is not given, see package verdict.
	MaxDropped int `yaml:"maxDropped,omitempty" json:"maxDropped,omitempty"`
}

// mostDropped bounds MaxDropped: each costs a whole round's time.
const mostDropped = 100

// Validate returns what is wrong with a rule.
func (r Rule) Validate() error {
	for _, part := range []struct {
		name   string
		limits map[string]float64
		known  []string
	}{
		{"mark", r.Mark, append(slices.Clone(shares), RunQueue, ForcedSwitches, Load)},
		{"drop", r.Drop, external},
	} {
		for _, name := range slices.Sorted(maps.Keys(part.limits)) {
			limit := part.limits[name]
			if !slices.Contains(part.known, name) {
				return fmt.Errorf("interference: %s knows no %q, only %s", part.name, name, strings.Join(part.known, ", "))
			}
			if !(limit > 0) || math.IsInf(limit, 0) || slices.Contains(shares, name) && limit > 1 {
				return fmt.Errorf("interference: %s of %s is %v: want a share above 0 and up to 1, or for %s, %s and %s a number above 0", part.name, name, limit, RunQueue, ForcedSwitches, Load)
			}
		}
	}
	if r.MaxDropped < 0 || r.MaxDropped > mostDropped {
		return fmt.Errorf("interference: maxDropped is %d, want 0 to %d", r.MaxDropped, mostDropped)
	}
	return nil
}

// Watch follows the rounds of one batch. Its zero value has no rule and marks
// nothing.
type Watch struct {
	Rule    Rule
	Dropped int // rounds dropped so far
	// Reserved tells that everything but the tools was moved to the other CPUs.
	// That those are full then disturbs nothing, so no limit of OtherCPUs counts.
	Reserved bool

	worst map[string]float64
}

// Add takes in what a sample's readings tell.
func (w *Watch) Add(numbers map[string]float64) {
	if w.worst == nil {
		w.worst = map[string]float64{}
	}
	for name, x := range numbers {
		w.worst[name] = max(w.worst[name], x)
	}
}

// Excess is a number beyond its limit.
type Excess struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
}

func (e Excess) String() string { return fmt.Sprintf("%s %.3g, above %.3g", e.Name, e.Value, e.Limit) }

// Finding is how others disturbed a round.
type Finding struct {
	Numbers map[string]float64 // what was watched; what could not be is absent
	Marked  bool               // some number is beyond its mark
	Beyond  []Excess           // what is beyond its drop limit
	Drop    bool               // the round is to be measured again
	Kept    bool               // beyond a drop limit, but no more rounds may be dropped
}

// Round ends a round and forgets its samples. sound tells that nothing but others
// can have spoilt it: every tool ran to its end. A round that is not sound is measured
// again anyway, and counts for nothing here.
func (w *Watch) Round(sound bool) Finding {
	f := Finding{Numbers: w.worst}
	w.worst = nil
	f.Marked = len(w.beyond(f.Numbers, w.Rule.Mark)) > 0
	f.Beyond = w.beyond(f.Numbers, w.Rule.Drop)
	if len(f.Beyond) == 0 || !sound {
		return f
	}
	f.Marked = true
	f.Drop = w.Dropped < w.Rule.MaxDropped
	f.Kept = !f.Drop
	if f.Drop {
		w.Dropped++
	}
	return f
}

// beyond are the numbers above their limits, in the order of their names.
func (w *Watch) beyond(numbers, limits map[string]float64) []Excess {
	var found []Excess
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		if x, ok := numbers[name]; ok && x > limits[name] && !(w.Reserved && name == OtherCPUs) {
			found = append(found, Excess{name, x, limits[name]})
		}
	}
	return found
}
