package run

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/features/sockperf"
	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/workload"
	accelerator "github.com/cniperf/cniperf/internal/bypass"
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/podrun"
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
	t.serverCPU = server.CPUs[0]
	addr, err := t.address()
	if err != nil {
		return err
	}
	cmd, err := commandOf(b, addr, time.Second)
	if err != nil || cmd.prepare == nil {
		return err
	}
	out, err := t.pair.Run(ctx, workload.Tool{ID: "prepare", CPU: pin.Client, Timeout: toolGrace, Argv: cmd.prepare})
	if err == nil && out.Trailer.Exit != 0 {
		err = fmt.Errorf("%s exited with %d: %s", strings.Join(cmd.prepare, " "), out.Trailer.Exit, lastLine(out.Text))
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

// reading is what is read around a sample beside the tool's own trailer.
type reading struct {
	servers    podrun.Servers
	redirected accelerator.Counters
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
	cmd, err := p.command(bench, addr, s.Cell.Path)
	if err != nil {
		return s, err
	}
	p.describe(&s, t, cmd, addr)
	invalid := func(err error) (journal.Sample, error) {
		s.Invalid = err.Error()
		return s, ctx.Err()
	}
	if p.bypass != nil {
		if err := p.bypass.Accelerate(ctx, t.cell.Arm.Accelerated); err != nil {
			return invalid(err)
		}
	}
	pr := p.proof(s, t, cmd, bench)
	before, err := p.read(ctx, t)
	if err == nil {
		pr.before, err = t.observer.Ask(ctx, pr.question())
	}
	if err != nil {
		return invalid(err)
	}
	id := fmt.Sprintf("%s-%s-%d-%d", t.pair.Name, s.Comparison, s.Round, s.Attempt)
	out, err := t.pair.Run(ctx, workload.Tool{
		ID: id, CPU: p.pin.Client, Timeout: p.length + toolGrace, Port: bench.Port, UDP: bench.UDP, Argv: cmd.argv,
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
	pr.after, err = t.observer.Ask(ctx, pr.question())
	var after reading
	if err == nil {
		after, err = p.read(ctx, t)
	}
	if err != nil {
		return invalid(err)
	}
	s.Disturbance = interference.Numbers(interference.Sample{Client: out.Trailer, Server: bench.Server, Before: before.servers, After: after.servers})
	p.watch.Add(s.Disturbance)
	return p.judged(s, pr, cmd, out, before, after)
}

// command is the tool's command line for an address.
func (p *sampler) command(b plan.Benchmark, addr netip.Addr, path string) (command, error) {
	if p.published {
		return publishedRun(b, addr, p.length, path)
	}
	return commandOf(b, addr, p.length)
}

// proof is what the sample's path is proven by, before anything was observed.
func (p *sampler) proof(s journal.Sample, t *target, cmd command, b plan.Benchmark) proof {
	return proof{
		arm: t.cell.Arm, path: s.Cell.Path, argv: cmd.argv, server: t.pair.Server.IP, clusterIP: t.pair.ClusterIP,
		port: b.Port, udp: b.UDP, bypassed: p.bypass != nil, upstream: p.bypass != nil && p.bypass.Upstream,
	}
}

// describe notes where and how a sample is taken.
func (p *sampler) describe(s *journal.Sample, t *target, cmd command, addr netip.Addr) {
	s.Command, s.Address = cmd.argv, addr.String()
	s.ClientPod, s.ClientNode = t.pair.Client.Namespace+"/"+t.pair.Client.Pod, t.pair.Client.Node
	s.ServerPod, s.ServerNode = t.pair.Server.Namespace+"/"+t.pair.Server.Pod, t.pair.Server.Node
	s.ServerCPU = t.serverCPU
	s.StartedAt = p.now()
}

// read asks both the servers and the accelerator, if there is one.
func (p *sampler) read(ctx context.Context, t *target) (r reading, err error) {
	if r.servers, err = t.pair.Servers(ctx); err != nil || p.bypass == nil {
		return r, err
	}
	r.redirected, err = p.bypass.Counters(ctx)
	return r, err
}

// judged adds the values of a sample whose tool has ended, if everything about
// them is as it must be.
func (p *sampler) judged(s journal.Sample, pr proof, cmd command, out workload.Output, before, after reading) (journal.Sample, error) {
	restarted := before.servers.Boot != after.servers.Boot
	values, err := p.values(out, cmd)
	if restarted {
		err = errors.Join(err, errors.New("the pair's servers were restarted during the sample, so what they held is lost"))
	}
	pr.redirected = after.redirected.Messages - before.redirected.Messages
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
