//go:build lab

package run

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/rounds"
	"github.com/cniperf/cniperf/internal/verdict"
)

// These tests ask the procedure that ships, on the real lab, questions whose
// answers are known: copies of one arm, which no verdict may tell apart, and
// copies that were slowed by a known amount. Each prints a Markdown table and
// leaves it, beside the journals, in the test's artifact folder (go test
// -artifacts). CNIPERF_LONG=1 gives the full size.

// long chooses between a size that shows that a test works and the full one.
func long(short, full int) int {
	if os.Getenv("CNIPERF_LONG") == "1" {
		return full
	}
	return short
}

// copies measures copies of the macvlan arm, each pair of pods under a name.
type copies struct {
	session  *Session
	cluster  *testbed.Cluster
	observer *workload.Observer
	arm      plan.Arm
	bench    plan.Benchmark
	batches  int
}

func newCopies(t *testing.T) *copies {
	t.Helper()
	s := onTheLab(t, Options{
		Profile: "quick", Lab: os.Getenv("CNIPERF_LAB"), RunDir: filepath.Join(t.ArtifactDir(), "run"), Seed: uint64(time.Now().UnixNano()),
	}, nil)
	c := &copies{session: s}
	var err error
	c.arm, err = s.plan.Arm("macvlan")
	require.NoError(t, err)
	c.bench, err = s.plan.Catalogue.Benchmark("sockperf-latency")
	require.NoError(t, err)
	up, err := s.room.clusters.Up(t.Context(), []string{c.arm.Cluster})
	require.NoError(t, err)
	require.Contains(t, up, c.arm.Cluster)
	c.cluster = up[c.arm.Cluster]
	require.NoError(t, s.room.workers.add(t.Context(), c.cluster, s.room.cilium(c.cluster.Name)))
	w, err := s.room.workers.of(c.cluster.Name)
	require.NoError(t, err)
	c.observer = w.observer
	return c
}

// batch is one set of fresh pods.
type batch struct {
	*copies
	name    string
	names   []string
	targets targets
	shared  bool // nothing is kept off the measuring CPU
}

// batch makes fresh pods of these names and removes them at the end of use.
func (c *copies) batch(t *testing.T, names []string, use func(*batch)) {
	t.Helper()
	ctx := t.Context()
	c.batches++
	b := &batch{copies: c, name: fmt.Sprintf("batch%d", c.batches), names: names, targets: targets{}}
	run := owner(c.session.runID, c.session.started)
	d, err := workload.NewCluster(c.cluster.Name, c.cluster.REST, c.cluster.BenchImage, run.ID+"-"+b.name, run.Expires)
	require.NoError(t, err)
	pool := &PodPool{
		starter: func(string) (Starter, error) { return d, nil },
		stage:   c.session.room.pods.stage,
		idle:    c.session.room.workers.idle(c.session.lab),
	}
	defer func() {
		pool.Close()
		assert.NoError(t, d.Delete(context.WithoutCancel(ctx)))
	}()
	var all []*target
	var pairs []Want
	for _, name := range names {
		cell := plan.Cell{Cell: b.cell(name), Arm: c.arm}
		cell.Arm.Datapath = name // after which its pods are named
		for _, want := range wants(c.session.plan, cell, c.cluster, journal.PhaseFull) {
			want.Spec.Servers = []string{c.bench.Server}
			pairs = append(pairs, want)
			all = append(all, &target{want: want, cell: plan.Cell{Cell: cell.Cell, Arm: c.arm}, observer: c.observer})
		}
	}
	require.NoError(t, pool.Ensure(ctx, pairs))
	for _, target := range all {
		pair, why := pool.Pair(target.want.key())
		require.Nil(t, why)
		target.pair = pair
		require.NoError(t, target.prepare(ctx, c.bench, c.session.plan.Profile.Pin))
		b.targets[target.cell.Cell] = append(b.targets[target.cell.Cell], target)
	}
	use(b)
}

func (b *batch) cell(name string) measure.Cell {
	return measure.Cell{Arm: name, Path: "pod-ip", Placement: "cross-node", Benchmark: b.bench.Name}
}

