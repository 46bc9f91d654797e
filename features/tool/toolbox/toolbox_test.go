package toolbox

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/internal/measure"
)

// good is a benchmark of each tool.
var good = map[string]tool.Benchmark{
	"sockperf":        {Name: "b", Tool: "sockperf", Server: "s", Metric: "latency", Port: 12345},
	"netperf":         {Name: "b", Tool: "netperf", Server: "s", Metric: "transactions", Port: 12865, DataPort: 12866},
	"iperf3":          {Name: "b", Tool: "iperf3", Server: "s", Metric: "throughput", Port: 5201, Streams: 4},
	"redis-benchmark": {Name: "b", Tool: "redis-benchmark", Server: "s", Metric: "requests", Port: 6379, Test: "get", Requests: 25000, ValueBytes: 1000},
}

var sample = tool.Sample{Addr: netip.MustParseAddr("198.18.0.65"), Path: measure.PodIP, Length: 10 * time.Second}

func TestEveryToolIsWhole(t *testing.T) {
	var names []string
	for _, tl := range Tools() {
		t.Run(tl.Name, func(t *testing.T) {
			b, ok := good[tl.Name]
			require.True(t, ok, "a good benchmark for this test")
			require.NoError(t, Validate(b))
			for _, name := range []string{tl.Name, tl.Alias} {
				if name != "" {
					found, err := Named(name)
					require.NoError(t, err)
					assert.Equal(t, tl.Name, found.Name)
					names = append(names, name)
				}
			}
			for line := range strings.SplitSeq(tl.Reads, "\n") {
				assert.NotEmpty(t, line)
				assert.LessOrEqual(t, len(line), 65, line)
			}
			for _, published := range []bool{false, true} {
				s := sample
				s.Published = published
				r, err := Run(b, s)
				require.NoError(t, err)
				assert.Contains(t, r.Argv, "198.18.0.65")
				result, err := r.Parse([]byte("no output of any tool\n"))
				assert.Error(t, err)
				assert.Empty(t, result)
			}
			results, err := tl.Read([]byte("no output of any tool\n"), 0)
			assert.Error(t, err)
			assert.Empty(t, results)
			_, err = Run(b, tool.Sample{Length: time.Second})
			assert.ErrorContains(t, err, "address")
		})
	}
	slices.Sort(names)
	assert.Len(t, slices.Compact(slices.Clone(names)), len(names), "names and aliases: %v", names)
}

func TestUnknownToolsAreRefused(t *testing.T) {
	for _, name := range []string{"ping", ""} {
		_, err := Named(name)
		assert.ErrorContains(t, err, "known are sockperf, netperf, iperf3, redis-benchmark")
	}
	_, err := Run(tool.Benchmark{Name: "b", Tool: "ping"}, sample)
	assert.ErrorContains(t, err, `benchmark b: unknown tool "ping"`)
}

