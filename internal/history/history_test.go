package history

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// plan is what a night records of its plan, after the changes of a test.
func plan(change ...func(*record.Plan)) json.RawMessage {
	p := record.Plan{
		Version: record.PlanVersion,
		Profile: record.Profile{Name: "nightly", SampleSeconds: 5, MinRounds: 2, Comparisons: []string{"latency", "throughput", "same-node"}},
		Catalogue: record.Catalogue{Benchmarks: []record.Benchmark{
			{Name: "sockperf-latency", Tool: "sockperf", Port: 12345}, {Name: "iperf3-p1", Tool: "iperf3", Port: 5201},
		}},
	}
	for _, c := range change {
		c(&p)
	}
	b, _ := json.Marshal(p) // without a plan the tests fail
	return b
}

// nightRun makes the run of one night: the arms' latency as a ratio to that of
// node, and their throughput as the reciprocal.
func nightRun(i int, ratios map[string]float64) *journal.Run {
	run := &journal.Run{
		Dir: fmt.Sprintf("runs/night%02d", i),
		Header: journal.Header{
			RunID: fmt.Sprintf("night%02d", i), Profile: "nightly", Plan: plan(),
			Started:     time.Date(2026, 10, 1, 2, 17, 0, 0, time.UTC).AddDate(0, 0, i),
			Fingerprint: map[string]string{"kernel": "6.18"},
		},
		Prints: []journal.Fingerprint{{Cluster: "kube-proxy", Values: map[string]string{"kubernetes": "v1.34.4", "image spiderpool": "v1.0.0", "cni-values": "a"}}},
		End:    &journal.End{Outcome: "pass"},
	}
	for round := 1; round <= 2; round++ {
		// What drifts between rounds cancels in the ratios.
		node := 12.0 * float64(round)
		add := func(table, arm string, m measure.Metric, value float64) {
			c := measure.Cell{Arm: arm, Path: "pod-ip", Placement: "cross-node", Benchmark: map[string]string{"latency": "sockperf-latency", "throughput": "iperf3-p1", "same-node": "sockperf-latency"}[table]}
			run.Samples = append(run.Samples, journal.Sample{
				Comparison: table, Phase: journal.PhaseFull, Round: round, Attempt: 1, Cell: c, Values: measure.Values{{Metric: m, Value: value}},
			})
		}
		add("latency", "node", measure.Latency, node)
		add("throughput", "node", measure.Throughput, 1e10/node)
		add("same-node", "bypass-on", measure.Latency, 4)
		for arm, ratio := range ratios {
			add("latency", arm, measure.Latency, node*ratio)
			add("throughput", arm, measure.Throughput, 1e10/(node*ratio))
		}
		for _, table := range []string{"latency", "throughput", "same-node"} {
			run.Rounds = append(run.Rounds, journal.Round{Comparison: table, Phase: journal.PhaseFull, Round: round, Attempt: 1, Valid: true})
		}
	}
	return run
}

// nights are so many runs in which nothing changes but a little noise.
func nights(n int) []*journal.Run {
	var runs []*journal.Run
	for i := range n {
		noise := 1 + 0.01*float64(i*7%10)/10
		runs = append(runs, nightRun(i, map[string]float64{"macvlan": .7 * noise, "calico": 1.4 / noise}))
	}
	return runs
}

// newHistory keeps of the runs what is needed, and compares.
func newHistory(runs []*journal.Run, rule Rule) (*History, error) {
	var kept []*Run
	for _, run := range runs {
		k, err := Of(run)
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", run.Dir, err)
		}
		kept = append(kept, k)
	}
	return New(kept, rule)
}

func compare(before, after *journal.Run) (*Comparison, error) {
	was, err := Of(before)
	if err != nil {
		return nil, err
	}
	is, err := Of(after)
	if err != nil {
		return nil, err
	}
	return Compare(was, is)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func TestAnArmThatGotSlower(t *testing.T) {
	runs := nights(30)
	for i := range 3 {
		slow := nightRun(30+i, map[string]float64{"macvlan": .8, "calico": 1.39})
		slow.Prints[0].Values["image spiderpool"] = "v1.1.0"
		runs = append(runs, slow)
	}
	rule := Rule{Window: 30, Alpha: .05}
	for n, want := range map[int]verdict.Outcome{30: verdict.Inconclusive, 31: verdict.Inconclusive, 32: verdict.Fail, 33: verdict.Fail} {
		h, err := newHistory(runs[:n], rule)
		require.NoError(t, err)
		assert.Equal(t, 2, h.Rule.InARow, "four cells")
		assert.Equal(t, want, h.Outcome(), "%d nights", n)
	}
	runs[3], runs[20] = runs[20], runs[3]
	cut := nightRun(40, nil)
	cut.End = nil
	broken := nightRun(41, nil)
	broken.End = &journal.End{Outcome: "infrastructure", ExitCode: 3, Reason: "node lost"}
	elsewhere := nightRun(-1, nil)
	elsewhere.Header.Fingerprint = map[string]string{"kernel": "6.17"}
	smoke, smoke2 := nightRun(-2, nil), nightRun(-3, nil)
	smoke.Header.Profile, smoke2.Header.Profile = "smoke", "smoke"
	h, err := newHistory(append(runs, cut, broken, elsewhere, smoke, smoke2, runs[0]), rule)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, h.Text(&b))
	golden(t, "slower.txt", b.Bytes())
	b.Reset()
	require.NoError(t, h.JSON(&b))
	assert.True(t, json.Valid(b.Bytes()))
}

