package redisbench

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

func parsed(raw []byte) ([]output.Result, error) {
	return Parse(raw, Options{Tests: []string{"get", "set"}})
}

func TestParse(t *testing.T) {
	type figures map[string]float64
	for name, want := range map[string]map[string]figures{
		"csv.txt": {
			"SET": {"requests": 35236.08, "latency": 991, "latency-p50": 615, "latency-p95": 3175, "latency-p99": 6303, "latency-max": 18895},
			"GET": {"requests": 27932.96, "latency": 1160, "latency-p50": 695, "latency-p95": 3487, "latency-p99": 5767, "latency-max": 25247},
		},
		"csv-get.txt": {"GET": {"requests": 28776.98, "latency": 1189, "latency-p50": 679, "latency-p95": 3607, "latency-p99": 5735, "latency-max": 53087}},
		"csv-ping.txt": {
			"PING_INLINE": {"requests": 28653.29, "latency": 1178, "latency-p50": 727, "latency-p95": 2623, "latency-p99": 6455, "latency-max": 41311},
			"PING_MBULK":  {"requests": 36166.37, "latency": 893, "latency-p50": 623, "latency-p95": 2743, "latency-p99": 4983, "latency-max": 18319},
			"SET":         {"requests": 18165.30, "latency": 1934, "latency-p50": 679, "latency-p95": 5615, "latency-p99": 35199, "latency-max": 64895},
			"GET":         {"requests": 19960.08, "latency": 1732, "latency-p50": 1103, "latency-p95": 4103, "latency-p99": 9319, "latency-max": 50175},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rs, err := Parse(outputtest.Read(t, name), Options{})
			require.NoError(t, err)
			got := map[string]figures{}
			for _, r := range rs {
				got[r.Mode] = figures{}
				for _, v := range r.Values {
					got[r.Mode][v.Name] = v.Value
				}
			}
			assert.Equal(t, want, got)
		})
	}
	rs, err := Parse(outputtest.Read(t, "csv.txt"), Options{Tests: []string{"get", "set"}, Requests: 50_000})
	require.NoError(t, err)
	assert.Equal(t, 1419*time.Millisecond, rs[0].Measured.Round(time.Millisecond))
}

func TestParseRefuses(t *testing.T) {
	outputtest.RefusesFiles(t, parsed, map[string]string{
		"refused.txt":           "Could not connect to Redis at 127.0.0.1:21150: Connection refused",
		"server-killed.txt":     "Error: Connection reset by peer",
		"client-killed.txt":     "no header",
		"noauth.txt":            "replied with error",
		"noauth-no-e.txt":       "replied with error",
		"bad-option.txt":        `Invalid option \"--nosuch\"`,
		"no-csv.txt":            "cut",
		"quiet.txt":             "run with --csv",
		"altered-cut.txt":       "no row of test get",
		"altered-us.txt":        "no header",
		"altered-no-header.txt": "wrong number of fields",
		"altered-nan.txt":       `test "SET": rps is "nan"`,
		"altered-zero.txt":      `test "SET"`,
	})
	csv := string(outputtest.Read(t, "csv.txt"))
	anyTests := func(raw []byte) ([]output.Result, error) { return Parse(raw, Options{}) }
	outputtest.Refuses(t, anyTests, []byte(csv), map[string]outputtest.Bad{
		"two runs":  {csv + csv, `rps is "rps"`},
		"row twice": {csv + csv[strings.Index(csv, `"GET"`):], "is there twice"},
		"negative":  {strings.Replace(csv, "0.615", "-0.615", 1), "p50_latency_ms"},
		"unsorted":  {strings.Replace(csv, "0.615", "4.615", 1), "don't rise"},
		"no rate":   {strings.Replace(csv, "35236.08", "0.00", 1), "requests is zero"},
		"no name":   {strings.Replace(csv, `"SET"`, `""`, 1), "no name"},
		"header":    {strings.Join(strings.SplitAfter(csv, "\n")[:2], ""), "no row after the header"},
	})
}

func TestParseRefusesEveryCut(t *testing.T) {
	outputtest.RefusesEveryCut(t, parsed, outputtest.Read(t, "csv.txt"))
}

func FuzzParse(f *testing.F) {
	for _, raw := range outputtest.Captured(f) {
		f.Add(raw, 0)
	}
	f.Add(outputtest.Read(f, "csv.txt"), 1<<62)
	f.Fuzz(func(t *testing.T, raw []byte, requests int) {
		rs, err := Parse(raw, Options{Requests: requests})
		if err != nil {
			assert.Nil(t, rs)
			return
		}
		require.NotEmpty(t, rs)
		for _, r := range rs {
			require.NotEmpty(t, r.Mode)
			outputtest.Sound(t, r.Values)
		}
	})
}

func TestCommand(t *testing.T) {
	o := Options{Addr: netip.MustParseAddr("198.18.0.64"), Port: 6379, Tests: []string{"get", "set"}, Requests: 100_000, Size: 1000}
	argv, err := Client(o)
	require.NoError(t, err)
	assert.Equal(t, "redis-benchmark -h 198.18.0.64 -p 6379 -d 1000 -t get,set -n 100000 --csv -e --precision 3", strings.Join(argv, " "))

	for want, change := range map[string]func(*Options){
		"address":     func(o *Options) { o.Addr = netip.Addr{} },
		"port -1":     func(o *Options) { o.Port = -1 },
		"no tests":    func(o *Options) { o.Tests = nil },
		`test "ping"`: func(o *Options) { o.Tests = []string{"ping"} },
		"999 request": func(o *Options) { o.Requests = 999 },
		"value size":  func(o *Options) { o.Size = 0 },
	} {
		bad := o
		change(&bad)
		_, err := Client(bad)
		assert.ErrorContains(t, err, want)
	}
}