// rounds measures every copy once a round, in random order, by the profile's
// rule for disturbed rounds, until decided says so or the most are done.
func (b *batch) rounds(t *testing.T, low, high int, decided func([]measure.Round) bool) []measure.Round {
	t.Helper()
	s := b.session
	smp := s.room.sampler(&Batch{
		decided: plan.Decided{Comparison: plan.Comparison{Name: b.name}, Bench: b.bench},
		phase:   journal.PhaseFull, room: s.room, targets: b.targets,
	})
	smp.length = time.Second
	broke := func(s journal.Sample) ([]measure.Cell, error) { return nil, fmt.Errorf("a copy broke: %s", s.Invalid) }
	r := &rounds.Loop{
		Comparison: b.name, Phase: journal.PhaseFull, Seed: s.plan.Seed, Min: low, Max: high,
		Sample: smp.sample, Interference: smp.watch.Round, Decided: decided, Record: s.book.append,
		Repair:   func(_ context.Context, s journal.Sample, _ bool) ([]measure.Cell, error) { return broke(s) },
		GiveUp:   broke,
		Progress: func(int, int, measure.Cell) {},
	}
	for _, name := range b.names {
		r.Cells = append(r.Cells, b.cell(name))
	}
	if !b.shared {
		reserved, err := s.room.reservation()
		require.NoError(t, err)
		require.NoError(t, reserved.Prepare(t.Context()))
		require.NoError(t, reserved.Take())
		defer func() { assert.NoError(t, reserved.Release()) }()
		smp.watch.Reserved = reserved.Active()
	}
	measured, err := r.Measure(t.Context())
	require.NoError(t, err)
	if smp.watch.Dropped > 0 {
		t.Logf("%s: %d rounds dropped because others disturbed them", b.name, smp.watch.Dropped)
	}
	return measured
}

// judge gives the shipped verdict on "a is faster than b" as the suite would
// have come to it: after the profile's fewest rounds and each one more, until it
// is final or wants to be confirmed. The A/A control is copy against original.
func (b *batch) judge(t *testing.T, rounds []measure.Round, faster, slower, original, copy string) verdict.Verdict {
	t.Helper()
	p, gate := b.session.plan.Profile, b.session.plan.Thresholds.Assertions[0]
	side := func(arm string) *verdict.Side {
		return &verdict.Side{Arm: arm, Path: "pod-ip", Placement: "cross-node"}
	}
	claim := verdict.Thresholds{FamilyAlpha: b.session.plan.Thresholds.FamilyAlpha, NoiseFloor: b.session.plan.Thresholds.NoiseFloor, Assertions: []verdict.Assertion{{
		Name: faster + "-over-" + slower, Faster: side(faster), Slower: side(slower), Benchmark: b.bench.Name,
		Metric: gate.Metric, Margin: gate.Margin, Alpha: gate.Alpha, MaxRounds: gate.MaxRounds, Role: verdict.Gate,
	}}}
	var seen []measure.Round
	for _, r := range rounds {
		values := map[measure.Cell]measure.Values{}
		for _, name := range []string{faster, slower, original} {
			values[b.cell(name)] = r.Values[b.cell(name)]
		}
		control := b.cell(original)
		control.Control = true
		values[control] = r.Values[b.cell(copy)]
		seen = append(seen, measure.Round{Index: r.Index, Values: values, Disturbed: r.Disturbed})
	}
	for n := min(p.MinRounds, len(seen)); ; n++ {
		vs, err := verdict.Judge(claim, b.session.bed.Provider(), verdict.Comparison{Rounds: seen[:n], PodSets: p.PodSets})
		require.NoError(t, err)
		require.Len(t, vs, 1)
		if v := vs[0]; n == len(seen) || v.Final || v.NeedsConfirmation {
			return v
		}
	}
}

// logRatios are those of one copy to another, round by round.
func (b *batch) logRatios(t *testing.T, rounds []measure.Round, x, y string) []float64 {
	t.Helper()
	ds, err := measure.LogRatios(rounds, b.cell(x), b.cell(y), measure.Latency.Name)
	require.NoError(t, err)
	return ds
}

