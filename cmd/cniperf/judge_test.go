package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// judge runs the command and gives its exit code, stdout and error.
func judge(t *testing.T, stdin string, args ...string) (int, string, error) {
	t.Helper()
	cmd := newJudgeCommand()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	var out bytes.Buffer
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.Execute()
	var exit exitError
	switch {
	case err == nil:
		return 0, out.String(), nil
	case errors.As(err, &exit):
		return exit.code, out.String(), err
	}
	return 1, out.String(), err
}

const eight = "round,a,b\n1,12.3,21\n2,11.8,19.5\n3,12,20.1\n4,11.5,19.5\n5,11.9,20.2\n6,11.4,19.8\n7,11.3,19.3\n8,11.8,19.8\n"

func TestJudgePairs(t *testing.T) {
	code, out, err := judge(t, eight, "--pairs", "-")
	require.NoError(t, err)
	assert.Zero(t, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 10)
	assert.Equal(t, "round,n,wins,ties,e_pass,e_fail,median_ratio,low,high,verdict", lines[0])
	assert.Equal(t, "7,7,7,0,31.875,0.125,0.589109,0,+Inf,inconclusive", lines[7])
	assert.Equal(t, "8,8,8,0,56.7778,0.111111,0.589426,0.575758,0.605128,pass", lines[8])
	assert.Equal(t, "pass: a is 41 % faster than b: 8 of 8 rounds, 98 % interval 39–42 %", lines[9])

	code, out, _ = judge(t, eight, "--pairs", "-", "--direction", "higher")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "\nfail: a is 41 % behind b in value: 8 of 8 rounds")

	code, out, _ = judge(t, eight, "--pairs", "-", "--theta", "-0.7")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "\nfail: a is 41 % faster than b: 8 of 8 rounds above the log ratio -0.7")

	code, out, _ = judge(t, eight, "--pairs", "-", "--max-rounds", "6")
	assert.Equal(t, 2, code)
	assert.Contains(t, out, "\n8,6,6,0,", "rounds beyond the last change nothing")
	assert.Contains(t, out, "\ninconclusive: ")
}

// What comes after the deciding round repeats its state, and is still checked.
func TestJudgePairsStopsAtTheDecision(t *testing.T) {
	code, out, err := judge(t, eight+"9,90,1\n10,90,1\n", "--pairs", "-")
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Contains(t, out, "\n10,8,8,0,56.7778,0.111111,0.589426,0.575758,0.605128,pass\npass: ")
	code, out, err = judge(t, eight+"9,NaN,1\n", "--pairs", "-")
	assert.Equal(t, 3, code)
	assert.Empty(t, out)
	assert.ErrorContains(t, err, "line 10: a is \"NaN\"")
}

func TestJudgeRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pairs.csv")
	require.NoError(t, os.WriteFile(file, []byte("round,a,b\n"), 0o600))
	for _, tc := range []struct {
		want string
		args []string
	}{
		{"want either RUN", nil},
		{"want either RUN", []string{"run"}},
		{"want either RUN", []string{"run", "--pairs", "-"}},
		{"unknown flag", []string{"--nonsense"}},
		{"no rounds in it", []string{"--pairs", file}},
		{"no such file", []string{"--pairs", file + "x"}},
		{"alpha", []string{"--pairs", "-", "--alpha", "0"}},
		{"rounds is 0", []string{"--pairs", "-", "--max-rounds", "0"}},
		{"--theta", []string{"--pairs", "-", "--theta", "NaN"}},
		{"--direction", []string{"--pairs", "-", "--direction", "up"}},
		{"thresholds", []string{t.TempDir(), "--thresholds", file + "x"}},
	} {
		code, out, err := judge(t, eight, tc.args...)
		assert.Equal(t, 3, code, tc.args)
		assert.Empty(t, out)
		assert.ErrorContains(t, err, tc.want, tc.args)
	}
}

