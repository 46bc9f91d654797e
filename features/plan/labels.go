package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/journal"
)

// Labels returns the e2e labels of a comparison and their values.
func (c *Catalogue) Labels(cmp Comparison) map[string][]string {
	labels := map[string][]string{
		"comparison": {cmp.Name},
		"benchmark":  {cmp.Benchmark},
		"path":       {cmp.Path},
		"placement":  {cmp.Placement},
		"arm":        slices.Clone(cmp.Arms),
	}
	if b, err := c.Benchmark(cmp.Benchmark); err == nil {
		labels["tool"] = []string{b.Tool}
	}
	for _, name := range cmp.Arms {
		if arm, err := c.Arm(name); err == nil && !slices.Contains(labels["cni"], arm.CNI) {
			labels["cni"] = append(labels["cni"], arm.CNI)
		}
	}
	return labels
}

// Selected tells whether the framework's -labels choose the comparison: it has
// one of the values asked for of every label. The phase is not the comparison's.
func (c *Catalogue) Selected(cmp Comparison, asked map[string][]string) bool {
	labels := c.Labels(cmp)
	for k, vs := range asked {
		if k != PhaseLabel && !slices.ContainsFunc(vs, func(v string) bool { return slices.Contains(labels[k], v) }) {
			return false
		}
	}
	return true
}

// PhaseLabel is the label of a feature's phase, first or full.
const PhaseLabel = "phase"

// CheckLabels refuses a label or value that no comparison has, since the
// framework would silently select nothing.
func (c *Catalogue) CheckLabels(asked map[string][]string) error {
	known := map[string][]string{PhaseLabel: {journal.PhaseFirst, journal.PhaseFull}}
	for _, cmp := range c.Comparisons {
		for k, vs := range c.Labels(cmp) {
			for _, v := range vs {
				if !slices.Contains(known[k], v) {
					known[k] = append(known[k], v)
				}
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(asked)) {
		vs := asked[k]
		values, ok := known[k]
		if !ok {
			return fmt.Errorf("unknown label %q: known are %s", k, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		for _, v := range vs {
			if !slices.Contains(values, v) {
				return fmt.Errorf("no comparison has the label %s=%s: known values are %s", k, v, strings.Join(values, ", "))
			}
		}
	}
	return nil
}
