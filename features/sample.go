package features

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/tool/iperf3"
	"github.com/cniperf/cniperf/features/tool/netperf"
	"github.com/cniperf/cniperf/features/tool/redisbench"
	"github.com/cniperf/cniperf/features/tool/sockperf"
	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/workload"
	accelerator "github.com/cniperf/cniperf/internal/bypass"
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
	"github.com/cniperf/cniperf/internal/trailer"
)

// run is one benchmark's command line and the parser of what it prints.
type run struct {
	prepare []string // run once before the first sample, where the tool needs it
	argv    []string
	parse   func([]byte) (output.Result, error)
}

// run returns how the benchmark measures addr for the given length.
func (b Benchmark) run(addr netip.Addr, length time.Duration) (r run, err error) {
	switch b.Tool {
	case "sockperf":
		r.argv, err = sockperf.Client(sockperf.Options{Addr: addr, Port: b.Port, UDP: b.UDP, Duration: length})
		r.argv = append(slices.Clone(withoutPause), r.argv...)
		r.parse = func(raw []byte) (output.Result, error) { return sockperf.Parse(raw, length) }
	case "netperf":
		r.argv, err = netperf.Client(netperf.Options{
			Addr: addr, Port: b.Port, DataPort: b.DataPort, Duration: length,
			Request: transactionBytes, Response: transactionBytes, Connect: b.Connect,
		})
		r.parse = func(raw []byte) (output.Result, error) { return netperf.Parse(raw, length) }
	case "iperf3":
		r.argv, err = iperf3.Client(iperf3.Options{Addr: addr, Port: b.Port, Duration: length, Streams: b.Streams})
		r.parse = func(raw []byte) (output.Result, error) { return iperf3.Parse(raw, length) }
	case "redis-benchmark":
		return b.redis(redisbench.Options{
			Addr: addr, Port: b.Port, Tests: []string{b.Test}, Size: b.ValueBytes, Requests: b.Requests * int(length/time.Second),
		})
	default:
		err = fmt.Errorf("benchmark %s: unknown tool %q", b.Name, b.Tool)
	}
	return r, err
}

// published returns the same by the published page's own command line, as far
// as it can be: iperf3's -d only floods the output, and what makes output
// readable by a program (-J, --csv) or lets netperf through a Service is added.
// What the page has no command for runs as ever.
func (b Benchmark) published(addr netip.Addr, length time.Duration, path string) (run, error) {
	r, err := b.run(addr, length)
	switch {
	case err != nil || b.UDP || b.Connect:
	case b.Tool == "sockperf":
		r.argv = r.argv[len(withoutPause):]
	case b.Tool == "netperf":
		o := netperf.Options{Addr: addr, Duration: length, Request: transactionBytes, Response: transactionBytes}
		if path == "cluster-ip" {
			o.DataPort = b.DataPort
		}
		r.argv, err = netperf.Published(o)
	case b.Tool == "redis-benchmark":
		return b.redis(redisbench.Options{
			Addr: addr, Port: b.Port, Tests: []string{"get", "set"}, Size: b.ValueBytes, Requests: publishedRequests,
		})
	}
	return r, err
}

// publishedRequests is how many requests of each kind redis-benchmark sends
// when it is not told.
const publishedRequests = 100_000

// redis returns the run of one or both tests, of which the benchmark's own is
// the result.
func (b Benchmark) redis(o redisbench.Options) (r run, err error) {
	// A get without a set before it reads a key that is not there.
	set := o
	set.Tests, set.Requests = []string{"set"}, 1000
	if r.prepare, err = redisbench.Client(set); err != nil {
		return run{}, err
	}
	r.argv, err = redisbench.Client(o)
	r.parse = func(raw []byte) (output.Result, error) {
		results, err := redisbench.Parse(raw, o)
		if err != nil {
			return output.Result{}, err
		}
		i := slices.IndexFunc(results, func(r output.Result) bool { return strings.EqualFold(r.Mode, b.Test) })
		if i < 0 {
			return output.Result{}, fmt.Errorf("redis-benchmark printed no test %s", b.Test)
		}
		return results[i], nil
	}
	return r, err
}

// withoutPause preloads what skips the two seconds in which sockperf does
// nothing; see hack/images/bench/nosleep.c.
var withoutPause = []string{"env", "LD_PRELOAD=/usr/local/lib/nosleep.so"}

// transactionBytes is the size of netperf's requests and responses: 100 bytes,
// as on the published page.
const transactionBytes = 100

