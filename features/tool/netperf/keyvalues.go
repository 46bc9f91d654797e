package netperf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

// keyValues reads the lines of an omni test. A key that netperf has no value
// for (-1) is left out.
func keyValues(r *output.Result, lines []string) (rate, elapsed float64, err error) {
	kv, err := pairs(lines)
	if err != nil {
		return 0, 0, err
	}
	if err := command(r, kv); err != nil {
		return 0, 0, err
	}
	if r.Mode, err = mode(kv["PROTOCOL"], kv["DIRECTION"]); err != nil {
		return 0, 0, err
	}
	r.Version = kv["NETPERF_VERSION"]
	if err := values(r, kv); err != nil {
		return 0, 0, err
	}
	if s, ok := kv["ELAPSED_TIME"]; ok {
		if elapsed, err = output.Number("ELAPSED_TIME", s); err != nil {
			return 0, 0, err
		}
		if elapsed == 0 {
			return 0, 0, errors.New("ELAPSED_TIME is zero")
		}
	}
	rate, err = transactionRate(r, kv)
	return rate, elapsed, err
}

// pairs are the keys of the lines with their values.
func pairs(lines []string) (map[string]string, error) {
	kv := map[string]string{}
	for _, line := range lines {
		m := keyValue.FindStringSubmatch(line)
		switch {
		case m == nil && omni.MatchString(line):
		case m == nil:
			return nil, unexpected(line)
		default:
			if _, twice := kv[m[1]]; twice {
				return nil, fmt.Errorf("%s is there twice: want the output of one run", m[1])
			}
			kv[m[1]] = strings.TrimSpace(m[2])
		}
	}
	return kv, nil
}

// values adds the metrics that have a value.
func values(r *output.Result, kv map[string]string) error {
	for _, m := range metrics {
		s, ok := kv[m.key]
		if !ok || unmeasured.MatchString(s) {
			continue
		}
		v, err := output.Number(m.key, s)
		if err != nil {
			return err
		}
		r.Values = append(r.Values, measure.Value{Metric: m.metric, Value: v})
	}
	if u, ok := kv["SD_UNITS"]; ok && u != "usec/Tran" {
		return fmt.Errorf("SD_UNITS=%s, want usec/Tran", u)
	}
	return nil
}

// transactionRate is in transactions a second. TRANSACTION_RATE has but one unit.
// THROUGHPUT tells its own, or shows it beside a latency, see consistent.
func transactionRate(r *output.Result, kv map[string]string) (float64, error) {
	name := "TRANSACTION_RATE"
	if _, ok := kv["THROUGHPUT"]; ok {
		name = "THROUGHPUT"
		_, rt := r.Values.Get(RoundTrip.Name)
		_, mean := r.Values.Get(measure.Latency.Name)
		if u := kv["THROUGHPUT_UNITS"]; u != "Trans/s" && (u != "" || !rt && !mean) {
			return 0, fmt.Errorf("THROUGHPUT_UNITS=%s, want Trans/s: ask for that key and a request/response test", u)
		}
	}
	s, ok := kv[name]
	if !ok {
		return 0, errors.New("neither THROUGHPUT nor TRANSACTION_RATE: the output is cut or they were not asked for")
	}
	return output.Number(name, s)
}

// command reads what COMMAND_LINE, if there, tells: the length asked and the
// keys that the output must therefore have.
func command(r *output.Result, kv map[string]string) error {
	line := kv["COMMAND_LINE"]
	if m := length.FindStringSubmatch(line); m != nil && r.Asked == 0 {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return fmt.Errorf("COMMAND_LINE: %w", err)
		}
		if r.Asked, err = output.Seconds("COMMAND_LINE's -l", n); err != nil {
			return err
		}
	}
	if m := selected.FindStringSubmatch(line); m != nil {
		for key := range strings.SplitSeq(m[1], ",") {
			// Netperf 2.7 knows this key and prints nothing for it.
			if _, ok := kv[key]; !ok && key != "NETPERF_VERSION" {
				return fmt.Errorf("%s was asked for and is missing", key)
			}
		}
	}
	return nil
}
