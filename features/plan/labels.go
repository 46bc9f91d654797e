package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/journal"
)

// PhaseLabel is the label of a feature's phase, first or full.
const PhaseLabel = "phase"

// labels are the e2e labels of a comparison of these arms, and their values.
func (c *Catalogue) labels(cmp Comparison, arms []Arm) map[string][]string {
	labels := map[string][]string{
		"comparison": {cmp.Name},
		"benchmark":  {cmp.Benchmark},
		"path":       {cmp.Path},
		"placement":  {cmp.Placement},
	}
	if b, err := c.Benchmark(cmp.Benchmark); err == nil {
		labels["tool"] = []string{b.Tool}
	}
	for _, a := range arms {
		labels["arm"] = append(labels["arm"], a.Name)
		if !slices.Contains(labels["cni"], a.CNI) {
			labels["cni"] = append(labels["cni"], a.CNI)
		}
	}
	return labels
}

// selects tells whether the framework's -labels choose what has these: one of the
// values asked for of every label. The phase is not the comparison's.
func selects(asked, labels map[string][]string) bool {
	for k, vs := range asked {
		if k != PhaseLabel && !slices.ContainsFunc(vs, func(v string) bool { return slices.Contains(labels[k], v) }) {
			return false
		}
	}
	return true
}

// checkLabels refuses a label or value that no comparison has, since the
// framework would silently select nothing. An arm that the lab lacks is known.
func (c *Catalogue) checkLabels(asked map[string][]string, on site) error {
	known := map[string][]string{PhaseLabel: {journal.PhaseFirst, journal.PhaseFull}}
	for _, cmp := range c.Comparisons {
		arms, left, err := on.resolve(cmp, cmp.Arms)
		if err != nil {
			return err
		}
		for _, l := range left {
			arms = append(arms, Arm{Name: l.Arm, CNI: l.cni})
		}
		for k, vs := range c.labels(cmp, arms) {
			for _, v := range vs {
				if !slices.Contains(known[k], v) {
					known[k] = append(known[k], v)
				}
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(asked)) {
		values, ok := known[k]
		if !ok {
			return fmt.Errorf("unknown label %q: known are %s", k, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		for _, v := range asked[k] {
			if !slices.Contains(values, v) {
				return fmt.Errorf("no comparison has the label %s=%s: known values are %s", k, v, strings.Join(values, ", "))
			}
		}
	}
	return nil
}
