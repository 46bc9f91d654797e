package history

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// decoded is what decoding gives of the fields that are looked at.
func decoded(data []byte) (journal.Sample, error) {
	var s journal.Sample
	err := json.Unmarshal(data, &s)
	return looked(s), err
}

func looked(s journal.Sample) journal.Sample {
	if len(s.Values) == 0 {
		s.Values = nil
	}
	return journal.Sample{Comparison: s.Comparison, Phase: s.Phase, Round: s.Round, Attempt: s.Attempt, Cell: s.Cell, Values: s.Values, Invalid: s.Invalid}
}

func samples(tb testing.TB) [][]byte {
	odd := nightSample("latency", 3, 4, 1.25)
	odd.Invalid, odd.Values, odd.Cell.Control = `exit code 1: "no \ route", {[`, nil, true
	odd.Command = []string{`a\`, `"b\"`, "}]", ""}
	small := nightSample("latency", 1, 0, 1)
	small.Values = measure.Values{{Metric: measure.Throughput, Value: 1e-9}, {Metric: measure.Metric{Name: `,"value":`, Unit: "1", Better: "lower"}, Value: 9.4e21}}
	var all [][]byte
	for _, s := range []journal.Sample{nightSample("throughput", 12, 7, 1.03), odd, small, {}} {
		data, err := json.Marshal(s)
		require.NoError(tb, err)
		all = append(all, data)
	}
	return append(all, []byte(`{ "round" : 7, "values" : [ { "name" : "latency" , "value" : 3 } ] }`), []byte(`{"values":[],"round":2}`), []byte(`{}`), []byte(`{"values":null}`))
}

func TestSamplesAreReadAsTheyAreDecoded(t *testing.T) {
	r := newSampleReader()
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
		got, err := newSampleReader().read(written)
		require.NoError(t, err)
		require.Equal(t, looked(want), looked(got))
	})
}