// table prints a Markdown table and keeps it.
func table(t *testing.T, file string, header []string, rows [][]string, notes ...string) {
	t.Helper()
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	line(slices.Repeat([]string{"---"}, len(header)))
	for _, r := range rows {
		line(r)
	}
	for _, n := range notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	path := filepath.Join(t.ArtifactDir(), file)
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	t.Logf("%s:\n\n%s", path, b.String())
}

// TestStatisticsOnTheLabCallNoCopiesDifferent judges pairs of copies of one arm. A pass
// is a false verdict, and so is a first batch that fails, although the suite
// would still have it confirmed on fresh pods. The pairs of a batch share
// its copies, so they are not independent of each other; the batches are.
func TestStatisticsOnTheLabCallNoCopiesDifferent(t *testing.T) {
	c := newCopies(t)
	batches, size, most := long(1, 4), 8, long(8, c.session.plan.Profile.MaxRounds)
	if other := os.Getenv("CNIPERF_AA"); other != "" {
		_, err := fmt.Sscanf(other, "%dx%d", &batches, &size)
		require.NoError(t, err, "CNIPERF_AA is BATCHESxCOPIES, as 4x8")
	}
	require.GreaterOrEqual(t, size, 3, "copies, of which one is the control of the others")
	var names []string
	for i := range size {
		names = append(names, fmt.Sprintf("copy%d", i+1))
	}
	var rows [][]string
	reasons := map[string]int{}
	comparisons, falseOnes := 0, 0
	for range batches {
		c.batch(t, names, func(b *batch) {
			rounds := b.rounds(t, most, most, func([]measure.Round) bool { return false })
			passes, fails, far := 0, 0, 0.
			var spreads []float64
			for i := range names {
				for j := range i {
					// A copy that is neither of the two is the control of one of them.
					control := (i + 1) % len(names)
					if control == j {
						control = (i + 2) % len(names)
					}
					v := b.judge(t, rounds, names[i], names[j], names[j], names[control])
					comparisons++
					switch {
					case v.Outcome == verdict.Pass:
						passes++
						t.Logf("%s: FALSE: %s", b.name, v.Explanation)
					case v.NeedsConfirmation:
						fails++
						t.Logf("%s: FALSE, until confirmed: %s", b.name, v.Explanation)
					default:
						reasons[string(v.Why.Code)]++
					}
					ds := b.logRatios(t, rounds, names[i], names[j])
					spreads = append(spreads, stat.StdDev(ds, nil))
					far = max(far, math.Abs(measure.Median(ds)))
				}
			}
			falseOnes += passes + fails
			rows = append(rows, []string{
				b.name, fmt.Sprint(len(rounds)), fmt.Sprint(passes), fmt.Sprint(fails),
				fmt.Sprintf("%.2f %%", 100*math.Expm1(far)), fmt.Sprintf("%.4f", measure.Median(spreads)),
			})
		})
	}
	var why []string
	for _, r := range slices.Sorted(maps.Keys(reasons)) {
		why = append(why, fmt.Sprintf("%s: %d", strings.TrimSpace(r), reasons[r]))
	}
	table(t, "aa.md", []string{"batch of fresh pods", "rounds", "false pass", "false fail (unconfirmed)", "largest median difference of two copies", "sd of ln ratio (median of all pairs)"}, rows,
		fmt.Sprintf("%d comparisons, %d false verdicts. Undecided because of: %s.", comparisons, falseOnes, strings.Join(why, "; ")))
	assert.LessOrEqual(t, falseOnes, max(1, comparisons/100), "of %d comparisons", comparisons)
}

// slow makes a copy's client walk that many rules, which match nothing, for
// every packet it sends.
func (b *batch) slow(t *testing.T, name string, rules int) {
	t.Helper()
	var text strings.Builder
	text.WriteString("*filter\n:OUTPUT ACCEPT [0:0]\n")
	for i := range rules {
		// 192.0.2.0/24 is reserved for documentation: no pod has such an address.
		fmt.Fprintf(&text, "-A OUTPUT -s 192.0.2.%d/32 -j ACCEPT\n", i%256)
	}
	text.WriteString("COMMIT\n")
	for _, target := range b.targets[b.cell(name)] {
		inClient(t, target.pair.Client, text.String(), "iptables-legacy-restore")
	}
}

// level is an injected slowdown.
type level struct {
	name   string
	wanted float64 // relative
	rules  int
	effect float64 // relative, as calibrated
}

