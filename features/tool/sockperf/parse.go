package sockperf

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

// MinMessages is the least number of observations that a mean and a p99 are
// taken from. The p99.9 needs ten times as many and is absent below that.
const MinMessages = 100

// What sockperf counts besides latency and tool.Messages. Lost datagrams have no latency, so a
// loss shortens the tail that the percentiles show.
var (
	Dropped    = measure.Metric{Name: "dropped", Unit: "1", Better: measure.LowerIsBetter}
	Duplicated = measure.Metric{Name: "duplicated", Unit: "1", Better: measure.LowerIsBetter}
	OutOfOrder = measure.Metric{Name: "out-of-order", Unit: "1", Better: measure.LowerIsBetter}
)

// maxLoss is the share of lost, repeated or reordered datagrams above which a
// UDP run measures the loss rather than the latency.
const maxLoss = 0.01

// sockperf's own margins: it leaves out the first 400 ms (printed since 3.5)
// and the last 50 ms of a run.
const (
	warmUp   = 400 * time.Millisecond
	coolDown = 50 * time.Millisecond
)

// One expression per line read. Every number has its three decimals (nine at
// most), so that a line cut inside its number doesn't match.
var (
	version  = regexp.MustCompile(`(?m)^sockperf: == version #(\S+) ==`)
	protocol = regexp.MustCompile(`(?m)^\[ *\d+\] IP = .* # (TCP|UDP)`)
	failure  = regexp.MustCompile(`(?m)(ERROR:.*|No valid observations found.*|No messages were .*|interrupted by user.*|'-\S+' Invalid .*)$`)
	total    = regexp.MustCompile(`(?m)^sockperf: \[Total Run\] RunTime=(\d+\.\d{3}) sec;(?: Warm up time=(\d+) msec;)?`)
	valid    = regexp.MustCompile(`(?m)^sockperf: \[Valid Duration\] RunTime=(\d+\.\d{3}) sec; SentMessages=(\d+); ReceivedMessages=(\d+)$`)
	average  = regexp.MustCompile(`(?m)^sockperf: ====> avg-lat(?:ency)?= *(\d+\.\d{3,9}) \(std-dev=`)
	trouble  = regexp.MustCompile(`(?m)^sockperf: # dropped messages = (\d+); # duplicated messages = (\d+); # out-of-order messages = (\d+)$`)
	summary  = regexp.MustCompile(`(?m)^sockperf: Summary: Latency is +(\d+\.\d{3,9}) +usec *$`)
	unit     = regexp.MustCompile(`(?m)^sockperf: Summary: (.*)$`)
	seen     = regexp.MustCompile(`(?m)^sockperf: Total (\d+) observations; each percentile contains`)
	extreme  = regexp.MustCompile(`(?m)^sockperf: ---> <?(MAX|MIN)>? observation = +(\d+\.\d{3,9}) *$`)
	share    = regexp.MustCompile(`(?m)^sockperf: ---> percentile +(\d+\.\d+) = +(\d+\.\d{3,9}) *$`)
)

// percentiles are those reported, with the observations each one needs.
var percentiles = []struct {
	name   string
	metric measure.Metric
	needs  int
}{
	{"50.000", measure.LatencyP50, MinMessages},
	{"90.000", measure.LatencyP90, MinMessages},
	{"99.000", measure.LatencyP99, MinMessages},
	{"99.900", measure.LatencyP999, 10 * MinMessages},
}

// Parse reads what `sockperf ping-pong` printed, standard error included or
// not. Latencies are half of the round trip, in microseconds, as sockperf
// prints them without --full-rtt; its client waits for each answer, so that a
// stall is seen as one slow message and not as all those that it held up
// (coordinated omission). Asked is the length ordered, zero if unknown.
//
// sockperf 3.7 exits 0 after a refused connection and after a server that
// vanished, so nothing but the text tells a good run: Parse refuses every
// error line, round trips, other modes and units, a run cut short on either
// side, too few messages, and figures that contradict each other.
func Parse(raw []byte, asked time.Duration) (output.Result, error) {
	r, err := parse(raw, asked)
	if err != nil {
		return output.Result{}, fmt.Errorf("sockperf output: %w", err)
	}
	return r, nil
}

func parse(raw []byte, asked time.Duration) (output.Result, error) {
	r := output.Result{Tool: "sockperf", Mode: "ping-pong", Asked: asked}
	text, err := output.Text(raw)
	if err != nil {
		return r, err
	}
	if err := refused(text); err != nil {
		return r, err
	}
	if m := version.FindStringSubmatch(text); m != nil {
		r.Version = m[1]
	}
	f := finder{text: text}
	mean := f.one(summary, "Summary: Latency")[1]
	avg := f.one(average, "avg-latency")[1]
	tot := f.one(total, "[Total Run]")
	val := f.one(valid, "[Valid Duration]")
	bad := f.one(trouble, "dropped messages")
	obs := f.one(seen, "Total N observations")[1]
	proto := f.one(protocol, "IP = ... # TCP|UDP")[1]
	if f.err != nil {
		return r, f.err
	}
	if avg != mean {
		return r, fmt.Errorf("avg-latency %s and summary %s differ", avg, mean)
	}

	run, window, warm := f.seconds(tot[1]), f.seconds(val[1]), warmUp
	if tot[2] != "" {
		warm = time.Duration(f.count(tot[2])) * time.Millisecond
	}
	sent, received, n := f.count(val[2]), f.count(val[3]), f.count(obs)
	dropped, duplicated, reordered := f.count(bad[1]), f.count(bad[2]), f.count(bad[3])
	if f.err != nil {
		return r, f.err
	}
	r.Measured = run
	if err := r.Length(); err != nil {
		return r, err
	}
	c := counted{
		sent: sent, received: received, observed: n, dropped: dropped, duplicated: duplicated, reordered: reordered,
		protocol: proto, trouble: strings.TrimPrefix(bad[0], "sockperf: "),
	}
	if err := c.answered(); err != nil {
		return r, err
	}
	// A UDP server that dies leaves a full [Total Run] and a short window.
	if want := run - warm - coolDown; window > run || window < want-time.Duration(output.Tolerance*float64(run)) {
		return r, fmt.Errorf("answers came during %v of a window of %v: the server stopped or the messages were too rare", window, want)
	}
	if err := c.enough(); err != nil {
		return r, err
	}

	r.Values, err = f.values(c, f.number(mean))
	return r, err
}