func TestBadBenchmarksAreRefusedByTheirField(t *testing.T) {
	for _, tc := range []struct {
		tool, field, want string
		change            func(*tool.Benchmark)
	}{
		{"sockperf", "port", "want 1 to 65535 for sockperf", func(b *tool.Benchmark) { b.Port = 70000 }},
		{"sockperf", "streams", "streams is 2, but sockperf takes none", func(b *tool.Benchmark) { b.Streams = 2 }},
		{"sockperf", "connect", "connect is true, but sockperf", func(b *tool.Benchmark) { b.Connect = true }},
		{"sockperf", "metric", `metric "speed" is not measured`, func(b *tool.Benchmark) { b.Metric = "speed" }},
		{"sockperf", "server", "want a server", func(b *tool.Benchmark) { b.Server = "" }},
		{"sockperf", "tool", "want one of sockperf, netperf, iperf3, redis-benchmark", func(b *tool.Benchmark) { b.Tool = "" }},
		{"redis-benchmark", "tool", `tool is "redisbench"`, func(b *tool.Benchmark) { b.Tool = "redisbench" }},
		{"netperf", "dataPort", "dataPort is 0, want 1", func(b *tool.Benchmark) { b.DataPort = 0 }},
		{"netperf", "udp", "udp is true, but netperf", func(b *tool.Benchmark) { b.UDP = true }},
		{"iperf3", "streams", "streams is 129, want 1 to 128", func(b *tool.Benchmark) { b.Streams = 129 }},
		{"iperf3", "test", "test is get, but iperf3", func(b *tool.Benchmark) { b.Test = "get" }},
		{"redis-benchmark", "test", `test is "ping", want get or set`, func(b *tool.Benchmark) { b.Test = "ping" }},
		{"redis-benchmark", "requests", "requests is 0, want 1", func(b *tool.Benchmark) { b.Requests = 0 }},
		{"redis-benchmark", "valueBytes", "valueBytes is -1", func(b *tool.Benchmark) { b.ValueBytes = -1 }},
		{"redis-benchmark", "dataPort", "dataPort is 1, but", func(b *tool.Benchmark) { b.DataPort = 1 }},
	} {
		b := good[tc.tool]
		tc.change(&b)
		err := Validate(b)
		var field *tool.FieldError
		require.ErrorAs(t, err, &field, tc.want)
		assert.Equal(t, tc.field, field.Field)
		assert.ErrorContains(t, err, tc.want)
	}
}

func TestOnlyThePublishedSockperfPauses(t *testing.T) {
	b := good["sockperf"]
	argv := func(published bool) string {
		s := sample
		s.Published = published
		r, err := Run(b, s)
		require.NoError(t, err)
		return strings.Join(r.Argv, " ")
	}
	assert.Equal(t, "env LD_PRELOAD=/usr/local/lib/nosleep.so sockperf pp --tcp -i 198.18.0.65 -p 12345 -t 10", argv(false))
	assert.Equal(t, "sockperf pp --tcp -i 198.18.0.65 -p 12345 -t 10", argv(true))
	b.UDP = true
	assert.Equal(t, argv(false), argv(true), "the page has no command for it")
}

func TestWhichRunsHaveProcessorTimePerUnit(t *testing.T) {
	connect := good["netperf"]
	connect.Connect = true
	for want, b := range map[tool.Unit]tool.Benchmark{
		tool.PerTransaction: good["netperf"], tool.PerByte: good["iperf3"], tool.PerRequest: good["redis-benchmark"],
	} {
		r, err := Run(b, sample)
		require.NoError(t, err)
		assert.Equal(t, want, r.Unit, b.Tool)
	}
	for _, b := range []tool.Benchmark{connect, good["sockperf"]} {
		r, err := Run(b, sample)
		require.NoError(t, err)
		assert.Zero(t, r.Unit, "%s idles for a part of its run", b.Tool)
	}
}

func TestOnlyRedisIsPrepared(t *testing.T) {
	for _, tl := range Tools() {
		if tl.Name != "redis-benchmark" {
			assert.Nil(t, tl.Prepare, tl.Name)
			continue
		}
		argv, err := tl.Prepare(good[tl.Name], sample.Addr)
		require.NoError(t, err)
		assert.Equal(t, "redis-benchmark -h 198.18.0.65 -p 6379 -d 1000 -t set -n 1000 --csv -e --precision 3", strings.Join(argv, " "))
	}
}

func TestOneTestOfARedisRunIsTheResult(t *testing.T) {
	s := sample
	s.Published = true
	r, err := Run(good["redis-benchmark"], s)
	require.NoError(t, err)
	const header = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"` + "\n"
	const set = `"SET","50000.00","0.600","0.100","0.500","0.900","1.000","3.000"` + "\n"
	result, err := r.Parse([]byte(header + set + `"GET","60000.00","0.500","0.100","0.400","0.800","0.900","2.000"` + "\n"))
	require.NoError(t, err)
	assert.Equal(t, "GET", result.Mode)
	_, err = r.Parse([]byte(header + set))
	assert.Error(t, err)
}