// calibrate finds how many rules slow a copy by the wanted parts, and measures
// what they really do, on pods that no comparison uses.
func (c *copies) calibrate(t *testing.T, levels []level) {
	t.Helper()
	const probe = 4000
	rounds := long(4, 8)
	never := func([]measure.Round) bool { return false }
	c.batch(t, []string{"base", "probe"}, func(b *batch) {
		b.slow(t, "probe", probe)
		ratio := math.Exp(measure.Median(b.logRatios(t, b.rounds(t, rounds, rounds, never), "probe", "base")))
		t.Logf("calibration: %d rules make a copy %.3f times as slow", probe, ratio)
		require.Greater(t, ratio, 1.05, "the rules cost too little to calibrate by")
		for i := range levels {
			levels[i].rules = int(math.Round(levels[i].wanted / (ratio - 1) * probe))
		}
	})
	names := []string{"base"}
	for _, l := range levels {
		names = append(names, l.name)
	}
	c.batch(t, names, func(b *batch) {
		for _, l := range levels {
			b.slow(t, l.name, l.rules)
		}
		measured := b.rounds(t, rounds, rounds, never)
		for i, l := range levels {
			levels[i].effect = math.Expm1(measure.Median(b.logRatios(t, measured, l.name, "base")))
			t.Logf("calibration: %s: %d rules for %.0f %% give %.1f %%", l.name, l.rules, 100*l.wanted, 100*levels[i].effect)
		}
	})
}

