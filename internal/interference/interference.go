// Package interference tells how much others disturbed a round: what the
// hypervisor took away, what ran on the CPUs beside the measuring one, what a
// quota or the scheduler did to the tool. It sees no value that was measured
// and does not know which arm a sample belongs to, so what it drops is no
// choice among results. It does no I/O and knows no cluster.
package interference

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/counter"
	"github.com/cniperf/cniperf/internal/trailer"
)

// What is watched. Each is the worst of a round's samples, since one disturbed
// sample is enough to spoil a ratio.
const (
	// Steal is the share of all CPUs' time that the hypervisor gave to others.
	Steal = "steal"
	// OtherCPUs is how busy the CPUs were that no tool is pinned to, as a share
	// of their time: agents, control planes, and whatever else the machine does.
	OtherCPUs = "other-cpus"
	// Throttled is the share of the sample's time for which a quota stopped the
	// client's pod.
	Throttled = "throttled"
	// ForcedSwitches is how often per second the tool had to give its CPU to
	// another. A server on the same CPU forces it too, thousands of times, so it
	// is for comparing like with like, and no profile of ours marks by it.
	ForcedSwitches = "forced-switches"
	// Load is the node's load average over the last minute.
	Load = "load"
)

// shares are those that are a part of a whole, between 0 and 1.
var shares = []string{Steal, OtherCPUs, Throttled}

// external are those that no arm causes by being slow or costly. Only by them
// may rounds be dropped: by any other, an arm could choose its own rounds.
var external = []string{Steal, OtherCPUs}

// Rule is fixed before the first round, as a part of the run's profile.
type Rule struct {
	// Mark holds what makes a round count as disturbed, by name.
	Mark map[string]float64 `yaml:"mark,omitempty" json:"mark,omitempty"`
	// Drop holds what makes a round be measured again: steal and other-cpus only.
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
		{"mark", r.Mark, append(slices.Clone(shares), ForcedSwitches, Load)},
		{"drop", r.Drop, external},
	} {
		for _, name := range slices.Sorted(maps.Keys(part.limits)) {
			limit := part.limits[name]
			if !slices.Contains(part.known, name) {
				return fmt.Errorf("interference: %s knows no %q, only %s", part.name, name, strings.Join(part.known, ", "))
			}
			if !(limit > 0) || math.IsInf(limit, 0) || slices.Contains(shares, name) && limit > 1 {
				return fmt.Errorf("interference: %s of %s is %v: want a share above 0 and up to 1, or for %s and %s a number above 0", part.name, name, limit, ForcedSwitches, Load)
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

	worst map[string]float64
}

// Add takes in what a sample's trailer tells.
func (w *Watch) Add(t trailer.Trailer) {
	if w.worst == nil {
		w.worst = map[string]float64{}
	}
	for name, x := range numbers(t) {
		w.worst[name] = max(w.worst[name], x)
	}
}

// Finding is how others disturbed a round.
type Finding struct {
	Numbers map[string]float64 // what was watched; what could not be is absent
	Marked  bool               // some number is beyond its mark
	Beyond  string             // which are beyond their drop limits; empty for none
	Drop    bool               // the round is to be measured again
	Kept    bool               // beyond a drop limit, but no more rounds may be dropped
}

// Round ends a round and forgets its samples. A round that is not whole is
// measured again anyway, and counts for nothing here.
func (w *Watch) Round(whole bool) Finding {
	f := Finding{Numbers: w.worst}
	w.worst = nil
	f.Marked = len(beyond(f.Numbers, w.Rule.Mark)) > 0
	f.Beyond = strings.Join(beyond(f.Numbers, w.Rule.Drop), ", ")
	if f.Beyond == "" || !whole {
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

// beyond names the numbers above their limits, with both.
func beyond(numbers, limits map[string]float64) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		if x, ok := numbers[name]; ok && x > limits[name] {
			names = append(names, fmt.Sprintf("%s %.3g, above %.3g", name, x, limits[name]))
		}
	}
	return names
}

// numbers are what one sample's trailer tells. A counter that went back, or a
// span too short to tell, gives none.
func numbers(t trailer.Trailer) map[string]float64 {
	n := map[string]float64{Load: max(t.Before.Load1, t.After.Load1)}
	if seconds := t.Elapsed.Seconds(); seconds > 0 {
		n[ForcedSwitches] = float64(t.Involuntary) / seconds
		if t.After.Throttled >= t.Before.Throttled {
			n[Throttled] = min(1, (t.After.Throttled-t.Before.Throttled).Seconds()/seconds)
		}
	}
	if all, ok := since(t.Before.CPU, t.After.CPU); ok {
		n[Steal] = float64(all.Steal) / float64(total(all))
	}
	var others trailer.CPUTime
	for cpu, after := range t.After.PerCPU {
		span, ok := since(t.Before.PerCPU[cpu], after)
		if ok && !slices.Contains(t.CPUs, cpu) {
			others.User += span.User
			others.System += span.System
			others.Softirq += span.Softirq
			others.Steal += span.Steal
			others.Idle += span.Idle
		}
	}
	if all := total(others); all > 0 {
		n[OtherCPUs] = float64(others.Busy()) / float64(all)
	}
	return n
}

// since is the time between two readings, and whether there is any to tell of.
func since(before, after trailer.CPUTime) (trailer.CPUTime, bool) {
	spent, err := counter.Deltas(
		counter.Reading{Name: "user", Before: before.User, After: after.User},
		counter.Reading{Name: "system", Before: before.System, After: after.System},
		counter.Reading{Name: "softirq", Before: before.Softirq, After: after.Softirq},
		counter.Reading{Name: "steal", Before: before.Steal, After: after.Steal},
		counter.Reading{Name: "idle", Before: before.Idle, After: after.Idle},
	)
	if err != nil {
		return trailer.CPUTime{}, false
	}
	d := trailer.CPUTime{User: spent[0], System: spent[1], Softirq: spent[2], Steal: spent[3], Idle: spent[4]}
	return d, total(d) > 0
}

func total(c trailer.CPUTime) uint64 { return c.Busy() + c.Steal + c.Idle }
