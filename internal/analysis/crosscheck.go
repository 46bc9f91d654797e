package analysis

import (
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// CrossCheck holds two tools against each other on one path: a transaction of
// netperf is a round trip, and sockperf prints half of one, so
// transactions/s × 2 × latency is about 1 where both measured the same thing.
type CrossCheck struct {
	Arm       string  `json:"arm"`
	Path      string  `json:"path"`
	Placement string  `json:"placement"`
	Product   float64 `json:"product"`
}

// CrossChecks pairs the arms of the latency table with those of the
// transactions table of the same path and placement, by their medians.
func CrossChecks(comparisons []Comparison) []CrossCheck {
	var checks []CrossCheck
	for _, lat := range comparisons {
		if lat.Benchmark != "sockperf-latency" || lat.Metric == nil {
			continue
		}
		i := slices.IndexFunc(comparisons, func(c Comparison) bool {
			return c.Benchmark == "netperf-tcp-rr" && c.Path == lat.Path && c.Placement == lat.Placement && c.Metric != nil
		})
		if i < 0 {
			continue
		}
		for _, arm := range lat.Arms {
			j := slices.IndexFunc(comparisons[i].Arms, func(o Arm) bool { return o.Cell.Arm == arm.Cell.Arm })
			if j < 0 {
				continue
			}
			latency, rate := arm.Metrics[0], comparisons[i].Arms[j].Metrics[0]
			if latency.Metric == measure.Latency && rate.Metric == measure.Transactions {
				checks = append(checks, CrossCheck{arm.Cell.Arm, lat.Path, lat.Placement, rate.Median * 2 * latency.Median / 1e6})
			}
		}
	}
	return checks
}
