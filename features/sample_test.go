package features

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/features/tool/toolbox"
	"github.com/cniperf/cniperf/manifests"
)

// The published page's commands are quoted in manifests/published.yaml.
func TestPublishedProfileRunsThePagesCommands(t *testing.T) {
	c := load(t)
	p, err := LoadProfile(manifests.Suite, "published", c)
	require.NoError(t, err)
	addr := netip.MustParseAddr("198.18.0.65")
	for _, tc := range []struct{ benchmark, path, want string }{
		{"sockperf-latency", "pod-ip", "sockperf pp --tcp -i 198.18.0.65 -p 12345 -t 30"},
		{"netperf-tcp-rr", "pod-ip", "netperf -H 198.18.0.65 -l 10 -c -t TCP_RR -- -r100,100"},
		{"netperf-tcp-rr", "cluster-ip", "netperf -H 198.18.0.65 -l 10 -c -t TCP_RR -- -r100,100 -P ,12866"},
		{"iperf3-p4", "pod-ip", "iperf3 -c 198.18.0.65 -p 5201 -t 10 -P 4 -J"},
		{"redis-get", "pod-ip", "redis-benchmark -h 198.18.0.65 -p 6379 -d 1000 -t get,set -n 100000 --csv -e --precision 3"},
	} {
		b, err := c.Benchmark(tc.benchmark)
		require.NoError(t, err)
		r, err := toolbox.Run(b, tool.Sample{Addr: addr, Path: tc.path, Length: p.length(b), Published: true})
		require.NoError(t, err)
		assert.Equal(t, tc.want, strings.Join(r.Argv, " "))
	}
}
