package journal

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/measure"
)

// decoded is what decoding gives of the fields that are looked at.
func decoded(data []byte) (Sample, error) {
	var s Sample
	err := json.Unmarshal(data, &s)
	return looked(newSampleReader(false).lean(s)), err
}

func looked(s Sample) Sample {
	if len(s.Values) == 0 {
		s.Values = nil
	}
	return s
}

// whole is a sample with all that one has.
func whole(table string, round, order int, value float64) Sample {
	s := sample(PhaseFull, round, 1, "macvlan", value)
	s.Comparison, s.Order, s.Command, s.ClientPod = table, order, []string{"sockperf", "-i", "198.18.0.64"}, "cniperf/a"
	s.StartedAt, s.Duration, s.ToolTime, s.ToolDone = 3, 4, 2, true
	s.Checks = []Check{{"bytes moved on eth0", "41 MB", true}}
	s.Disturbance = map[string]float64{"steal": .001}
	return s
}

func samples(tb testing.TB) [][]byte {
	odd := whole("latency", 3, 4, 1.25)
	odd.Interrupted = true
	odd.Invalid, odd.Values, odd.Cell.Control = `exit code 1: "no \ route", {[`, nil, true
	odd.Command = []string{`a\`, `"b\"`, "}]", ""}
	small := whole("latency", 1, 0, 1)
	small.Values = measure.Values{{Metric: measure.Throughput, Value: 1e-9}, {Metric: measure.Metric{Name: `,"value":`, Unit: "1", Better: "lower"}, Value: 9.4e21}}
	var all [][]byte
	for _, s := range []Sample{whole("throughput", 12, 7, 1.03), odd, small, {}} {
		data, err := json.Marshal(s)
		require.NoError(tb, err)
		all = append(all, data)
	}
	return append(all, []byte(`{ "round" : 7, "values" : [ { "name" : "latency" , "value" : 3 } ] }`), []byte(`{"values":[],"round":2}`), []byte(`{}`), []byte(`{"values":null}`))
}

func TestSamplesAreReadAsTheyAreDecoded(t *testing.T) {
	r := newSampleReader(false)
	for range 2 { // the second time from memory
		for _, data := range samples(t) {
			want, err := decoded(data)
			require.NoError(t, err)
			got, err := r.read(data)
			require.NoError(t, err, "%s", data)
			assert.Equal(t, want, looked(got), "%s", data)
		}
	}
	for _, bad := range []string{"", "[]", "{", `{"round":"x"}`, `{"round":1.5}`, `{"values":[{"name":1,"value":2}]}`, `{"values":[{"name":"a","value":"b"}]}`, `{"cell":3}`, `{"phase":"a`} {
		_, err := r.read([]byte(bad))
		assert.Error(t, err, bad)
	}
}

// Whatever can be written is read as it is decoded.
func FuzzSample(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, err := decoded(data)
		if err != nil {
			return
		}
		written, err := json.Marshal(want)
		require.NoError(t, err)
		got, err := newSampleReader(false).read(written)
		require.NoError(t, err)
		require.Equal(t, looked(want), looked(got))
	})
}

// What ReadValues gives is Read's without the evidence; Open keeps the disturbance of
// the round that is not closed yet, by which it may still be dropped.
func TestReadValuesLeavesOutTheEvidenceAlone(t *testing.T) {
	closed, open := whole("latency", 1, 1, 12), whole("latency", 2, 1, 13)
	dir, w := create(t, Stage{Name: "lab"}, Attempt{"latency", PhaseFull, 1, 1, []measure.Cell{closed.Cell}}, closed,
		Round{Comparison: "latency", Phase: PhaseFull, Round: 1, Attempt: 1, Valid: true},
		Attempt{"latency", PhaseFull, 2, 1, []measure.Cell{open.Cell}}, open)
	require.NoError(t, w.Close())
	full, err := Read(dir)
	require.NoError(t, err)
	assert.Equal(t, []Sample{closed, open}, full.Samples)

	lean, err := ReadValues(dir)
	require.NoError(t, err)
	r := newSampleReader(false)
	full.Samples = []Sample{r.lean(closed), r.lean(open)}
	assert.Equal(t, full, lean)

	some, err := ReadValues(dir, "sample")
	require.NoError(t, err)
	assert.Equal(t, full.Samples, some.Samples)
	assert.Equal(t, full.Header, some.Header)
	assert.Empty(t, some.Rounds)

	w, opened, err := Open(dir)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	full.Samples[1].Disturbance = open.Disturbance
	assert.Equal(t, full, opened)
}