// TestStatisticsOnTheLabFindInjectedSlowdowns judges, against an untouched copy, copies that
// were slowed. Of those whose slowdown is at least twice what the comparison
// could have seen, 95 % must be found, and none may be taken for faster. Batches
// of all sizes tell what is found of which; batches of large ones only, which are
// decided soon, give enough that are clear.
func TestStatisticsOnTheLabFindInjectedSlowdowns(t *testing.T) {
	c := newCopies(t)
	levels := []level{{name: "slow05", wanted: .05}, {name: "slow10", wanted: .10}, {name: "slow20", wanted: .20}, {name: "slow50", wanted: .50}, {name: "slow100", wanted: 1}}
	c.calibrate(t, levels)
	type tally struct {
		found, wrong, clear, clearFound int
		rounds, detectable, seen        []float64
	}
	tallies := map[float64]*tally{}
	for _, l := range levels {
		tallies[l.wanted] = &tally{}
	}
	compare := func(levels []level) {
		names := []string{"base", "base-copy"}
		for _, l := range levels {
			names = append(names, l.name)
		}
		c.batch(t, names, func(b *batch) {
			for _, l := range levels {
				b.slow(t, l.name, l.rules)
			}
			verdicts := func(rounds []measure.Round) []verdict.Verdict {
				var vs []verdict.Verdict
				for _, l := range levels {
					vs = append(vs, b.judge(t, rounds, "base", l.name, "base", "base-copy"))
				}
				return vs
			}
			rounds := b.rounds(t, c.session.plan.Profile.MinRounds, c.session.plan.Profile.MaxRounds, func(rounds []measure.Round) bool {
				return !slices.ContainsFunc(verdicts(rounds), func(v verdict.Verdict) bool { return !v.Final && !v.NeedsConfirmation })
			})
			for i, v := range verdicts(rounds) {
				l := levels[i]
				y := tallies[l.wanted]
				t.Logf("%s: %s (%.1f %%): %s: %s", b.name, l.name, 100*l.effect, v.Outcome, v.Explanation)
				// Without an interval there is no effect that it could have seen.
				clear := v.Evidence.Detectable != nil && l.effect >= 2**v.Evidence.Detectable
				if v.Evidence.Detectable != nil {
					y.detectable = append(y.detectable, *v.Evidence.Detectable)
				}
				y.rounds = append(y.rounds, float64(v.Evidence.Rounds))
				y.seen = append(y.seen, math.Expm1(measure.Median(b.logRatios(t, rounds, l.name, "base"))))
				found := v.Outcome == verdict.Pass
				y.found += count(found)
				y.wrong += count(v.NeedsConfirmation)
				y.clear += count(clear)
				y.clearFound += count(clear && found)
			}
		})
	}
	for range long(1, 5) {
		compare(levels[:4])
	}
	var large []level
	for i, l := range []level{levels[3], levels[3], levels[3], levels[4], levels[4]} {
		l.name = fmt.Sprintf("%s-%d", l.name, i+1)
		large = append(large, l)
	}
	for range long(1, 4) {
		compare(large)
	}
	var rows [][]string
	var all tally
	for _, l := range levels {
		y := tallies[l.wanted]
		rows = append(rows, []string{
			fmt.Sprintf("%.0f %%", 100*l.wanted), fmt.Sprint(l.rules), fmt.Sprintf("%.1f %%", 100*l.effect), fmt.Sprintf("%.1f %%", 100*measure.Median(y.seen)),
			fmt.Sprint(len(y.rounds)), fmt.Sprint(y.found), fmt.Sprint(y.wrong), fmt.Sprintf("%.1f %%", 100*measure.Median(y.detectable)),
			fmt.Sprintf("%d of %d", y.clearFound, y.clear), fmt.Sprintf("%.3g", measure.Median(y.rounds)),
		})
		all.wrong, all.clear, all.clearFound = all.wrong+y.wrong, all.clear+y.clear, all.clearFound+y.clearFound
	}
	table(t, "slowdowns.md", []string{"slowdown wanted", "rules", "calibrated", "median seen", "comparisons", "found", "wrong direction", "median detectable effect", "found of those at twice the detectable effect", "median rounds"}, rows,
		fmt.Sprintf("At least twice the detectable effect: %d, of which %d were found; %d in the wrong direction.", all.clear, all.clearFound, all.wrong))
	assert.Positive(t, all.clear, "no slowdown was large enough to ask")
	assert.GreaterOrEqual(t, float64(all.clearFound), .95*float64(all.clear))
	assert.Zero(t, all.wrong)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// TestStatisticsOnTheLabGainFromAReservedCPU measures the same pods with everything
// else kept off the measuring CPU and with nothing kept off it, in blocks that
// take turns, and tells the spread of each. Whether it helps is for the reader.
func TestStatisticsOnTheLabGainFromAReservedCPU(t *testing.T) {
	c := newCopies(t)
	names := []string{"copy1", "copy2", "copy3", "copy4", "copy5"}
	blocks, perBlock := long(1, 2), long(4, 6)
	modes := []string{"shared", "reserved"}
	rounds := map[string][]measure.Round{}
	c.batch(t, names, func(b *batch) {
		for block := range 2 * blocks {
			// shared reserved, reserved shared, and so on: what drifts favours neither.
			mode := modes[(block+block/2)%2]
			b.shared = mode == "shared"
			b.name = fmt.Sprintf("%s%d", mode, block)
			rounds[mode] = append(rounds[mode], b.rounds(t, perBlock, perBlock, func([]measure.Round) bool { return false })...)
		}
		var rows [][]string
		for _, mode := range modes {
			var aa, arms, medians []float64
			for i := range names {
				var costs []float64
				for _, r := range rounds[mode] {
					v, ok := r.Values[b.cell(names[i])].Get(measure.Latency.Name)
					require.True(t, ok)
					costs = append(costs, math.Log(v.Value))
				}
				arms = append(arms, stat.StdDev(costs, nil))
				medians = append(medians, math.Exp(measure.Median(costs)))
				for j := range i {
					aa = append(aa, stat.StdDev(b.logRatios(t, rounds[mode], names[i], names[j]), nil))
				}
			}
			rows = append(rows, []string{
				mode, fmt.Sprint(len(rounds[mode])), fmt.Sprintf("%.4f (%.4f–%.4f)", measure.Median(aa), slices.Min(aa), slices.Max(aa)),
				fmt.Sprintf("%.4f (%.4f–%.4f)", measure.Median(arms), slices.Min(arms), slices.Max(arms)), fmt.Sprintf("%.2f", measure.Median(medians)),
			})
		}
		table(t, "reserved-cpu.md", []string{"measuring CPU", "rounds", "sd of the A/A ln ratio, median of 10 pairs (range)", "sd of ln latency of one copy, median of 5 (range)", "median latency, µs"}, rows)
	})
}
