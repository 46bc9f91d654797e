package netperf

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/output"
	"github.com/cniperf/cniperf/internal/output/outputtest"
)

func parsed(raw []byte) (output.Result, error) { return Parse(raw, 0) }

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		mode   string
		values map[string]float64
	}{
		"classic-rr.txt":       {"TCP_RR", map[string]float64{"transactions": 20736.16, "cpu-local": 99.75, "service-demand-local": 96.211}},
		"classic-rr-cC.txt":    {"TCP_RR", map[string]float64{"transactions": 30229.42, "cpu-local": 99.75, "cpu-remote": 99.75, "service-demand-local": 65.994, "service-demand-remote": 65.994}},
		"classic-rr-nocpu.txt": {"TCP_RR", map[string]float64{"transactions": 29480.99}},
		"classic-crr.txt":      {"TCP_CRR", map[string]float64{"transactions": 5596.79}},
		"classic-udp-rr.txt":   {"UDP_RR", map[string]float64{"transactions": 20946.91}},
		"omni-rr.txt": {"TCP_RR", map[string]float64{"transactions": 23913.01, "round-trip": 41.818, "latency": 41.76, "latency-min": 12, "latency-p50": 13, "latency-p90": 14,
			"latency-p99": 233, "latency-max": 80487, "cpu-local": 100, "cpu-remote": 100, "service-demand-local": 83.636, "service-demand-remote": 83.636}},
		"omni-rr-ordered.txt": {"TCP_RR", map[string]float64{"transactions": 37030.15, "round-trip": 27.005, "latency": 26.96, "latency-min": 12, "latency-p50": 14, "latency-p90": 15,
			"latency-p99": 72, "latency-max": 60191, "cpu-local": 100, "cpu-remote": 100, "service-demand-local": 54.01, "service-demand-remote": 54.01}},
		"omni-rr-nocpu.txt": {"TCP_RR", map[string]float64{"transactions": 31682.66, "round-trip": 31.563, "latency": 31.52, "latency-min": 12, "latency-p50": 14, "latency-p90": 14, "latency-p99": 105, "latency-max": 73329}},
		"omni-crr.txt":      {"TCP_CRR", map[string]float64{"transactions": 5390.32, "round-trip": 185.518, "latency": 185.45, "latency-min": 58, "latency-p50": 61, "latency-p90": 142, "latency-p99": 2950, "latency-max": 57885}},
		"omni-udp-rr.txt":   {"UDP_RR", map[string]float64{"transactions": 54482.88, "round-trip": 18.354, "latency": 18.32, "latency-min": 10, "latency-p50": 11, "latency-p90": 12, "latency-p99": 41, "latency-max": 24760}},
		"omni-header.txt":   {"omni", map[string]float64{"transactions": 7489.73, "round-trip": 133.516, "latency-p99": 1500}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse(outputtest.Read(t, name), 0)
			require.NoError(t, err)
			assert.Equal(t, c.mode, r.Mode)
			got := map[string]float64{}
			for _, v := range r.Values {
				got[v.Name] = v.Value
			}
			assert.Equal(t, c.values, got)
			if name != "omni-header.txt" {
				assert.Equal(t, 2*time.Second, r.Measured)
			}
		})
	}
	// REMOTE_CPU_UTIL is 299.44 in it.
	r, err := Parse(outputtest.Read(t, "omni-crr-cpu.txt"), 0)
	require.NoError(t, err)
	_, ok := r.Values.Get("cpu-local")
	assert.True(t, ok)
	_, ok = r.Values.Get("cpu-remote")
	assert.False(t, ok)
	_, ok = r.Values.Get("service-demand-remote")
	assert.False(t, ok)

	r, err = Parse(outputtest.Read(t, "omni-rr.txt"), 0)
	require.NoError(t, err)
	assert.Equal(t, 2*time.Second, r.Asked, "from COMMAND_LINE")
	coloured := "\x1b[1m" + strings.ReplaceAll(string(outputtest.Read(t, "classic-rr.txt")), "\n", "\x1b[0m\r\n")
	_, err = Parse([]byte(coloured), 2*time.Second)
	assert.NoError(t, err)
}

