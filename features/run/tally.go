package run

import (
	"fmt"
	"slices"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/internal/verdict"
)

// tally is the measurements of a run's full phase, in the order in which they began.
type tally []*measurement

// whole tells that none was skipped and none failed.
func (t tally) whole() bool {
	return !slices.ContainsFunc(t, func(m *measurement) bool { return m.err != nil || m.skipped != nil })
}

// invalid counts the samples for which rounds were dropped.
func (t tally) invalid() int {
	var n int
	for _, m := range t {
		for _, dropped := range m.result.Dropped {
			n += dropped
		}
	}
	return n
}

// assertions are the thresholds with the assertions of what was begun.
func (t tally) assertions(all verdict.Thresholds) verdict.Thresholds {
	all.Assertions = nil
	for _, m := range t {
		all.Assertions = append(all.Assertions, m.decided.Assertions...)
	}
	return all
}

// tell says of a measurement that failed what is still going to be measured.
func (t tally) tell(m *measurement, selected []plan.Decided, shown *progress.Reporter) {
	if m.err == nil && m.skipped == nil || shown == nil {
		return
	}
	left := 0
	for _, d := range selected {
		if !slices.ContainsFunc(t, func(o *measurement) bool { return o.decided.Name == d.Name }) {
			left++
		}
	}
	why := fmt.Sprint(m.err)
	if m.err == nil {
		why = m.skipped.String()
	}
	shown.Printf("%s is not measured: %s; comparisons still to be measured: %d", m.decided.Name, why, left)
}
