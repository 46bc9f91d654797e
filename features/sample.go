package features

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/proof"
	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/features/tool/toolbox"
	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/node"
)

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
	measuring, err := toolbox.Named(b.Tool)
	if err != nil || measuring.Prepare == nil {
		return t, err
	}
	argv, err := measuring.Prepare(b, addr)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", c, err)
	}
	out, err := pair.Run(ctx, workload.Tool{ID: "prepare", CPU: pin.Client, Timeout: toolGrace, Argv: argv})
	if err == nil && out.Trailer.Exit != 0 {
		err = fmt.Errorf("%s exited with %d: %s", strings.Join(argv, " "), out.Trailer.Exit, lastLine(out.Text))
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
	run, err := toolbox.Run(bench, tool.Sample{Addr: addr, Path: s.Cell.Path, Length: p.length, Published: p.published})
	if err != nil {
		return s, err
	}
	s.Command, s.Address = run.Argv, addr.String()
	s.ClientPod, s.ClientNode = t.pair.Client.Namespace+"/"+t.pair.Client.Pod, t.pair.Client.Node
	s.ServerPod, s.ServerNode = t.pair.Server.Namespace+"/"+t.pair.Server.Pod, t.pair.Server.Node
	s.ServerCPU = t.serverCPU
	s.StartedAt = p.now()

	arm := claims(t.arm, s.Cell.Path)
	asked := proof.Question(arm, s.Cell.Path)
	seen, err := p.before(ctx, t, asked)
	if err != nil {
		s.Invalid = err.Error()
		return s, ctx.Err()
	}
	id := fmt.Sprintf("%s-%s-%d-%d", t.pair.Name, s.Comparison, s.Round, s.Attempt)
	out, err := t.pair.Run(ctx, workload.Tool{
		ID: id, CPU: p.pin.Client, Timeout: p.length + toolGrace, Port: bench.Port, UDP: bench.UDP, Argv: run.Argv,
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
	if seen, err = p.after(ctx, t, asked, seen); err != nil {
		s.Invalid = err.Error()
		return s, ctx.Err()
	}
	values, err := p.values(out, run)
	if answered, ok := values.Get(tool.Messages.Name); ok {
		seen.Answered = answered.Value
	}
	seen.Trailer = out.Trailer
	s.Checks = proof.Checks(arm, proof.Sample{
		Path: s.Cell.Path, Argv: run.Argv, Server: t.pair.Server.IP, ClusterIP: t.pair.ClusterIP, Port: bench.Port, UDP: bench.UDP,
	}, seen)
	if s.Values, err = proven(values, err, s.Checks); err != nil {
		s.Invalid = err.Error()
		return s, nil
	}
	s.ClientCPU = out.Trailer.CPUs[0]
	return s, nil
}

// before sets the accelerator as the arm needs it, and returns what it and the
// client's node had counted before the tool runs.
func (p *sampler) before(ctx context.Context, t *target, asked node.Question) (o proof.Observed, err error) {
	if p.bypass != nil {
		if err := p.bypass.Accelerate(ctx, t.arm.Accelerated); err != nil {
			return o, err
		}
		o.Accelerator.Present, o.Accelerator.Silent = true, p.bypass.Upstream
		counted, err := p.bypass.Counters(ctx)
		if err != nil {
			return o, err
		}
		o.Accelerator.Before = counted.Messages
	}
	o.Before, err = t.observer.Ask(ctx, asked)
	return o, err
}

// after adds to o what the same had counted after it.
func (p *sampler) after(ctx context.Context, t *target, asked node.Question, o proof.Observed) (_ proof.Observed, err error) {
	if o.After, err = t.observer.Ask(ctx, asked); err != nil {
		return o, err
	}
	o.Agent = agent(asked, o.After)
	if p.bypass != nil {
		counted, err := p.bypass.Counters(ctx)
		if err != nil {
			return o, err
		}
		o.Accelerator.After = counted.Messages
	}
	return o, nil
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
func (p *sampler) values(out workload.Output, run tool.Run) (measure.Values, error) {
	name := p.benchmark.Tool
	switch tr := out.Trailer; {
	case tr.TimedOut:
		return nil, fmt.Errorf("%s was still running after %s and was ended", name, p.length+toolGrace)
	case tr.Flooded:
		return nil, fmt.Errorf("%s printed too much and was ended after %d bytes", name, tr.Bytes)
	case tr.Signal != "":
		return nil, fmt.Errorf("%s was ended by %s", name, tr.Signal)
	case tr.Exit != 0:
		return nil, fmt.Errorf("%s exited with %d: %s", name, tr.Exit, lastLine(out.Text))
	case len(tr.CPUs) != 1:
		return nil, fmt.Errorf("%s ran on CPUs %v: it was not pinned", name, tr.CPUs)
	}
	result, err := run.Parse(out.Text)
	if err != nil {
		return nil, err
	}
	spent, err := run.Unit.CPU(result.Values, out.Trailer)
	if err != nil {
		return nil, err
	}
	return append(result.Values, spent...), nil
}

// address is what the client dials.
func (t *target) address(c measure.Cell) string {
	if c.Path == measure.ClusterIP {
		return t.pair.ClusterIP
	}
	return t.pair.Server.IP
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return "no output"
}
