package netperf

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

// MinTransactions is the least number of transactions that a rate and a p99
// are taken from.
const MinTransactions = 100

// What netperf reports besides rate and latency. Its CPU figures are those of
// the whole node; a service demand is CPU time per transaction. The remote ones
// are absent for TCP_CRR and for an omni test without DIRECTION, see Parse.
var (
	RoundTrip    = measure.Metric{Name: "round-trip", Unit: "us", Better: measure.LowerIsBetter}
	LatencyMin   = measure.Metric{Name: "latency-min", Unit: "us", Better: measure.LowerIsBetter}
	LatencyMax   = measure.Metric{Name: "latency-max", Unit: "us", Better: measure.LowerIsBetter}
	LocalCPU     = measure.Metric{Name: "cpu-local", Unit: "%", Better: measure.LowerIsBetter}
	RemoteCPU    = measure.Metric{Name: "cpu-remote", Unit: "%", Better: measure.LowerIsBetter}
	LocalDemand  = measure.Metric{Name: "service-demand-local", Unit: "us", Better: measure.LowerIsBetter}
	RemoteDemand = measure.Metric{Name: "service-demand-remote", Unit: "us", Better: measure.LowerIsBetter}
)

// metrics are the keys that are read as values.
var metrics = []struct {
	key    string
	metric measure.Metric
}{
	{"RT_LATENCY", RoundTrip},
	{"MEAN_LATENCY", measure.Latency},
	{"MIN_LATENCY", LatencyMin},
	{"P50_LATENCY", measure.LatencyP50},
	{"P90_LATENCY", measure.LatencyP90},
	{"P99_LATENCY", measure.LatencyP99},
	{"MAX_LATENCY", LatencyMax},
	{"LOCAL_CPU_UTIL", LocalCPU},
	{"REMOTE_CPU_UTIL", RemoteCPU},
	{"LOCAL_SD", LocalDemand},
	{"REMOTE_SD", RemoteDemand},
}

var (
	keyValue = regexp.MustCompile(`^([A-Z][A-Z0-9_]*)=(.*)$`)
	omni     = regexp.MustCompile(`^(?:MIGRATED |OMNI ).* TEST from `)
	title    = regexp.MustCompile(`^(?:MIGRATED )?(TCP|UDP|SCTP) (REQUEST/RESPONSE|Connect/Request/Response) TEST from `)
	heading  = regexp.MustCompile(`^(?:Local */ *Remote|Socket Size +Request|Send +Recv)`)
	figures  = regexp.MustCompile(`^[-+0-9. ]+$`)
	decimals = regexp.MustCompile(`^\d+\.\d\d$`)
	// What netperf prints for a figure that it wasn't asked to take.
	unmeasured = regexp.MustCompile(`^-1(?:\.0+)?$`)
	length     = regexp.MustCompile(` -l (\d+) `)
	selected   = regexp.MustCompile(` -k ([A-Z0-9_,]+)`)
)

// Parse reads what netperf printed, its error output included or not: the
// classic table of a TCP_RR, UDP_RR or TCP_CRR test, or the key=value lines of
// an omni one. Latencies are whole round trips in microseconds; percentiles
// are rounded to whole ones by netperf. Asked is the length ordered, zero if
// unknown; COMMAND_LINE tells it too. Netserver's CPU figures for TCP_CRR are
// wrong and left out.
//
// Any line that doesn't belong to such a report is refused with its text:
// netperf says what went wrong in free words, sometimes with exit code 0.
func Parse(raw []byte, asked time.Duration) (output.Result, error) {
	r, err := parse(raw, asked)
	if err != nil {
		return output.Result{}, fmt.Errorf("netperf output: %w", err)
	}
	return r, nil
}

func parse(raw []byte, asked time.Duration) (output.Result, error) {
	r := output.Result{Tool: "netperf", Asked: asked}
	text, err := output.Text(raw)
	if err != nil {
		return r, err
	}
	if !strings.HasSuffix(text, "\n") {
		return r, errors.New("the last line has no end: the output is cut")
	}
	lines := strings.FieldsFunc(text, func(c rune) bool { return c == '\n' })
	var rate, elapsed float64
	if slices.ContainsFunc(lines, keyValue.MatchString) {
		rate, elapsed, err = keyValues(&r, lines)
	} else {
		rate, elapsed, err = table(&r, lines)
	}
	if err != nil {
		return r, err
	}
	// Netserver 2.7 counts the CPU of a TCP_CRR through the 4 s that it waits
	// after the test, and divides by the test's length: (N+4)/N of the truth.
	if !strings.HasSuffix(r.Mode, "_RR") {
		r.Values = slices.DeleteFunc(r.Values, func(v measure.Value) bool { return v.Metric == RemoteCPU || v.Metric == RemoteDemand })
	}
	r.Values = slices.Insert(r.Values, 0, measure.Value{Metric: measure.Transactions, Value: rate})
	if elapsed > 0 {
		if r.Measured, err = output.Seconds("elapsed time", elapsed); err != nil {
			return r, err
		}
		if err := r.Length(); err != nil {
			return r, err
		}
		if n := rate * elapsed; n < MinTransactions {
			return r, fmt.Errorf("only %.0f transactions, want at least %d", n, MinTransactions)
		}
	}
	return r, consistent(r.Values)
}

