package redisbench

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

// LatencyP95 and LatencyMax are what redis-benchmark reports and no other tool.
var (
	LatencyP95 = measure.Metric{Name: "latency-p95", Unit: "us", Better: measure.LowerIsBetter}
	LatencyMax = measure.Metric{Name: "latency-max", Unit: "us", Better: measure.LowerIsBetter}
)

// header is the first row since redis 6.2. It tells the unit: milliseconds.
var header = []string{"test", "rps", "avg_latency_ms", "min_latency_ms", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "max_latency_ms"}

// columns are the metrics of header's columns; a zero Metric is not reported.
var columns = []measure.Metric{{}, measure.Requests, measure.Latency, {}, measure.LatencyP50, LatencyP95, measure.LatencyP99, LatencyMax}

// Parse reads what `redis-benchmark --csv` printed, standard error included or
// not: one Result per test, Mode its name (GET, SET). Latencies are those of
// whole requests, with 50 clients at once, and are turned from milliseconds to
// microseconds. Of o, the tests and the number of requests are compared with
// the output; both may be left out. The CSV tells no length; it is worked out
// from the number of requests.
//
// Lines other than warnings and rows are refused with their text: with -e or
// without, redis-benchmark 7 prints the server's error and may have printed
// rows before.
func Parse(raw []byte, o Options) ([]output.Result, error) {
	rs, err := parse(raw, o)
	if err != nil {
		return nil, fmt.Errorf("redis-benchmark output: %w", err)
	}
	return rs, nil
}

func parse(raw []byte, o Options) ([]output.Result, error) {
	text, err := output.Text(raw)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(text, "\n") {
		return nil, errors.New("the last line has no end: the output is cut")
	}
	var rows strings.Builder
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, `"`):
			rows.WriteString(line)
		case strings.HasPrefix(line, "WARNING: "), strings.TrimSpace(line) == "":
		default:
			return nil, fmt.Errorf("unexpected line %.200q (run with --csv)", strings.TrimSpace(line))
		}
	}
	reader := csv.NewReader(strings.NewReader(rows.String()))
	reader.FieldsPerRecord = len(header)
	table, err := reader.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(table) == 0 || !slices.Equal(table[0], header) {
		return nil, fmt.Errorf("no header %s: redis-benchmark is older than 6.2 or the output is cut", strings.Join(header, ","))
	}
	var rs []output.Result
	for _, row := range table[1:] {
		r, err := result(row)
		if err != nil {
			return nil, fmt.Errorf("test %q: %w", row[0], err)
		}
		if slices.ContainsFunc(rs, func(o output.Result) bool { return o.Mode == r.Mode }) {
			return nil, fmt.Errorf("test %q is there twice", r.Mode)
		}
		if rps, _ := r.Values.Get(measure.Requests.Name); o.Requests > 0 {
			if r.Measured, err = output.Seconds("length", float64(o.Requests)/rps.Value); err != nil {
				return nil, fmt.Errorf("test %q: %w", r.Mode, err)
			}
		}
		rs = append(rs, r)
	}
	for _, t := range o.Tests {
		if !slices.ContainsFunc(rs, func(r output.Result) bool { return strings.EqualFold(r.Mode, t) }) {
			return nil, fmt.Errorf("no row of test %s: the run ended before it", t)
		}
	}
	if len(rs) == 0 {
		return nil, errors.New("no row after the header: the run ended before its first test did")
	}
	return rs, nil
}

// result turns one row into values.
func result(row []string) (output.Result, error) {
	r := output.Result{Tool: "redis-benchmark", Mode: row[0]}
	if r.Mode == "" {
		return r, errors.New("no name")
	}
	var figures []float64
	for i, name := range header[1:] {
		v, err := output.Number(name, row[i+1])
		if err != nil {
			return r, err
		}
		figures = append(figures, v)
		m := columns[i+1]
		if m.Name == "" {
			continue
		}
		if m.Unit == "us" {
			v = math.Round(v*1e6) / 1e3 // the product of 1.001 and 1000 is not 1001
		}
		r.Values = append(r.Values, measure.Value{Metric: m, Value: v})
	}
	mean, spread := figures[1], figures[2:]
	if !slices.IsSorted(spread) || mean < spread[0] || mean > spread[len(spread)-1] {
		return r, fmt.Errorf("latencies %v ms don't rise from least to greatest with the mean %v between", spread, mean)
	}
	names := make([]string, len(r.Values))
	for i, v := range r.Values {
		names[i] = v.Name
	}
	return r, output.Positive(r.Values, names...)
}
