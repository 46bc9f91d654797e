package interference

import (
	"slices"
	"time"

	"github.com/cniperf/cniperf/internal/counter"
	"github.com/cniperf/cniperf/internal/podrun"
	"github.com/cniperf/cniperf/internal/trailer"
)

// Sample is what was read around one sample at both of its ends.
type Sample struct {
	Client trailer.Trailer
	// Server names the process that answered; Before and After are its pod's
	// state around the sample. Where the pod was not asked, they are empty.
	Server        string
	Before, After podrun.Servers
}

// Numbers are what one sample's readings tell, by the names above. A counter
// that went back, or a span too short to tell, gives none.
func Numbers(s Sample) map[string]float64 {
	t := s.Client
	n := map[string]float64{Load: max(t.Before.Load1, t.After.Load1)}
	seconds := t.Elapsed.Seconds()
	if seconds <= 0 {
		return n
	}
	if t.After.Throttled >= t.Before.Throttled {
		n[Throttled] = min(1, (t.After.Throttled-t.Before.Throttled).Seconds()/seconds)
	}
	client := end{
		cpus: t.CPUs, machine: t.Before.Machine, before: t.Before.PerCPU, after: t.After.PerCPU,
		ran: t.ToolCPU, waited: t.ToolWaited, forced: float64(t.Involuntary),
	}
	ends := []end{client}
	if server, ok := s.server(); ok {
		ends = append(ends, server)
	}
	note(n, ForcedSwitches, ends, func(e end) (float64, bool) { return e.forced / seconds, true })
	note(n, RunQueue, ends, func(e end) (float64, bool) { return e.waited.Seconds() / seconds, true })
	note(n, Steal, ends, end.steal)
	note(n, OtherCPUs, ends, end.others)
	note(n, MeasuringCPU, ends, func(e end) (float64, bool) { return e.foreign(ends) })
	return n
}

// note keeps the worst of the ends.
func note(n map[string]float64, name string, ends []end, of func(end) (float64, bool)) {
	for _, e := range ends {
		if x, ok := of(e); ok {
			n[name] = max(n[name], x)
		}
	}
}

// end is one end of a sample: a pinned process and the CPUs of its node.
type end struct {
	cpus          []int // that the process is pinned to
	machine       string
	before, after map[int]trailer.CPUTime
	ran, waited   time.Duration
	forced        float64
}

// server is the sample's other end. A server that was restarted, or whose
// counters went back, tells nothing.
func (s Sample) server() (end, bool) {
	before, known := s.Before.Process(s.Server)
	after, still := s.After.Process(s.Server)
	if !known || !still || s.Before.Boot != s.After.Boot ||
		after.Ran < before.Ran || after.Waited < before.Waited || after.Forced < before.Forced {
		return end{}, false
	}
	// The container's time has that of children which have ended, too.
	ran := max(after.Ran-before.Ran, s.After.Ran-s.Before.Ran)
	return end{
		cpus: after.CPUs, machine: s.After.Machine, before: s.Before.PerCPU, after: s.After.PerCPU,
		ran: ran, waited: after.Waited - before.Waited, forced: float64(after.Forced - before.Forced),
	}, true
}

// steal is the share of the measuring CPU's time that the hypervisor gave to others.
func (e end) steal() (float64, bool) {
	span, ok := e.span(func(cpu int) bool { return slices.Contains(e.cpus, cpu) })
	return float64(span.Steal) / float64(max(1, total(span))), ok
}

// others is how busy the CPUs were that the process is not pinned to.
func (e end) others() (float64, bool) {
	span, ok := e.span(func(cpu int) bool { return !slices.Contains(e.cpus, cpu) })
	return float64(span.Busy()) / float64(max(1, total(span))), ok
}

// foreign is the share of the measuring CPU's time that neither this end nor
// another one on the same CPU of the same machine took: other processes, and the
// kernel's threads, whose part is small unless a stream fills the CPU.
func (e end) foreign(ends []end) (float64, bool) {
	span, ok := e.span(func(cpu int) bool { return slices.Contains(e.cpus, cpu) })
	if !ok {
		return 0, false
	}
	busy := time.Duration(span.Busy()) * tick
	for _, o := range ends {
		if o.machine == e.machine && slices.Equal(o.cpus, e.cpus) {
			busy -= o.ran
		}
	}
	whole := time.Duration(total(span)) * tick
	return max(0, min(1, busy.Seconds()/whole.Seconds())), true
}

// tick is the unit of /proc/stat, USER_HZ, which is 100 on every architecture
// that Kubernetes runs on.
const tick = time.Second / 100

// span is the time that the chosen CPUs spent, and whether there is any to tell of.
func (e end) span(chosen func(cpu int) bool) (trailer.CPUTime, bool) {
	var sum trailer.CPUTime
	for cpu, after := range e.after {
		before, known := e.before[cpu]
		if !known || !chosen(cpu) {
			continue
		}
		if span, ok := since(before, after); ok {
			sum.User += span.User
			sum.System += span.System
			sum.Softirq += span.Softirq
			sum.Steal += span.Steal
			sum.Idle += span.Idle
		}
	}
	return sum, total(sum) > 0
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
