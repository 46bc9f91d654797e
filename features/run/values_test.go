package run

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/features/tool/toolbox"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
	"github.com/cniperf/cniperf/internal/trailer"
	"github.com/cniperf/cniperf/manifests"
)

// The published page's commands are quoted in manifests/published.yaml.
func TestPublishedProfileRunsThePagesCommands(t *testing.T) {
	c := load(t)
	p, err := plan.LoadProfile(manifests.Suite, "published", c)
	require.NoError(t, err)
	addr := netip.MustParseAddr("198.18.0.65")
	for _, tc := range []struct{ benchmark, path, want string }{
		{"sockperf-latency", measure.PodIP, "sockperf pp --tcp -i 198.18.0.65 -p 12345 -t 30"},
		{"netperf-tcp-rr", measure.PodIP, "netperf -H 198.18.0.65 -l 10 -c -t TCP_RR -- -r100,100"},
		{"netperf-tcp-rr", measure.ClusterIP, "netperf -H 198.18.0.65 -l 10 -c -t TCP_RR -- -r100,100 -P ,12866"},
		{"iperf3-p4", measure.PodIP, "iperf3 -c 198.18.0.65 -p 5201 -t 10 -P 4 -J"},
		{"redis-get", measure.PodIP, "redis-benchmark -h 198.18.0.65 -p 6379 -d 1000 -t get,set -n 100000 --csv -e --precision 3"},
	} {
		b, err := c.Benchmark(tc.benchmark)
		require.NoError(t, err)
		r, err := toolbox.Run(b, tool.Sample{Addr: addr, Path: tc.path, Length: p.Length(b), Published: true})
		require.NoError(t, err)
		assert.Equal(t, tc.want, strings.Join(r.Argv, " "))
	}
}

// A counter of the node's processor time that went back leaves no value that could
// count.
func TestASampleWhoseProcessorTimeWentBackHasNoValues(t *testing.T) {
	rate := output.Result{Values: measure.Values{{Metric: measure.Transactions, Value: 10_000}}}
	run := tool.Run{Unit: tool.PerTransaction, Parse: func([]byte) (output.Result, error) { return rate, nil }}
	out := workload.Output{Trailer: trailer.Trailer{CPUs: []int{1}, Elapsed: time.Second}}
	out.Trailer.Before.CPU.System, out.Trailer.After.CPU.System = 10, 30
	p := &sampler{benchmark: plan.Benchmark{Tool: "netperf"}, length: time.Second}
	values, err := p.values(out, run)
	require.NoError(t, err)
	assert.Len(t, values, 3)
	out.Trailer.After.CPU.System = 9
	values, err = p.values(out, run)
	assert.ErrorContains(t, err, "counter system of the node's CPUs went back from 10 to 9")
	assert.Empty(t, values)
}

func TestASampleIsInvalidByTheReasonOfItsProof(t *testing.T) {
	values := measure.Values{{Metric: measure.Latency, Value: 20}}
	good := journal.Check{Claim: "a", Found: "b", OK: true}
	got, err := proven(values, nil, []journal.Check{good})
	require.NoError(t, err)
	assert.Equal(t, values, got)
	bad := journal.Check{Claim: "no tunnel", Found: "counter rx_bytes of the node's tunl0 went back from 9 to 2"}
	got, err = proven(values, nil, []journal.Check{good, bad})
	assert.EqualError(t, err, "proof of path failed: no tunnel, found counter rx_bytes of the node's tunl0 went back from 9 to 2")
	assert.Empty(t, got)
}