func TestParseRefuses(t *testing.T) {
	outputtest.RefusesFiles(t, parsed, map[string]string{
		"refused.txt":               "are you sure there is a netserver listening",
		"data-refused.txt":          "connect_data_socket failed: Connection refused",
		"server-killed.txt":         "recv_response: partial response received: 0 bytes",
		"classic-server-killed.txt": "recv_response: partial response received: 0 bytes",
		"classic-confidence.txt":    "!!! WARNING",
		"classic-stream.txt":        `unexpected line "MIGRATED TCP STREAM TEST`,
		"classic-no-headings.txt":   "no headings",
		"omni-stream.txt":           "DIRECTION=Send is no request/response test",
		"omni-csv.txt":              "unexpected line",
		"badkey.txt":                "THROUGHPUT_UNITS=, want Trans/s",
		"badtest.txt":               "is unknown to this netperf",
		"altered-cut.txt":           "THROUGHPUT was asked for and is missing",
		"altered-ms.txt":            "contradict each other",
		"altered-nan.txt":           `MEAN_LATENCY is "nan"`,
		"altered-classic-zero.txt":  "only 0 transactions",
		"altered-classic-nan.txt":   "unexpected line",
		"altered-classic-cut.txt":   "the output is cut",
	})
	rr, classic := string(outputtest.Read(t, "omni-rr.txt")), string(outputtest.Read(t, "classic-rr.txt"))
	outputtest.Refuses(t, parsed, nil, map[string]outputtest.Bad{
		"two runs":      {rr + rr, "twice"},
		"two tables":    {classic + classic, "unexpected line"},
		"other unit":    {strings.Replace(classic, "us/Tr   us/Tr", "us/KB   us/KB", 1), "units"},
		"other rate":    {strings.Replace(rr, "Trans/s", "10^6bits/s", 1), "want Trans/s"},
		"zero latency":  {strings.Replace(rr, "MEAN_LATENCY=41.76", "MEAN_LATENCY=0.00", 1), "latency is zero us"},
		"negative":      {strings.Replace(rr, "P99_LATENCY=233", "P99_LATENCY=-233", 1), "P99_LATENCY"},
		"infinite":      {strings.Replace(rr, "P99_LATENCY=233", "P99_LATENCY=inf", 1), "P99_LATENCY"},
		"unsorted":      {strings.Replace(rr, "P99_LATENCY=233", "P99_LATENCY=13", 1), "below the percentile"},
		"short":         {strings.Replace(rr, "ELAPSED_TIME=2.00", "ELAPSED_TIME=1.80", 1), "ran 1.8s of the 2s asked"},
		"too much CPU":  {strings.Replace(rr, "LOCAL_CPU_UTIL=100.00", "LOCAL_CPU_UTIL=110.00", 1), "cpu-local is 110 %"},
		"no line's end": {strings.TrimSuffix(rr, "\n"), "cut"},
	})
	_, err := Parse([]byte(classic), 10*time.Second)
	assert.ErrorContains(t, err, "ran 2s of the 10s asked")
}

func TestParseRefusesEveryCut(t *testing.T) {
	for _, name := range []string{"classic-rr.txt", "classic-crr.txt", "omni-rr-ordered.txt"} {
		outputtest.RefusesEveryCut(t, parsed, outputtest.Read(t, name))
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range outputtest.Captured(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Parse(raw, 0)
		if err != nil {
			assert.Empty(t, r)
			return
		}
		outputtest.Sound(t, r.Values)
	})
}

func TestCommand(t *testing.T) {
	o := Options{Addr: netip.MustParseAddr("198.18.0.64"), Port: 12865, DataPort: 12866, Duration: 10 * time.Second, Request: 100, Response: 100}
	argv, err := Client(o)
	require.NoError(t, err)
	assert.Contains(t, strings.Join(argv, " "), "netperf -H 198.18.0.64 -p 12865 -l 10 -t omni -j -P 0 -- -d rr -T tcp -r 100,100 -P ,12866 -k RT_LATENCY,")
	o.Connect = true
	argv, err = Client(o)
	require.NoError(t, err)
	assert.Contains(t, strings.Join(argv, " "), "-l 10 -t omni -j -P 0 -- -d rr -c -T tcp")
	argv, err = Published(o)
	require.NoError(t, err)
	assert.Equal(t, "netperf -H 198.18.0.64 -l 10 -c -t TCP_RR -- -r100,100 -P ,12866", strings.Join(argv, " "))
	direct := o
	direct.DataPort = 0
	argv, err = Published(direct)
	require.NoError(t, err)
	assert.Equal(t, "netperf -H 198.18.0.64 -l 10 -c -t TCP_RR -- -r100,100", strings.Join(argv, " "))

	for want, change := range map[string]func(*Options){
		"address":         func(o *Options) { o.Addr = netip.Addr{} },
		"port 0":          func(o *Options) { o.Port = 0 },
		"data connection": func(o *Options) { o.DataPort = 70000 },
		"duration":        func(o *Options) { o.Duration = time.Millisecond },
		"request 0":       func(o *Options) { o.Request = 0 },
	} {
		bad := o
		change(&bad)
		_, err := Client(bad)
		assert.ErrorContains(t, err, want)
	}
}
