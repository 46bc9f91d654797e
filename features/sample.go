package features

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/cniperf/cniperf/features/sockperf"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

// run is one benchmark's command line and the parser of what it prints.
type run struct {
	argv  []string
	parse func([]byte) (output.Result, error)
}

// run returns how the benchmark measures addr for the given length.
func (b Benchmark) run(addr netip.Addr, length time.Duration) (run, error) {
	switch b.Tool {
	case "sockperf":
		argv, err := sockperf.Client(sockperf.Options{Addr: addr, Port: b.Port, Duration: length})
		return run{argv, func(raw []byte) (output.Result, error) { return sockperf.Parse(raw, length) }}, err
	default:
		return run{}, fmt.Errorf("benchmark %s: unknown tool %q", b.Name, b.Tool)
	}
}

// pinned is where client and server run: on the last CPU their pod may use. On
// one machine that is the same CPU for both, without which latency has two
// modes, depending on where the scheduler puts the two.
const pinned = "last"

// toolGrace is what a tool may take beyond the length that was asked before it
// counts as hung.
const toolGrace = 10 * time.Second

// target is one cell's pair, ready to be measured.
type target struct {
	arm       Arm
	pair      *workload.Pair
	serverCPU int
}

// newTarget reads the server's pinning, which is then a fact and not a wish.
func newTarget(ctx context.Context, arm Arm, pair *workload.Pair, tool string) (*target, error) {
	cpus, err := pair.ServerCPUs(ctx, tool)
	if err != nil {
		return nil, err
	}
	cpu, err := strconv.Atoi(cpus)
	if err != nil {
		return nil, fmt.Errorf("server of pair %s may run on CPUs %s: it is not pinned to one", pair.Name, cpus)
	}
	return &target{arm: arm, pair: pair, serverCPU: cpu}, nil
}

// sampler runs samples of one benchmark.
type sampler struct {
	benchmark Benchmark
	length    time.Duration
	targets   map[measure.Cell]*target
	store     func([]byte) (string, error)
	now       func() time.Duration // since the run began
}

// sample fills in s. Whatever goes wrong with the tool, its pods or its path
// makes the sample invalid; only a cancelled context or a journal that cannot
// be written is an error.
func (p *sampler) sample(ctx context.Context, s journal.Sample) (journal.Sample, error) {
	t := p.targets[s.Cell]
	addr, err := netip.ParseAddr(t.address(s.Cell))
	if err != nil {
		return s, fmt.Errorf("cell %s: %w", s.Cell, err)
	}
	r, err := p.benchmark.run(addr, p.length)
	if err != nil {
		return s, err
	}
	s.Command, s.Address = r.argv, addr.String()
	s.ClientPod, s.ClientNode = t.pair.Client.Namespace+"/"+t.pair.Client.Pod, t.pair.Client.Node
	s.ServerPod, s.ServerNode = t.pair.Server.Namespace+"/"+t.pair.Server.Pod, t.pair.Server.Node
	s.ServerCPU = t.serverCPU
	s.StartedAt = p.now()

	id := fmt.Sprintf("%s-%s-%d-%d", t.pair.Name, s.Comparison, s.Round, s.Attempt)
	out, err := t.pair.Run(ctx, id, pinned, p.length+toolGrace, r.argv)
	s.Duration = p.now() - s.StartedAt
	if ctx.Err() != nil {
		return s, context.Cause(ctx)
	}
	if err != nil {
		s.Invalid = err.Error()
		return s, nil
	}
	if s.Raw, err = p.store(out.Stream); err != nil {
		return s, err
	}
	s.RawBytes = int64(len(out.Stream))
	values, checks, err := p.read(t, out, r)
	s.Checks = checks
	if err != nil {
		s.Invalid = err.Error()
		return s, nil
	}
	s.Values = values
	s.ClientCPU = out.Trailer.CPUs[0]
	return s, nil
}

// read turns a tool's output into values, if everything about it is as it must
// be.
func (p *sampler) read(t *target, out workload.Output, r run) (measure.Values, []journal.Check, error) {
	checks := podSideChecks(t.arm, out.Trailer)
	switch tr := out.Trailer; {
	case tr.TimedOut:
		return nil, checks, fmt.Errorf("%s was still running after %s and was ended", r.argv[0], p.length+toolGrace)
	case tr.Signal != "":
		return nil, checks, fmt.Errorf("%s was ended by %s", r.argv[0], tr.Signal)
	case tr.Exit != 0:
		return nil, checks, fmt.Errorf("%s exited with %d: %s", r.argv[0], tr.Exit, lastLine(out.Text))
	case len(tr.CPUs) != 1:
		return nil, checks, fmt.Errorf("%s ran on CPUs %v: it was not pinned", r.argv[0], tr.CPUs)
	}
	result, err := r.parse(out.Text)
	if err != nil {
		return nil, checks, err
	}
	var failed []error
	for _, c := range checks {
		if !c.OK {
			failed = append(failed, fmt.Errorf("proof of path failed: %s, found %s", c.Claim, c.Found))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return nil, checks, err
	}
	return result.Values, checks, nil
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
