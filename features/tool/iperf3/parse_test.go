package iperf3

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
		asked  time.Duration
		values map[string]float64
	}{
		"p1.txt":      {"tcp-p1", 2 * time.Second, map[string]float64{"throughput": 7225993792.939281, "retransmits": 35, "process-cpu-local": 21.269381996819135, "process-cpu-remote": 14.550646353829816}},
		"p2.txt":      {"tcp-p2", 2 * time.Second, map[string]float64{"throughput": 9356230627.35047, "retransmits": 40, "process-cpu-local": 17.587125292114674, "process-cpu-remote": 20.41724367659498}},
		"p4.txt":      {"tcp-p4", 2 * time.Second, map[string]float64{"throughput": 8077294725.849087, "retransmits": 7, "process-cpu-local": 18.655226822897614, "process-cpu-remote": 15.372899852494992}},
		"reverse.txt": {"tcp-p1-reverse", time.Second, map[string]float64{"throughput": 8598177030.99047, "retransmits": 11, "process-cpu-local": 16.102149436847746, "process-cpu-remote": 20.79045458633543}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse(outputtest.Read(t, name), c.asked)
			require.NoError(t, err)
			assert.Equal(t, "3.12", r.Version)
			assert.Equal(t, c.mode, r.Mode)
			assert.InDelta(t, float64(c.asked), float64(r.Measured), 0.05*float64(c.asked))
			assert.Len(t, r.Values, len(c.values))
			for m, want := range c.values {
				v, _ := r.Values.Get(m)
				assert.InEpsilon(t, want, v.Value, 1e-9, m)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	outputtest.RefusesFiles(t, parsed, map[string]string{
		"busy.txt":                 "the server is busy running a test",
		"refused.txt":              "unable to connect to server: Connection refused",
		"client-interrupted.txt":   "interrupt - the client has terminated",
		"server-interrupted.txt":   "the server has terminated",
		"server-killed.txt":        "unable to write to stream socket: Broken pipe",
		"text.txt":                 `not JSON (run with -J, without -d), but "Connecting to host`,
		"udp.txt":                  `protocol "UDP", want TCP`,
		"bidir.txt":                "both directions at once",
		"altered-cut.txt":          "cut or mixed with other text",
		"altered-debug-head.txt":   "not JSON",
		"altered-no-error-key.txt": "ran 2.131s of the 5s asked",
	})
	p1 := string(outputtest.Read(t, "p1.txt"))
	received := p1[:strings.Index(p1, `"sum_received"`)]
	after := p1[len(received):]
	outputtest.Refuses(t, parsed, []byte(p1), map[string]outputtest.Bad{
		"two runs":      {p1 + p1, "cut or mixed"},
		"trailing text": {p1 + "iperf3: interrupt\n", "cut or mixed"},
		"no test":       {"{}", "the test never began"},
		"other rate":    {received + strings.Replace(after, "7225993792.9392815", "7225993.7929392815", 1), "are not"},
		"zero":          {received + strings.NewReplacer("7225993792.9392815", "0", "1809973248", "0").Replace(after), "are not 0 bit/s"},
		"negative":      {received + strings.NewReplacer("7225993792.9392815", "-7225993792.9392815", "1809973248", "-1809973248").Replace(after), "finite number of at least 0"},
		"infinite":      {received + strings.Replace(after, "7225993792.9392815", "1e999", 1), "cut or mixed"},
		"null":          {received + strings.Replace(after, "7225993792.9392815", "null", 1), "cut short"},
		"more received": {received + strings.NewReplacer("7225993792.9392815", "72259937929.392815", "1809973248", "18099732480").Replace(after), "received of"},
		"lost stream":   {strings.Replace(p1, `"num_streams":	1`, `"num_streams":	2`, 1), "1 of 2 streams ended"},
	})
	_, err := Parse([]byte(p1), 10*time.Second)
	assert.ErrorContains(t, err, "of 2s, not of the 10s asked")
}

func TestParseRefusesEveryCut(t *testing.T) {
	outputtest.RefusesEveryCut(t, parsed, outputtest.Read(t, "p1.txt"))
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
		_, ok := r.Values.Get("throughput")
		require.True(t, ok)
	})
}

func TestCommand(t *testing.T) {
	o := Options{Addr: netip.MustParseAddr("198.18.0.64"), Port: 5201, Duration: 10 * time.Second, Streams: 4}
	argv, err := Client(o)
	require.NoError(t, err)
	assert.Equal(t, "iperf3 -c 198.18.0.64 -p 5201 -t 10 -P 4 -J", strings.Join(argv, " "))

	for want, change := range map[string]func(*Options){
		"address":   func(o *Options) { o.Addr = netip.Addr{} },
		"port 0":    func(o *Options) { o.Port = 0 },
		"duration":  func(o *Options) { o.Duration = 90500 * time.Millisecond },
		"0 streams": func(o *Options) { o.Streams = 0 },
	} {
		bad := o
		change(&bad)
		_, err := Client(bad)
		assert.ErrorContains(t, err, want)
	}
}