func TestNothingChanged(t *testing.T) {
	h, err := newHistory(nights(31), Rule{Window: 30, Alpha: .05})
	require.NoError(t, err)
	assert.Equal(t, verdict.Pass, h.Outcome())
	assert.Len(t, h.Cells, 4)
	assert.Equal(t, []string{"same-node"}, h.Alone)
}

// A table counts only where it is whole, and where its benchmark is the same.
func TestTablesThatDontCount(t *testing.T) {
	runs := nights(9)
	last := runs[8]
	for i := range last.Rounds {
		if last.Rounds[i].Comparison == "throughput" && last.Rounds[i].Round == 2 {
			last.Rounds[i].Valid = false
		}
	}
	runs[0].Header.Plan = plan(func(p *record.Plan) { p.Catalogue.Benchmarks[0].Port++ })
	h, err := newHistory(runs, Rule{Window: 5, Alpha: .05})
	require.NoError(t, err)
	assert.Equal(t, "throughput: calico, macvlan", byTable(h.Missing))
	assert.Len(t, h.Cells, 2)
	for _, s := range h.Cells {
		assert.Equal(t, "night01", s.Nights[0].Run, "the first has another port")
		assert.Equal(t, verdict.Pass, s.Verdict.Outcome, s.Verdict.Explanation)
	}
	assert.Equal(t, verdict.Inconclusive, h.Outcome())
}

// A table that the profile no longer has isn't missed.
func TestTablesThatWereTakenOut(t *testing.T) {
	runs := nights(7)
	last := runs[6]
	last.Header.Plan = plan(func(p *record.Plan) { p.Profile.Comparisons = []string{"latency", "same-node"} })
	last.Rounds = slices.DeleteFunc(last.Rounds, func(r journal.Round) bool { return r.Comparison == "throughput" })
	h, err := newHistory(runs, Rule{Window: 5, Alpha: .05})
	require.NoError(t, err)
	assert.Empty(t, h.Missing)
	assert.Len(t, h.Cells, 2)
}

// A night recorded before plans had a version is compared with one of today, if
// both measured the same way. How many rounds there were at most doesn't matter.
func TestNightsOfOlderPlansCount(t *testing.T) {
	old, err := os.ReadFile("../record/testdata/plan.v1.json")
	require.NoError(t, err)
	p, err := record.DecodePlan(old)
	require.NoError(t, err)
	p.Version, p.Profile.MaxRounds = record.PlanVersion, 20
	before := &journal.Run{Header: journal.Header{Plan: old}}
	conditionsNow := func() conditions {
		b, err := json.Marshal(p)
		require.NoError(t, err)
		c, err := conditionsOf(&journal.Run{Header: journal.Header{Plan: b}})
		require.NoError(t, err)
		return c
	}
	then, err := conditionsOf(before)
	require.NoError(t, err)
	assert.Empty(t, then.elsewhere(conditionsNow()))
	assert.Equal(t, then.benchmarks, conditionsNow().benchmarks)
	assert.Len(t, then.benchmarks, 9)
	assert.Len(t, then.comparisons, 18)
	assert.Equal(t, 8, then.minRounds)

	p.Profile.SampleSeconds = 5
	assert.Equal(t, []string{"profile: sampleSeconds 3, then 5"}, then.elsewhere(conditionsNow()))
}

func TestClustersThatOnlyOneRunHas(t *testing.T) {
	runs := nights(7)
	runs[6].Prints = append(runs[6].Prints, journal.Fingerprint{Cluster: "ebpf", Values: map[string]string{"kubernetes": "v1.34.4"}})
	h, err := newHistory(runs, Rule{Window: 5, Alpha: .05})
	require.NoError(t, err)
	assert.Empty(t, h.LeftOut)
}

func TestNewRefuses(t *testing.T) {
	for _, rule := range []Rule{{Window: 0, Alpha: .05}, {Window: 3, InARow: -1, Alpha: .05}, {Window: 3}, {Window: 1, Alpha: 1e-9}, {Window: 3, Alpha: 1}} {
		_, err := newHistory(nights(4), rule)
		assert.ErrorContains(t, err, "want at least", "%+v", rule)
	}
	runs := nights(1)
	runs[0].End = nil
	_, err := newHistory(runs, Rule{Window: 1, Alpha: .05})
	assert.ErrorContains(t, err, "none of the 1 runs ended with a verdict")
	runs = nights(1)
	runs[0].Header.Plan = json.RawMessage(`{"profile":{"MinRounds":"two"}}`)
	_, err = newHistory(runs, Rule{Window: 1, Alpha: .05})
	assert.ErrorContains(t, err, "runs/night00: plan of version 1: ")
	runs[0].Header.Plan = json.RawMessage(`{"version": 3}`)
	_, err = newHistory(runs, Rule{Window: 1, Alpha: .05})
	assert.ErrorContains(t, err, "runs/night00: plan: written by a newer cniperf: plan version 3, this one reads up to 2")
}

func TestCompare(t *testing.T) {
	was, is := nightRun(0, map[string]float64{"macvlan": .7, "calico": 1.4}), nightRun(1, map[string]float64{"macvlan": .77, "cilium": .9})
	is.Prints[0].Values["image spiderpool"], is.Header.Fingerprint = "v1.1.0", map[string]string{"kernel": "6.19"}
	c, err := compare(was, is)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, c.Text(&b))
	golden(t, "compare.txt", b.Bytes())
	is.Rounds = nil
	_, err = compare(was, is)
	assert.ErrorContains(t, err, "runs/night01 has no table with a valid round")
}
