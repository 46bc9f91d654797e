package main

import (
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

const spiderpoolThresholds = "../../manifests/thresholds/spiderpool.yaml"

// world is how fast the datapaths of a made-up run are: the cost of each arm as a
// multiple of the node's, #control being the second copy of macvlan.
type world struct {
	name  string
	costs map[string]float64
	// confirms: the run goes on to a second batch on fresh pods.
	confirms bool
}

// worlds are the three ends that a run of gates has.
var worlds = []world{
	{"pass", map[string]float64{"node": 1, "calico": 1.5, "macvlan": .88, "macvlan#control": .885, "cilium": 1.02}, false},
	{"copies-differ", map[string]float64{"node": 1, "calico": 1.5, "macvlan": .88, "macvlan#control": .98, "cilium": 1.02}, false},
	{"fail", map[string]float64{"node": 1, "calico": 1.5, "macvlan": 1.8, "macvlan#control": 1.81, "cilium": 1.02}, true},
}

// table is a comparison of the made-up run.
type table struct {
	name, benchmark, path string
	metric                measure.Metric
	node                  float64 // the node's value
}

var tables = []table{
	{"pod-ip-latency", "sockperf-latency", measure.PodIP, measure.Latency, 13.5},
	{"pod-ip-netperf-tcp-rr", "netperf-tcp-rr", measure.PodIP, measure.Transactions, 36500},
	{"pod-ip-iperf3-p1", "iperf3-p1", measure.PodIP, measure.Throughput, 9.4e9},
}

// recorder writes a made-up run through the public writer, as a run does.
type recorder struct {
	t     *testing.T
	w     *journal.Writer
	rng   *rand.Rand
	world world
	clock time.Duration
}

func (r *recorder) append(record any) { require.NoError(r.t, r.w.Append(record)) }

func (r *recorder) sample(tb table, phase string, round, attempt, order int, cell measure.Cell, invalid string) {
	arm := cell.Arm
	if cell.Control {
		arm += "#control"
	}
	// Rounds drift together; what is left is a cell's own noise.
	cost := r.world.costs[arm] * (1 + .02*float64(round%3)) * math.Exp(.004*r.rng.NormFloat64())
	value := tb.node * cost
	if tb.metric.Better == measure.HigherIsBetter {
		value = tb.node / cost
	}
	s := journal.Sample{
		Comparison: tb.name, Phase: phase, Round: round, Attempt: attempt, Order: order, Cell: cell,
		Command: []string{"client", "-t", "2"}, StartedAt: r.clock, Duration: 2300 * time.Millisecond, ToolTime: 2 * time.Second, ToolDone: true,
		Values: measure.Values{{Metric: tb.metric, Value: value}}, Invalid: invalid,
	}
	if tb.metric == measure.Latency {
		s.Values = append(s.Values, measure.Value{Metric: measure.LatencyP99, Value: 1.7 * value})
	}
	if invalid != "" {
		s.Values = nil
	}
	r.clock += 3 * time.Second
	r.append(s)
}

func (t table) cells() []measure.Cell {
	cell := func(arm, path string) measure.Cell {
		return measure.Cell{Arm: arm, Path: path, Placement: measure.CrossNode, Benchmark: t.benchmark}
	}
	control := cell("macvlan", t.path)
	control.Control = true
	return []measure.Cell{cell("node", measure.HostIP), cell("calico", t.path), cell("macvlan", t.path), control, cell("cilium", t.path)}
}

// batch records the rounds of a table in one phase: the second is spoiled and
// measured again, the fourth disturbed.
func (r *recorder) batch(tb table, phase string, rounds int) {
	cells := tb.cells()
	for round := 1; round <= rounds; round++ {
		attempt := 1
		if round == 2 {
			const cause = "the end marker is missing: the stream was cut"
			r.append(journal.Attempt{Comparison: tb.name, Phase: phase, Round: round, Attempt: attempt, Cells: cells})
			r.sample(tb, phase, round, attempt, 1, cells[1], cause)
			r.append(journal.Round{Comparison: tb.name, Phase: phase, Round: round, Attempt: attempt, Cause: cells[1].String() + ": " + cause})
			attempt++
		}
		r.append(journal.Attempt{Comparison: tb.name, Phase: phase, Round: round, Attempt: attempt, Cells: cells})
		for order, cell := range cells {
			r.sample(tb, phase, round, attempt, order+1, cell, "")
		}
		closing := journal.Round{Comparison: tb.name, Phase: phase, Round: round, Attempt: attempt, Valid: true}
		if round == 4 {
			closing.Disturbed, closing.Disturbance = true, map[string]float64{"steal": .031}
		}
		r.append(closing)
	}
}

// recordWorld makes the run of a world below dir and returns its folder.
func recordWorld(t *testing.T, dir string, w world) string {
	t.Helper()
	plan := record.Plan{
		Version: record.PlanVersion, Profile: record.Profile{Name: "nightly", PodSets: 2, MinRounds: 8, Judge: true}, Seed: 7,
		Comparisons: []record.Decided{{Name: "pod-ip-iperf3-p1", Ceilings: map[string]float64{"throughput": 12e9}}},
	}
	data, err := json.Marshal(plan)
	require.NoError(t, err)
	dir = filepath.Join(dir, w.name)
	into, err := journal.Create(dir, journal.Header{
		RunID: "20261001t021700z-" + w.name, Seed: 7, Profile: "nightly", Plan: data, PlanHash: "5f2c", Version: "v0.2.0",
		Started:     time.Date(2026, 10, 1, 2, 17, 0, 0, time.UTC),
		Fingerprint: map[string]string{"kernel": "6.18", "provider": "kind"}, Command: []string{"cniperf", "run"},
	})
	require.NoError(t, err)
	r := &recorder{t: t, w: into, rng: rand.New(rand.NewPCG(7, uint64(len(w.name)))), world: w}
	r.append(journal.Stage{Name: "lab", Duration: 276 * time.Second})
	r.append(journal.Skip{
		Comparison: "pod-ip-latency", Reason: "the lab file gives cluster ebpf no interface for macvlan-b",
		Cell: measure.Cell{Arm: "macvlan-cross-subnet", Path: measure.PodIP, Placement: measure.CrossNode, Benchmark: "sockperf-latency"},
	})
	for _, tb := range tables {
		r.batch(tb, journal.PhaseFull, 10)
		if w.confirms {
			r.batch(tb, journal.PhaseConfirm, 9)
		}
	}
	require.NoError(t, into.Close())
	r.finish(dir)
	return dir
}

// finish records the verdicts and the end, as the run does.
func (r *recorder) finish(dir string) {
	var err error
	var run *journal.Run
	r.w, run, err = journal.Open(dir)
	require.NoError(r.t, err)
	thresholds, err := verdict.OpenThresholds(os.DirFS(filepath.Dir(spiderpoolThresholds)), filepath.Base(spiderpoolThresholds))
	require.NoError(r.t, err)
	plan, err := record.DecodePlan(run.Header.Plan)
	require.NoError(r.t, err)
	all := analysis.Judged(run, plan)
	verdicts, err := verdict.Judge(thresholds, "kind", all...)
	require.NoError(r.t, err)
	records, err := analysis.Records(nil, journal.PhaseFull, verdicts)
	require.NoError(r.t, err)
	for _, v := range records {
		r.append(v)
	}
	code := analysis.Conclude(analysis.Facts{Judges: true, Comparisons: all, Verdicts: verdicts}).ExitCode
	r.append(journal.End{Outcome: []string{"pass", "fail", "inconclusive"}[code], ExitCode: code, Duration: 20 * time.Minute})
	require.NoError(r.t, r.w.Close())
}

// The same rounds get the same report and the same verdicts, word by word,
// however the code that makes them is arranged.
func TestRecordedRunsAreReportedAndJudgedAsEver(t *testing.T) {
	dir := t.TempDir()
	for i, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			run := recordWorld(t, dir, w)
			out, code := runReport(run)
			require.Zero(t, code)
			goldenFile(t, w.name+".report.txt", out)
			code, out, _ = judge(t, "", run, "--thresholds", spiderpoolThresholds)
			assert.Equal(t, []int{0, 2, 1}[i], code)
			goldenFile(t, w.name+".judge.txt", out)
		})
	}
}

func goldenFile(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *updateGolden {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run with -update if the change is meant")
}