// recordRounds writes a run of one comparison: per phase, the columns of latencies;
// and then the rest.
func recordRounds(t *testing.T, plan record.Plan, phases map[string]map[string][]float64, rest ...any) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	plan.Version = record.PlanVersion
	data, err := json.Marshal(plan)
	require.NoError(t, err)
	w, err := journal.Create(dir, journal.Header{RunID: "r", Plan: data, Fingerprint: map[string]string{"provider": "kind"}})
	require.NoError(t, err)
	const name = "pod-ip-latency"
	for phase, cols := range phases {
		for arm, values := range cols {
			c := measure.Cell{Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency"}
			c.Arm, c.Control = strings.CutSuffix(arm, "#control")
			for i, x := range values {
				require.NoError(t, w.Append(journal.Sample{
					Comparison: name, Phase: phase, Round: i + 1, Attempt: 1, Cell: c,
					Values: measure.Values{{Metric: measure.Latency, Value: x}},
				}))
			}
		}
		for i := range cols["calico"] {
			require.NoError(t, w.Append(journal.Round{Comparison: name, Phase: phase, Round: i + 1, Valid: true}))
		}
	}
	for _, r := range rest {
		require.NoError(t, w.Append(r))
	}
	require.NoError(t, w.Close())
	return dir
}

// Copies that differ one way in the rounds of one set of pods and the other way in
// those of another are noise that the sets alone show.
func TestJudgeRunKnowsTheSetsOfPods(t *testing.T) {
	cols := map[string][]float64{}
	for i := range 8 {
		copied := 10 * (1.04 - .08*float64(i%2))
		cols["macvlan"], cols["macvlan#control"], cols["calico"] = append(cols["macvlan"], 10), append(cols["macvlan#control"], copied), append(cols["calico"], 10.6)
	}
	for sets, want := range map[int]string{
		0: "pass         gate   latency-macvlan-over-calico: macvlan is 5.7 % faster than calico",
		1: "pass         gate   latency-macvlan-over-calico: macvlan is 5.7 % faster than calico",
		2: "inconclusive gate   latency-macvlan-over-calico: macvlan against calico by Pod IP: no verdict, the difference is below this run's noise of 8.5 %",
	} {
		dir := recordRounds(t, record.Plan{Profile: record.Profile{PodSets: sets}}, map[string]map[string][]float64{journal.PhaseFull: cols})
		_, out, _ := judge(t, "", dir, "--thresholds", spiderpoolThresholds)
		assert.Contains(t, out, want, "%d sets", sets)
	}
}

// A gate that stays open since an arm was lost is nobody's verdict, judged again as
// at the run's end.
func TestJudgeRunKnowsWhatWasLost(t *testing.T) {
	cols := map[string][]float64{"macvlan": {10, 10}, "macvlan#control": {10, 10}, "calico": {20, 20}, "cilium": {14, 14}}
	lost := journal.Skip{
		Comparison: "pod-ip-latency", Phase: journal.PhaseFull, Why: &record.Reason{Code: record.ClusterLost, Cluster: "ebpf"},
		Cell: measure.Cell{Arm: "cilium", Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency"},
	}
	dir := recordRounds(t, record.Plan{}, map[string]map[string][]float64{journal.PhaseFull: cols}, lost)
	for _, args := range [][]string{{dir}, {dir, "--gate=false"}} {
		code, _, err := judge(t, "", append(args, "--thresholds", spiderpoolThresholds)...)
		assert.Equal(t, 3, code)
		assert.ErrorContains(t, err, "infrastructure kept 2 of 3 gates open: latency-macvlan-over-cilium, latency-cilium-over-calico")
	}
	dir = recordRounds(t, record.Plan{}, map[string]map[string][]float64{journal.PhaseFull: cols})
	code, _, err := judge(t, "", dir, "--thresholds", spiderpoolThresholds)
	assert.Equal(t, 2, code)
	assert.ErrorContains(t, err, "3 of 3 gates could not be decided")
}

func TestJudgeRun(t *testing.T) {
	calico := []float64{21.0, 19.5, 20.1, 19.5, 20.2, 19.8, 19.3, 19.8}
	macvlan := []float64{12.3, 11.8, 12.0, 11.5, 11.9, 11.4, 11.3, 11.8}
	again := []float64{12.0, 11.7, 12.1, 11.5, 11.9, 11.6, 11.3, 11.7}
	cilium := []float64{13.7, 13.7, 13.5, 13.6, 13.8, 14.0, 13.7, 13.7}
	const thresholds = spiderpoolThresholds

	good := map[string][]float64{"calico": calico, "macvlan": macvlan, "macvlan#control": again, "cilium": cilium}
	dir := recordRounds(t, record.Plan{}, map[string]map[string][]float64{journal.PhaseFull: good})
	code, out, err := judge(t, "", dir, "--thresholds", thresholds)
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Contains(t, out, "pass         gate   latency-macvlan-over-calico: macvlan is 41 % faster than calico by Pod IP: 8 of 8 rounds, 98 % interval 39–42 %\n")
	assert.Contains(t, out, "skipped      inform latency-macvlan-over-macvlan-cross-subnet: ")

	code, out, err = judge(t, "", dir, "--thresholds", thresholds, "--json")
	require.NoError(t, err)
	assert.Zero(t, code)
	var vs []verdict.Verdict
	require.NoError(t, json.Unmarshal([]byte(out), &vs))
	assert.Equal(t, 8, vs[0].Evidence.Wins)

	slowed := map[string][]float64{"calico": macvlan, "macvlan": calico, "macvlan#control": calico, "cilium": cilium}
	dir = recordRounds(t, record.Plan{}, map[string]map[string][]float64{journal.PhaseFull: slowed})
	code, out, _ = judge(t, "", dir, "--thresholds", thresholds)
	assert.Equal(t, 2, code, "one batch's word is no failure")
	assert.Contains(t, out, "has to confirm it")
	dir = recordRounds(t, record.Plan{}, map[string]map[string][]float64{journal.PhaseFull: slowed, journal.PhaseConfirm: slowed})
	code, out, _ = judge(t, "", dir, "--thresholds", thresholds)
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "fail         gate   latency-macvlan-over-calico: macvlan is 70 % slower than calico by Pod IP: 8 of 8 rounds, 98 % interval 65–74 %, confirmed on fresh pods\n")
}

