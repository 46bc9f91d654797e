package analysis

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/measure"
)

func TestCrossCheckPairsTheArmsOfOnePath(t *testing.T) {
	table := func(benchmark, path string, m measure.Metric, medians map[string]float64) Comparison {
		c := Comparison{Benchmark: benchmark, Path: path, Placement: "cross-node", Metric: &m}
		for _, arm := range []string{"calico", "macvlan"} {
			if v, ok := medians[arm]; ok {
				c.Arms = append(c.Arms, Arm{Cell: measure.Cell{Arm: arm}, Metrics: []Summary{{Metric: m, Median: v}}})
			}
		}
		return c
	}
	// Spiderpool's page: 51.3 µs and 9985.7/s for Calico, 24.3 µs and 19793.9/s for macvlan.
	checks := CrossChecks([]Comparison{
		table("sockperf-latency", "pod-ip", measure.Latency, map[string]float64{"calico": 51.3, "macvlan": 24.3}),
		table("sockperf-latency", "cluster-ip", measure.Latency, map[string]float64{"calico": 51.9}),
		table("netperf-tcp-rr", "pod-ip", measure.Transactions, map[string]float64{"calico": 9985.7, "macvlan": 19793.9}),
	})
	require.Len(t, checks, 2)
	assert.Equal(t, "calico", checks[0].Arm)
	assert.InDelta(t, 1.025, checks[0].Product, 0.001)
	assert.InDelta(t, 0.962, checks[1].Product, 0.001)
}