// mode is the classic name of an omni test.
func mode(protocol, direction string) (string, error) {
	switch direction {
	case "Connect|Send|Recv":
		return protocol + "_CRR", nil
	case "Send|Recv":
		return protocol + "_RR", nil
	case "": // not asked for
		return "omni", nil
	}
	return "", fmt.Errorf("DIRECTION=%s is no request/response test", direction)
}

// table reads the classic form: a title, four lines of headings, a line of
// figures, and the remote side's socket sizes.
func table(r *output.Result, lines []string) (rate, elapsed float64, err error) {
	var units string
	var rows [][]string
	for _, line := range lines {
		t := title.FindStringSubmatch(line)
		switch {
		case t != nil && r.Mode == "":
			r.Mode = t[1] + "_RR"
			if strings.HasPrefix(t[2], "Connect") {
				r.Mode = t[1] + "_CRR"
			}
		case heading.MatchString(line):
		case strings.HasPrefix(line, "bytes ") && units == "":
			units = strings.Join(strings.Fields(line), " ")
		case figures.MatchString(line):
			rows = append(rows, strings.Fields(line))
		default:
			return 0, 0, unexpected(line)
		}
	}
	if r.Mode == "" || units == "" {
		return 0, 0, errors.New("no headings: without them (-P 0) the columns have no meaning")
	}
	columns := 6
	if strings.HasSuffix(units, "us/Tr us/Tr") {
		columns = 10
	}
	if !strings.HasPrefix(strings.ToLower(units), "bytes bytes bytes bytes secs. per sec") || columns == 6 && strings.Contains(units, "%") {
		return 0, 0, fmt.Errorf("units %q: want bytes, secs., per sec and, with CPU, us/Tr", units)
	}
	if len(rows) != 2 || len(rows[0]) != columns || len(rows[1]) != 2 {
		return 0, 0, fmt.Errorf("figures %v: want a row of %d and one of 2; the output is cut", rows, columns)
	}
	row := rows[0]
	if !decimals.MatchString(row[4]) || !decimals.MatchString(row[5]) {
		return 0, 0, fmt.Errorf("elapsed %q and rate %q: want two decimals each", row[4], row[5])
	}
	if elapsed, err = output.Number("elapsed time", row[4]); err != nil {
		return 0, 0, err
	}
	if elapsed == 0 {
		return 0, 0, errors.New("elapsed time is zero")
	}
	if rate, err = output.Number("transaction rate", row[5]); err != nil {
		return 0, 0, err
	}
	for i, m := range []measure.Metric{LocalCPU, RemoteCPU, LocalDemand, RemoteDemand}[:columns-6] {
		if unmeasured.MatchString(row[6+i]) {
			continue
		}
		v, err := output.Number(m.Name, row[6+i])
		if err != nil {
			return 0, 0, err
		}
		r.Values = append(r.Values, measure.Value{Metric: m, Value: v})
	}
	return rate, elapsed, nil
}

// unexpected is the error of a line that is no part of a report, cut to a
// length that a message bears.
func unexpected(line string) error {
	if len(line) > 200 {
		line = line[:200] + "..."
	}
	return fmt.Errorf("unexpected line %q", line)
}

// consistent checks what must hold between the figures of a test without
// bursts: one transaction at a time makes rate and round trip reciprocal, so
// that a latency in another unit shows.
func consistent(vs measure.Values) error {
	if err := output.Positive(vs, "transactions", "round-trip", "latency", "latency-min", "latency-p50", "latency-p90", "latency-p99", "latency-max"); err != nil {
		return err
	}
	rate, _ := vs.Get("transactions")
	for _, name := range []string{"round-trip", "latency"} {
		if v, ok := vs.Get(name); ok && math.Abs(v.Value*rate.Value/1e6-1) > output.Tolerance {
			return fmt.Errorf("%s of %v us and %v transactions/s contradict each other: the test stood still in between (lost packets; connections refused because a node tracks too many), another unit, or several transactions in flight", name, v.Value, rate.Value)
		}
	}
	last := 0.0
	for _, name := range []string{"latency-min", "latency-p50", "latency-p90", "latency-p99", "latency-max"} {
		if v, ok := vs.Get(name); ok {
			if v.Value < last {
				return fmt.Errorf("%s of %v us is below the percentile before it, %v us", name, v.Value, last)
			}
			last = v.Value
		}
	}
	for _, name := range []string{"cpu-local", "cpu-remote"} {
		if v, ok := vs.Get(name); ok && v.Value > 100.5 {
			return fmt.Errorf("%s is %v %%", name, v.Value)
		}
	}
	return nil
}
