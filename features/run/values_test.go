package run

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/manifests"
)

// The published page's commands are quoted in manifests/published.yaml.
func TestPublishedProfileRunsThePagesCommands(t *testing.T) {
	c := load(t)
	p, err := plan.LoadProfile(manifests.Suite, "published", c)
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
		r, err := publishedRun(b, addr, p.Length(b), tc.path)
		require.NoError(t, err)
		assert.Equal(t, tc.want, strings.Join(r.argv, " "))
	}
}

func TestOneTestOfARedisRunIsTheResult(t *testing.T) {
	b, err := load(t).Benchmark("redis-get")
	require.NoError(t, err)
	r, err := publishedRun(b, netip.MustParseAddr("198.18.0.65"), 10*time.Second, "pod-ip")
	require.NoError(t, err)
	result, err := r.parse([]byte(`"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"SET","50000.00","0.600","0.100","0.500","0.900","1.000","3.000"
"GET","60000.00","0.500","0.100","0.400","0.800","0.900","2.000"
`))
	require.NoError(t, err)
	assert.Equal(t, "GET", result.Mode)
	_, err = r.parse([]byte(`"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"SET","50000.00","0.600","0.100","0.500","0.900","1.000","3.000"
`))
	assert.Error(t, err)
}
