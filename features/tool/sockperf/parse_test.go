package sockperf

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
	for name, want := range map[string]map[string]float64{
		"tcp.txt": {"latency": 30.062, "latency-p50": 29.974, "latency-p90": 31.882, "latency-p99": 38.817, "latency-p99.9": 49.669,
			"messages": 25778, "dropped": 0, "duplicated": 0, "out-of-order": 0},
		"altered-no-colour.txt":   {"latency": 30.062},
		"udp.txt":                 {"latency": 27.658, "latency-p50": 27.646, "messages": 28017},
		"altered-udp-dropped.txt": {"latency": 27.658, "dropped": 7},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse(outputtest.Read(t, name), 2*time.Second)
			require.NoError(t, err)
			assert.Equal(t, "3.7-no.git", r.Version)
			assert.Equal(t, "ping-pong", r.Mode)
			assert.Equal(t, 2*time.Second, r.Measured)
			for m, v := range want {
				got, ok := r.Values.Get(m)
				assert.True(t, ok, m)
				assert.Equal(t, v, got.Value, m)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	outputtest.RefusesFiles(t, parsed, map[string]string{
		"refused.txt":                  "ERROR: Can`t connect socket (errno=111 Connection refused)",
		"server-killed.txt":            "ERROR: A connection was forcibly closed by a peer",
		"udp-refused.txt":              "No messages were received from the server",
		"udp-server-killed.txt":        "answers came during 923ms of a window of 4.55s",
		"client-killed.txt":            "not a complete ping-pong report",
		"client-interrupted.txt":       "interrupted by user",
		"no-valid-observations.txt":    "No valid observations found",
		"few.txt":                      "answers came during 1s of a window of 1.55s",
		"full-rtt.txt":                 `summary "Round trip is 60.785 usec"`,
		"throughput.txt":               `summary "Message Rate is 1292176 [msg/sec]"`,
		"under-load.txt":               "not ping-pong",
		"bad-size.txt":                 "Invalid message size: 5",
		"altered-cut.txt":              "is cut",
		"altered-msec.txt":             `summary "Latency is 30.062 msec"`,
		"altered-tcp-dropped.txt":      "over TCP, which cannot be",
		"altered-udp-many-dropped.txt": "more than 1 %",
		"altered-zero.txt":             "latency is zero us",
		"altered-nan.txt":              `summary "Latency is nan usec"`,
	})
	tcp := string(outputtest.Read(t, "tcp.txt"))
	outputtest.Refuses(t, parsed, []byte(tcp), map[string]outputtest.Bad{
		"binary":          {"\x00" + tcp, "NUL"},
		"two runs":        {tcp + tcp, "more than once"},
		"few messages":    {strings.ReplaceAll(tcp, "25778", "99"), "only 99 observations"},
		"other count":     {strings.Replace(tcp, "Total 25778", "Total 25777", 1), "25777 observations of 25778"},
		"other mean":      {strings.Replace(tcp, "avg-latency=30.062", "avg-latency=30.063", 1), "differ"},
		"zero mean":       {strings.ReplaceAll(tcp, "30.062", "0.000"), "don't lie between"},
		"unsorted":        {strings.Replace(tcp, "29.974", "31.974", 1), "above the one before it"},
		"no percentile":   {strings.Replace(tcp, "percentile 99.000", "percentile 98.000", 1), "percentile 99.000 is missing"},
		"overflown count": {strings.ReplaceAll(tcp, "25778", strings.Repeat("9", 30)), "out of range"},
	})
	_, err := Parse([]byte(tcp), 3*time.Second)
	assert.ErrorContains(t, err, "ran 2s of the 3s asked")
}

func TestParseRefusesEveryCut(t *testing.T) {
	outputtest.RefusesEveryCut(t, parsed, outputtest.Read(t, "tcp.txt"))
}

// The spellings of other releases, see testdata/README.md.
func TestParseOtherSpellings(t *testing.T) {
	s := strings.NewReplacer("avg-latency=", "avg-lat= ", "<MAX>", "MAX", "<MIN>", "MIN", " Warm up time=400 msec;", "",
		"(std-dev=9.033)", "(std-dev=9.033, mean-ad=3.0, cv=0.223, std-error=1.302, 99.0% ci=[29.9, 30.2])").Replace(string(outputtest.Read(t, "tcp.txt")))
	r, err := Parse([]byte(s), 2*time.Second)
	require.NoError(t, err)
	v, _ := r.Values.Get("latency")
	assert.Equal(t, 30.062, v.Value)
}

// A p99.9 of a few hundred messages is one message.
func TestParseLeavesOutThinPercentiles(t *testing.T) {
	r, err := Parse([]byte(strings.ReplaceAll(string(outputtest.Read(t, "tcp.txt")), "25778", "999")), 0)
	require.NoError(t, err)
	_, ok := r.Values.Get("latency-p99.9")
	assert.False(t, ok)
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
	o := Options{Addr: netip.MustParseAddr("198.18.0.64"), Port: 12345, Duration: 30 * time.Second}
	argv, err := Client(o)
	require.NoError(t, err)
	assert.Equal(t, "sockperf pp --tcp -i 198.18.0.64 -p 12345 -t 30", strings.Join(argv, " "))
	o.UDP = true
	argv, err = Client(o)
	require.NoError(t, err)
	assert.Equal(t, "sockperf pp -i 198.18.0.64 -p 12345 -t 30", strings.Join(argv, " "))

	for want, bad := range map[string]Options{
		"address":  {Port: 1, Duration: time.Second},
		"port":     {Addr: o.Addr, Duration: time.Second},
		"duration": {Addr: o.Addr, Port: 1, Duration: 1500 * time.Millisecond},
	} {
		_, err := Client(bad)
		assert.ErrorContains(t, err, want)
	}
}