// values are those of the messages, whose mean latency is given.
func (f *finder) values(c counted, mean float64) (values measure.Values, err error) {
	add := func(m measure.Metric, v float64) { values = append(values, measure.Value{Metric: m, Value: v}) }
	add(measure.Latency, mean)
	if err := f.distribution(c.observed, mean, add); err != nil {
		return values, err
	}
	add(tool.Messages, float64(c.observed))
	add(Dropped, float64(c.dropped))
	add(Duplicated, float64(c.duplicated))
	add(OutOfOrder, float64(c.reordered))
	return values, output.Positive(values, "latency", "latency-p50", "latency-p90", "latency-p99", "latency-p99.9")
}

// refused tells of an error line, or of another mode or unit than ping-pong's.
func refused(text string) error {
	if m := failure.FindString(text); m != "" {
		return errors.New(strings.TrimSpace(m))
	}
	if m := unit.FindStringSubmatch(text); m != nil && !summary.MatchString(text) {
		return fmt.Errorf("summary %q: want ping-pong's \"Latency is N usec\", half round trips without --full-rtt", m[1])
	}
	return nil
}

// counted are the messages of a run.
type counted struct {
	sent, received, observed       int64
	dropped, duplicated, reordered int64
	protocol                       string
	trouble                        string // the line that tells of the lost ones
}

// answered refuses a run in which messages did not wait for their answers.
func (c counted) answered() error {
	if c.sent > c.received+c.dropped+1 {
		return fmt.Errorf("%d messages sent and %d answered: not ping-pong", c.sent, c.received)
	}
	return nil
}

// enough refuses observations that are not those of the messages, too few, or with
// too many lost between them.
func (c counted) enough() error {
	lost := c.dropped + c.duplicated + c.reordered
	switch {
	case c.observed != c.received:
		return fmt.Errorf("%d observations of %d messages received", c.observed, c.received)
	case c.observed < MinMessages:
		return fmt.Errorf("only %d observations, want at least %d", c.observed, MinMessages)
	case lost > 0 && c.protocol == "TCP":
		return fmt.Errorf("%s over TCP, which cannot be", c.trouble)
	case float64(lost) > maxLoss*float64(c.observed):
		return fmt.Errorf("%s in %d observations, more than %v %%", c.trouble, c.observed, maxLoss*100)
	}
	return nil
}

// finder reads parts of text and keeps the first thing that was wrong.
type finder struct {
	text string
	err  error
}

// one returns the only match of re. A second one is a second run in the same
// output, and whose figures to believe is not for a parser to guess.
func (f *finder) one(re *regexp.Regexp, what string) []string {
	all := re.FindAllStringSubmatch(f.text, 2)
	if len(all) == 1 {
		return all[0]
	}
	if f.err == nil {
		f.err = fmt.Errorf("%q not found: not a complete ping-pong report", what)
		if len(all) > 1 {
			f.err = fmt.Errorf("%q found more than once: want the output of one run to one server", what)
		}
	}
	return make([]string, re.NumSubexp()+1)
}

func (f *finder) number(s string) float64 {
	v, err := output.Number("figure", s)
	if err != nil && f.err == nil {
		f.err = err
	}
	return v
}

// count reads a whole number of at most a billion billion: sums of three stay
// inside an int64.
func (f *finder) count(s string) int64 {
	v, err := strconv.ParseInt(s, 10, 64)
	if (err != nil || v > 1e18) && f.err == nil {
		f.err = fmt.Errorf("count %q is out of range", s)
	}
	return v
}

func (f *finder) seconds(s string) time.Duration {
	d, err := output.Seconds("RunTime", f.number(s))
	if err != nil && f.err == nil {
		f.err = err
	}
	return d
}

// distribution adds the percentiles, once all of them have been found to rise
// from the least observation to the greatest, with the mean between those.
func (f *finder) distribution(n int64, mean float64, add func(measure.Metric, float64)) error {
	ends := map[string]float64{}
	for _, m := range extreme.FindAllStringSubmatch(f.text, -1) {
		ends[m[1]] = f.number(m[2])
	}
	if len(ends) != 2 {
		return errors.New("the list from <MAX> to <MIN> observation is cut")
	}
	found := map[string]float64{}
	last := ends["MAX"]
	for _, m := range share.FindAllStringSubmatch(f.text, -1) {
		v := f.number(m[2])
		if v > last {
			return fmt.Errorf("percentile %s is %v, above the one before it, %v", m[1], v, last)
		}
		found[m[1]], last = v, v
	}
	if ends["MIN"] > last || mean < ends["MIN"] || mean > ends["MAX"] {
		return fmt.Errorf("mean %v and percentiles don't lie between <MIN> %v and <MAX> %v", mean, ends["MIN"], ends["MAX"])
	}
	for _, p := range percentiles {
		v, ok := found[p.name]
		if !ok {
			return fmt.Errorf("percentile %s is missing", p.name)
		}
		if n >= int64(p.needs) {
			add(p.metric, v)
		}
	}
	return f.err
}
