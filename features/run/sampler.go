package run

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/features/proof"
	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/features/tool/toolbox"
	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// toolGrace is what a tool may take beyond the length that was asked before it
// counts as hung.
const toolGrace = 10 * time.Second

// target is one pair of a cell, ready to be measured.
type target struct {
	want      Want
	cell      plan.Cell
	pair      *workload.Pair
	observer  *workload.Observer // of the client's node
	serverCPU int
	boot      string // of its servers when they were prepared
}

// targets are the pairs that are measured, by cell: one for each set of pods.
type targets map[measure.Cell][]*target

// turn is the pair of a cell that a round measures. The sets take turns, so that
// pods which are slow for as long as they live are not in every round.
func (t targets) turn(c measure.Cell, round int) *target {
	return t[c][(round-1)%len(t[c])]
}

// address is what the client dials.
func (t *target) address() (netip.Addr, error) {
	text := t.pair.Server.IP
	if t.cell.Cell.Path == measure.ClusterIP {
		text = t.pair.ClusterIP
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return addr, fmt.Errorf("cell %s: %w", t.cell.Cell, err)
	}
	return addr, nil
}

// prepare reads the server's pinning, which is then a fact and not a wish, and
// prepares the server where the tool needs it.
func (t *target) prepare(ctx context.Context, bench plan.Benchmark, pin plan.Pin) error {
	b := t.cell.Arm.Of(bench)
	servers, err := t.pair.Servers(ctx)
	if err != nil {
		return err
	}
	server, runs := servers.Process(b.Server)
	if !runs || len(server.CPUs) != 1 {
		return fmt.Errorf("server %s of pair %s may run on CPUs %v: it is not pinned to one", b.Server, t.pair.Name, server.CPUs)
	}
	t.serverCPU, t.boot = server.CPUs[0], servers.Boot
	measuring, err := toolbox.Named(b.Tool)
	if err != nil || measuring.Prepare == nil {
		return err
	}
	addr, err := t.address()
	if err != nil {
		return err
	}
	argv, err := measuring.Prepare(b, addr)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", t.cell.Cell, err)
	}
	out, err := t.pair.Run(ctx, workload.Tool{ID: "prepare", CPU: pin.Client, Timeout: toolGrace, Argv: argv})
	if err == nil && out.Trailer.Exit != 0 {
		err = fmt.Errorf("%s exited with %d: %s", strings.Join(argv, " "), out.Trailer.Exit, lastLine(out.Text))
	}
	if err != nil {
		return fmt.Errorf("prepare %s: %w", t.cell.Cell, err)
	}
	return nil
}

// sampler runs samples of one comparison.
type sampler struct {
	benchmark plan.Benchmark
	length    time.Duration
	published bool // by the published page's own command lines
	pin       plan.Pin
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
	bench := t.cell.Arm.Of(p.benchmark)
	addr, err := t.address()
	if err != nil {
		return s, err
	}
	run, err := toolbox.Run(bench, tool.Sample{Addr: addr, Path: s.Cell.Path, Length: p.length, Published: p.published})
	if err != nil {
		return s, err
	}
	p.describe(&s, t, run, addr)
	invalid := func(err error) (journal.Sample, error) {
		s.Invalid = err.Error()
		return s, ctx.Err()
	}
	w := witness{p, t, proof.Question(claims(t.cell.Arm, s.Cell.Path), t.claimed(bench, run.Argv))}
	seen, err := w.before(ctx)
	if err != nil {
		return invalid(err)
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
	if s.Raw, err = p.store(out.Stream); err != nil {
		return s, err
	}
	s.RawBytes, s.ToolTime = int64(len(out.Stream)), out.Trailer.Elapsed
	s.ToolDone = out.Trailer.Exit == 0 && out.Trailer.Signal == "" && !out.Trailer.TimedOut
	if err := w.after(ctx, &seen); err != nil {
		return invalid(err)
	}
	s.Disturbance = interference.Numbers(interference.Sample{
		Client: out.Trailer, Server: bench.Server, Before: seen.serversBefore, After: seen.serversAfter,
	})
	p.watch.Add(s.Disturbance)
	return p.judged(s, t, run, out, seen), nil
}

// describe notes where and how a sample is taken.
func (p *sampler) describe(s *journal.Sample, t *target, run tool.Run, addr netip.Addr) {
	s.Command, s.Address = run.Argv, addr.String()
	s.ClientPod, s.ClientNode = t.pair.Client.Namespace+"/"+t.pair.Client.Pod, t.pair.Client.Node
	s.ServerPod, s.ServerNode = t.pair.Server.Namespace+"/"+t.pair.Server.Pod, t.pair.Server.Node
	s.ServerCPU = t.serverCPU
	s.StartedAt = p.now()
}

// judged adds the values of a sample whose tool has ended, if everything about
// them is as it must be.
func (p *sampler) judged(s journal.Sample, t *target, run tool.Run, out workload.Output, seen observed) journal.Sample {
	values, err := p.values(out, run)
	if seen.serversBefore.Boot != t.boot || seen.serversAfter.Boot != t.boot {
		err = errors.Join(err, errors.New("the pair's servers were restarted since they were prepared, so what they held is lost"))
	}
	if answered, ok := values.Get(tool.Messages.Name); ok {
		seen.Answered = answered.Value
	}
	seen.Trailer = out.Trailer
	bench := t.cell.Arm.Of(p.benchmark)
	s.Checks = proof.Checks(claims(t.cell.Arm, s.Cell.Path), t.claimed(bench, run.Argv), seen.Observed)
	if s.Values, err = proven(values, err, s.Checks); err != nil {
		s.Invalid = err.Error()
		return s
	}
	s.ClientCPU = out.Trailer.CPUs[0]
	return s
}
