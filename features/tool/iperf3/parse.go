package iperf3

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

// What iperf3 reports besides the throughput. Its CPU figures are those of its
// own two processes, in percent of one CPU, without the kernel's work in
// interrupts. Retransmits vary by tens of percent from run to run.
var (
	Retransmits = measure.Metric{Name: "retransmits", Unit: "1", Better: measure.LowerIsBetter}
	LocalCPU    = measure.Metric{Name: "process-cpu-local", Unit: "%", Better: measure.LowerIsBetter}
	RemoteCPU   = measure.Metric{Name: "process-cpu-remote", Unit: "%", Better: measure.LowerIsBetter}
)

// contradiction is how far bytes over seconds may be from the printed rate.
const contradiction = 0.01

// report is the part of iperf3's JSON that is read. Pointers tell what is
// missing from what is zero.
type report struct {
	Error json.RawMessage `json:"error"`
	Start struct {
		Version string `json:"version"`
		Test    *struct {
			Protocol string  `json:"protocol"`
			Streams  int     `json:"num_streams"`
			Duration float64 `json:"duration"`
			Reverse  int     `json:"reverse"`
		} `json:"test_start"`
	} `json:"start"`
	Intervals []json.RawMessage `json:"intervals"`
	End       struct {
		Streams  []json.RawMessage `json:"streams"`
		Sent     *sum              `json:"sum_sent"`
		Received *sum              `json:"sum_received"`
		Bidir    *sum              `json:"sum_received_bidir_reverse"`
		CPU      *struct {
			Host   *float64 `json:"host_total"`
			Remote *float64 `json:"remote_total"`
		} `json:"cpu_utilization_percent"`
	} `json:"end"`
}

type sum struct {
	Seconds     float64  `json:"seconds"`
	Bytes       float64  `json:"bytes"`
	Rate        *float64 `json:"bits_per_second"`
	Retransmits *float64 `json:"retransmits"`
}

// Parse reads what `iperf3 -c -J` printed for a TCP test in one direction. The
// throughput is what the receiver got. Asked is the length ordered, zero if
// unknown; the JSON tells it too.
//
// iperf3 exits 0 after a refused connection, a busy server and a killed one
// (3.12, with -J), and from 3.19 on after being killed itself; its JSON is well
// formed even then. So Parse refuses any error key, a short run, a test whose
// receiver never reported, and sums that contradict each other.
func Parse(raw []byte, asked time.Duration) (output.Result, error) {
	r, err := parse(raw, asked)
	if err != nil {
		return output.Result{}, fmt.Errorf("iperf3 output: %w", err)
	}
	return r, nil
}

func parse(raw []byte, asked time.Duration) (output.Result, error) {
	r := output.Result{Tool: "iperf3", Asked: asked}
	text, err := output.Text(raw)
	if err != nil {
		return r, err
	}
	text = strings.TrimSpace(text)
	if text[0] != '{' {
		line, _, _ := strings.Cut(text, "\n")
		return r, fmt.Errorf("not JSON (run with -J, without -d), but %.200q", line)
	}
	var rep report
	if err := json.Unmarshal([]byte(text), &rep); err != nil {
		return r, fmt.Errorf("cut or mixed with other text: %w", err)
	}
	if err := rep.complete(); err != nil {
		return r, err
	}
	test, end := rep.Start.Test, rep.End
	r.Version = strings.TrimPrefix(rep.Start.Version, "iperf ")
	r.Mode = fmt.Sprintf("tcp-p%d", test.Streams)
	if test.Reverse != 0 {
		r.Mode += "-reverse"
	}
	ordered, err := output.Seconds("test_start.duration", test.Duration)
	if err != nil {
		return r, err
	}
	switch {
	case asked == 0:
		r.Asked = ordered
	case ordered != asked:
		return r, fmt.Errorf("the test was of %v, not of the %v asked", ordered, asked)
	}
	if r.Measured, err = output.Seconds("sum_received.seconds", end.Received.Seconds); err != nil {
		return r, err
	}
	if err := r.Length(); err != nil {
		return r, err
	}
	if err := rep.agree(); err != nil {
		return r, err
	}
	for _, v := range []struct {
		metric measure.Metric
		value  *float64
	}{
		{measure.Throughput, end.Received.Rate},
		{Retransmits, end.Sent.Retransmits},
		{LocalCPU, end.CPU.Host},
		{RemoteCPU, end.CPU.Remote},
	} {
		if v.value != nil {
			r.Values = append(r.Values, measure.Value{Metric: v.metric, Value: *v.value})
		}
	}
	return r, output.Positive(r.Values, "throughput")
}

// complete refuses an error key, and a test that did not run to its end or is
// another than one of TCP in one direction.
func (rep *report) complete() error {
	if rep.Error != nil {
		return fmt.Errorf("iperf3 says %.200s", rep.Error)
	}
	test, end := rep.Start.Test, rep.End
	switch {
	case test == nil:
		return errors.New("no start.test_start: the test never began")
	case test.Protocol != "TCP":
		return fmt.Errorf("protocol %q, want TCP", test.Protocol)
	case end.Bidir != nil:
		return errors.New("both directions at once (--bidir), want one")
	case end.Sent == nil || end.Received == nil || end.Received.Rate == nil || end.CPU == nil:
		return errors.New("no end.sum_sent, sum_received or cpu_utilization_percent: the test was cut short")
	case len(rep.Intervals) == 0:
		return errors.New("no intervals: the test was cut short")
	case test.Streams < 1 || len(end.Streams) != test.Streams:
		return fmt.Errorf("%d of %d streams ended", len(end.Streams), test.Streams)
	}
	return nil
}

// agree refuses sums that contradict each other.
func (rep *report) agree() error {
	sent, received, rate := rep.End.Sent, rep.End.Received, *rep.End.Received.Rate
	// Zero seconds give no number here, which is no agreement either.
	if off := received.Bytes * 8 / received.Seconds / rate; !(math.Abs(off-1) <= contradiction) {
		return fmt.Errorf("%v bytes in %v s are not %v bit/s", received.Bytes, received.Seconds, rate)
	}
	if received.Bytes > sent.Bytes {
		return fmt.Errorf("%v bytes received of %v sent", received.Bytes, sent.Bytes)
	}
	return nil
}
