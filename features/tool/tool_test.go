package tool

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/counter"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/trailer"
)

// A field of Benchmark that params leaves out would pass for every tool.
func TestEveryFieldIsCheckedByItsTool(t *testing.T) {
	common := []string{"name", "tool", "server", "metric"}
	fields := reflect.TypeFor[Benchmark]()
	for i := range fields.NumField() {
		name := fields.Field(i).Tag.Get("yaml")
		var b Benchmark
		switch v := reflect.ValueOf(&b).Elem().Field(i); v.Kind() {
		case reflect.Int:
			v.SetInt(7)
		case reflect.Bool:
			v.SetBool(true)
		case reflect.String:
			v.SetString("word")
		}
		err := b.Takes()
		if assert.NotEmpty(t, name) && common[min(i, len(common)-1)] == name {
			assert.NoError(t, err, name)
			continue
		}
		var field *FieldError
		require.ErrorAs(t, err, &field, name)
		assert.Equal(t, name, field.Field)
		assert.NoError(t, b.Takes(Param{Name: name, High: 7}))
	}
}

func TestNumbersHaveBounds(t *testing.T) {
	for port, ok := range map[int]bool{-1: false, 0: false, 1: true, 65535: true, 65536: false} {
		assert.Equal(t, ok, Benchmark{Port: port}.Takes(Port) == nil, port)
	}
}

func TestProcessorTimePerUnit(t *testing.T) {
	tr := trailer.Trailer{Elapsed: 2 * time.Second, ToolCPU: time.Second}
	tr.Before.CPU = trailer.CPUTime{User: 100, System: 100, Softirq: 100}
	tr.After.CPU = trailer.CPUTime{User: 120, System: 130, Softirq: 150} // one second
	rate := func(m measure.Metric, v float64) measure.Values { return measure.Values{{Metric: m, Value: v}} }
	for _, tc := range []struct {
		unit   Unit
		values measure.Values
		per    measure.Metric
		want   float64 // ns
	}{
		{PerTransaction, rate(measure.Transactions, 10_000), measure.CPUPerTransaction, 50_000},
		{PerRequest, rate(measure.Requests, 50_000), measure.CPUPerTransaction, 10_000},
		{PerByte, rate(measure.Throughput, 8e9), measure.CPUPerByte, 0.5},
	} {
		values, err := tc.unit.CPU(tc.values, tr)
		require.NoError(t, err)
		per, ok := values.Get(tc.per.Name)
		require.True(t, ok)
		assert.InEpsilon(t, tc.want, per.Value, 1e-9)
		own, ok := values.Get(measure.ToolCPU.Name)
		require.True(t, ok)
		assert.InEpsilon(t, 50, own.Value, 1e-9)
	}
	for name, tc := range map[string]struct {
		unit   Unit
		values measure.Values
		length time.Duration
	}{
		"a run without a unit": {Unit{}, rate(measure.Transactions, 10_000), time.Second},
		"another rate":         {PerByte, rate(measure.Transactions, 10_000), time.Second},
		"no length":            {PerTransaction, rate(measure.Transactions, 10_000), 0},
	} {
		none := tr
		none.Elapsed = tc.length
		values, err := tc.unit.CPU(tc.values, none)
		assert.NoError(t, err, name)
		assert.Empty(t, values, name)
	}
	tr.After.CPU.Softirq = 99
	values, err := PerTransaction.CPU(rate(measure.Transactions, 10_000), tr)
	var back *counter.BackError
	require.ErrorAs(t, err, &back)
	assert.Equal(t, "softirq of the node's CPUs", back.Counter)
	assert.Empty(t, values)
}
