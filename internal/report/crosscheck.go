package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/page"
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

// crossChecks pairs the arms of the latency table with those of the
// transactions table of the same path and placement, by their medians.
func crossChecks(comparisons []Comparison) []CrossCheck {
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
		for _, row := range lat.Rows {
			j := slices.IndexFunc(comparisons[i].Rows, func(r Row) bool { return r.Cell.Arm == row.Cell.Arm })
			if j < 0 {
				continue
			}
			latency, rate := row.Metrics[0], comparisons[i].Rows[j].Metrics[0]
			if latency.Metric == measure.Latency && rate.Metric == measure.Transactions {
				checks = append(checks, CrossCheck{row.Cell.Arm, lat.Path, lat.Placement, rate.Median * 2 * latency.Median / 1e6})
			}
		}
	}
	return checks
}

func (r *Report) printCrossChecks(p *page.Page) {
	if len(r.CrossChecks) == 0 {
		return
	}
	p.Heading("Cross-check of the tools")
	var found []string
	for _, c := range r.CrossChecks {
		found = append(found, fmt.Sprintf("%s by %s %.2f", c.Arm, c.Path, c.Product))
	}
	p.Paragraph("netperf transactions/s × 2 × sockperf latency, about 1 where both measured the same: %s", strings.Join(found, ", "))
}