// A run knows the limits its arms shared, so judging it again says the same.
func TestJudgeRunKnowsTheCeilings(t *testing.T) {
	const name = "pod-ip-iperf3-p1"
	now, err := json.Marshal(record.Plan{Version: record.PlanVersion, Comparisons: []record.Decided{{Name: name, Ceilings: map[string]float64{"throughput": 9.41e9}}}})
	require.NoError(t, err)
	for _, plan := range []string{string(now), `{"ceilings": {"` + name + `": {"throughput": 9.41e9}}}`} {
		assert.Contains(t, judgedThroughput(t, name, plan), "inconclusive inform throughput-p1-macvlan-over-calico: macvlan against calico by Pod IP, iperf3-p1: no verdict, tie: saturated")
	}
	assert.NotContains(t, judgedThroughput(t, name, ""), "saturated")
	assert.Contains(t, judgedThroughput(t, name, `{"version": 3}`), "plan: written by a newer cniperf: plan version 3, this one reads up to 2")
}

// judgedThroughput is what judge says of a run with that plan, its error included.
func judgedThroughput(t *testing.T, name, plan string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := journal.Create(dir, journal.Header{RunID: "r", Plan: json.RawMessage(plan)})
	require.NoError(t, err)
	for round := 1; round <= 8; round++ {
		for arm, x := range map[string]float64{"calico": 9.30e9, "macvlan": 9.40e9, "macvlan#control": 9.40e9} {
			c := measure.Cell{Path: "pod-ip", Placement: "cross-node", Benchmark: "iperf3-p1"}
			c.Arm, c.Control = strings.CutSuffix(arm, "#control")
			require.NoError(t, w.Append(journal.Sample{
				Comparison: name, Phase: journal.PhaseFull, Round: round, Attempt: 1, Cell: c,
				Values: measure.Values{{Metric: measure.Throughput, Value: x}},
			}))
		}
		require.NoError(t, w.Append(journal.Round{Comparison: name, Phase: journal.PhaseFull, Round: round, Valid: true}))
	}
	require.NoError(t, w.Close())
	_, out, err := judge(t, "", dir, "--thresholds", "../../manifests/thresholds/spiderpool.yaml")
	if err != nil {
		out += err.Error()
	}
	return out
}