// toolGrace is what a tool may take beyond the length that was asked before it
// counts as hung.
const toolGrace = 10 * time.Second

// target is one cell's pair, ready to be measured.
type target struct {
	arm       Arm
	pair      *workload.Pair
	observer  *workload.Observer // of the client's node
	serverCPU int
}

// newTarget reads the server's pinning, which is then a fact and not a wish,
// and prepares the server where the tool needs it.
func newTarget(ctx context.Context, arm Arm, pair *workload.Pair, observer *workload.Observer, b Benchmark, c measure.Cell, pin Pin) (*target, error) {
	b = arm.of(b)
	cpus, err := pair.ServerCPUs(ctx, b.Server)
	if err != nil {
		return nil, err
	}
	cpu, err := strconv.Atoi(cpus)
	if err != nil {
		return nil, fmt.Errorf("server %s of pair %s may run on CPUs %s: it is not pinned to one", b.Server, pair.Name, cpus)
	}
	t := &target{arm: arm, pair: pair, observer: observer, serverCPU: cpu}
	addr, err := netip.ParseAddr(t.address(c))
	if err != nil {
		return nil, fmt.Errorf("cell %s: %w", c, err)
	}
	r, err := b.run(addr, time.Second)
	if err != nil || r.prepare == nil {
		return t, err
	}
	out, err := pair.Run(ctx, workload.Tool{ID: "prepare", CPU: pin.Client, Timeout: toolGrace, Argv: r.prepare})
	if err == nil && out.Trailer.Exit != 0 {
		err = fmt.Errorf("%s exited with %d: %s", strings.Join(r.prepare, " "), out.Trailer.Exit, lastLine(out.Text))
	}
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", c, err)
	}
	return t, nil
}

// sampler runs samples of one benchmark.
type sampler struct {
	benchmark Benchmark
	length    time.Duration
	published bool // by the published page's own command lines
	pin       Pin
	targets   targets
	bypass    *bypass.Bypass // nil where no arm is accelerated
	store     func([]byte) (string, error)
	now       func() time.Duration // since the run began
	watch     *interference.Watch
}

// sample fills in s. Whatever goes wrong with the tool, its pods or its path
// makes the sample invalid; only a cancelled context or a journal that cannot
// be written is an error.
func (p *sampler) sample(ctx context.Context, s journal.Sample) (journal.Sample, error) {
	t := p.targets.turn(s.Cell, s.Round)
	addr, err := netip.ParseAddr(t.address(s.Cell))
	if err != nil {
		return s, fmt.Errorf("cell %s: %w", s.Cell, err)
	}
	bench := t.arm.of(p.benchmark)
	r, err := bench.run(addr, p.length)
	if p.published {
		r, err = bench.published(addr, p.length, s.Cell.Path)
	}
	if err != nil {
		return s, err
	}
	s.Command, s.Address = r.argv, addr.String()
	s.ClientPod, s.ClientNode = t.pair.Client.Namespace+"/"+t.pair.Client.Pod, t.pair.Client.Node
	s.ServerPod, s.ServerNode = t.pair.Server.Namespace+"/"+t.pair.Server.Pod, t.pair.Server.Node
	s.ServerCPU = t.serverCPU
	s.StartedAt = p.now()

	pr := proof{
		arm: t.arm, path: s.Cell.Path, argv: r.argv, server: t.pair.Server.IP, clusterIP: t.pair.ClusterIP,
		port: bench.Port, udp: bench.UDP, bypassed: p.bypass != nil,
	}
	if p.bypass != nil {
		pr.upstream = p.bypass.Upstream
		if err := p.bypass.Accelerate(ctx, t.arm.Accelerated); err != nil {
			s.Invalid = err.Error()
			return s, ctx.Err()
		}
	}
	redirected, err := p.counters(ctx)
	if err == nil {
		pr.before, err = t.observer.Ask(ctx, pr.question())
	}
	if err != nil {
		s.Invalid = err.Error()
		return s, ctx.Err()
	}
	id := fmt.Sprintf("%s-%s-%d-%d", t.pair.Name, s.Comparison, s.Round, s.Attempt)
	out, err := t.pair.Run(ctx, workload.Tool{
		ID: id, CPU: p.pin.Client, Timeout: p.length + toolGrace, Port: bench.Port, UDP: bench.UDP, Argv: r.argv,
	})
	s.Duration = p.now() - s.StartedAt
	if ctx.Err() != nil {
		return s, context.Cause(ctx)
	}
	if err != nil {
		s.Invalid = err.Error()
		return s, nil
	}
	p.watch.Add(out.Trailer)
	if s.Raw, err = p.store(out.Stream); err != nil {
		return s, err
	}
	s.RawBytes, s.ToolTime = int64(len(out.Stream)), out.Trailer.Elapsed
	s.ToolDone = out.Trailer.Exit == 0 && out.Trailer.Signal == "" && !out.Trailer.TimedOut
	pr.after, err = t.observer.Ask(ctx, pr.question())
	var total accelerator.Counters
	if err == nil {
		total, err = p.counters(ctx)
	}
	if err != nil {
		s.Invalid = err.Error()
		return s, ctx.Err()
	}
	pr.redirected = total.Messages - redirected.Messages
	values, err := p.values(out, r)
	if answered, ok := values.Get(sockperf.Messages.Name); ok {
		pr.messages = answered.Value
	}
	s.Checks = pr.checks(out.Trailer)
	if s.Values, err = proven(values, err, s.Checks); err != nil {
		s.Invalid = err.Error()
		return s, nil
	}
	s.ClientCPU = out.Trailer.CPUs[0]
	return s, nil
}

// counters are the accelerator's, zero where there is none.
func (p *sampler) counters(ctx context.Context) (accelerator.Counters, error) {
	if p.bypass == nil {
		return accelerator.Counters{}, nil
	}
	return p.bypass.Counters(ctx)
}

// proven returns a tool's values, if everything about them is as it must be. What
// the proofs of their path found is told beside whatever else is wrong.
func proven(values measure.Values, err error, checks []journal.Check) (measure.Values, error) {
	failed := []error{err}
	for _, c := range checks {
		if !c.OK {
			failed = append(failed, fmt.Errorf("proof of path failed: %s, found %s", c.Claim, c.Found))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return values, nil
}

// values are what the tool measured, if it ended as it must.
func (p *sampler) values(out workload.Output, r run) (measure.Values, error) {
	tool := p.benchmark.Tool
	switch tr := out.Trailer; {
	case tr.TimedOut:
		return nil, fmt.Errorf("%s was still running after %s and was ended", tool, p.length+toolGrace)
	case tr.Flooded:
		return nil, fmt.Errorf("%s printed too much and was ended after %d bytes", tool, tr.Bytes)
	case tr.Signal != "":
		return nil, fmt.Errorf("%s was ended by %s", tool, tr.Signal)
	case tr.Exit != 0:
		return nil, fmt.Errorf("%s exited with %d: %s", tool, tr.Exit, lastLine(out.Text))
	case len(tr.CPUs) != 1:
		return nil, fmt.Errorf("%s ran on CPUs %v: it was not pinned", tool, tr.CPUs)
	}
	result, err := r.parse(out.Text)
	if err != nil {
		return nil, err
	}
	return append(result.Values, p.cpu(result.Values, out.Trailer)...), nil
}

// cpu is the processor time of the client's node per transaction or byte,
// softirq included, over the whole sample. On the embedded lab that node's
// accounting is the machine's, so both ends and everything else that runs are in
// it. sockperf idles for most of its run, and netperf for four seconds after each
// test of connections, so those have none.
func (p *sampler) cpu(values measure.Values, t trailer.Trailer) measure.Values {
	if p.benchmark.Connect {
		return nil
	}
	busy := t.NodeCPU().Seconds() / t.Elapsed.Seconds()
	for _, m := range []struct {
		rate string
		per  measure.Metric
		unit float64 // of the rate, in the metric's divisor
	}{
		{measure.Transactions.Name, measure.CPUPerTransaction, 1},
		{measure.Requests.Name, measure.CPUPerTransaction, 1},
		{measure.Throughput.Name, measure.CPUPerByte, 1. / 8},
	} {
		if rate, ok := values.Get(m.rate); ok && rate.Value > 0 && busy > 0 {
			tool := measure.Value{Metric: measure.ToolCPU, Value: 100 * t.ToolCPU.Seconds() / t.Elapsed.Seconds()}
			return measure.Values{{Metric: m.per, Value: busy / (rate.Value * m.unit) * 1e9}, tool}
		}
	}
	return nil
}

// address is what the client dials.
func (t *target) address(c measure.Cell) string {
	if c.Path == "cluster-ip" {
		return t.pair.ClusterIP
	}
	return t.pair.Server.IP
}

func lastLine(text []byte) string {
	lines := splitLines(text)
	if len(lines) == 0 {
		return "no output"
	}
	return lines[len(lines)-1]
}
