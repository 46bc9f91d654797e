package htmlreport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// example makes a run by hand: latency of four arms by Pod IP, and requests of two by
// ClusterIP. Its figures are made up.
type example struct {
	journal.Run
	plan record.Plan
	rng  *rand.Rand
}

func claimOf(name, faster, slower, path, benchmark, metric string, role verdict.Role) verdict.Assertion {
	side := func(arm string) *verdict.Side {
		return &verdict.Side{Arm: arm, Path: path, Placement: measure.CrossNode}
	}
	return verdict.Assertion{
		Name: name, Sentence: faster + " is better than " + slower + ".", Source: "made up", Faster: side(faster), Slower: side(slower),
		Benchmark: benchmark, Metric: metric, Alpha: .05, MaxRounds: 12, Role: role,
	}
}

func newExample(t *testing.T) *example {
	t.Helper()
	e := &example{rng: rand.New(rand.NewPCG(1, 2))}
	e.plan = record.Plan{
		Version: record.PlanVersion, Profile: record.Profile{Name: "quick", Judge: true, MinRounds: 6, PodSets: 1, Interference: interference.Rule{}},
		Catalogue: record.Catalogue{
			Arms: []record.Arm{{Name: "node", Path: measure.HostIP}, {Name: "calico"}, {Name: "macvlan"}, {Name: "macvlan@candidate"}},
			Comparisons: []record.Comparison{
				{Name: "pod-ip-latency", Title: "TCP latency by Pod IP across nodes", Benchmark: "sockperf-latency", Path: measure.PodIP, Placement: measure.CrossNode},
			},
		},
		Thresholds: verdict.Thresholds{FamilyAlpha: .05, NoiseFloor: .02, Assertions: []verdict.Assertion{
			claimOf("macvlan-over-calico", "macvlan", "calico", measure.PodIP, "sockperf-latency", "latency", verdict.Gate),
			claimOf("macvlan-over-candidate", "macvlan", "macvlan@candidate", measure.PodIP, "sockperf-latency", "latency", verdict.Inform),
			claimOf("cilium-over-calico-redis", "cilium", "calico", measure.ClusterIP, "redis-get", "requests", verdict.Inform),
			claimOf("never-measured", "cilium", "calico", measure.PodIP, "iperf3-p1", "throughput", verdict.Gate),
		}},
		Comparisons: []record.Decided{{Name: "pod-ip-latency", Arms: []string{"node", "calico", "macvlan", "macvlan@candidate"}}},
	}
	plan, err := json.Marshal(e.plan)
	require.NoError(t, err)
	e.Header = journal.Header{
		RunID: "20260102t030405z-quick", Seed: 18446744073709551615, Profile: "quick", Plan: plan, PlanHash: "5f2c", Version: "v0.1.0",
		Fingerprint: map[string]string{"kernel": "6.18", "provider": "kind"}, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Command: []string{"make", "perf"}, Speed: &journal.Speed{Class: "2 cores"},
	}
	e.Stages = []journal.Stage{{Name: "lab", Duration: 276 * time.Second}, {Name: "measure", Duration: 84 * time.Second, Error: "interrupted"}}
	e.Facts = []journal.Fact{{Cluster: "ebpf", Subject: "cilium agent", Claim: "kube-proxy is replaced", Found: "True"}}
	e.Prints = []journal.Fingerprint{{Cluster: "ebpf", Values: map[string]string{"kubernetes": "v1.34.4"}}}
	return e
}

// round measures the arms once; of a dropped one the last arm's sample is invalid.
func (e *example) round(comparison, phase, benchmark, path string, index, attempt int, dropped bool, m measure.Metric, arms []string, typical ...float64) {
	for i, arm := range arms {
		c := measure.Cell{Arm: arm, Path: path, Placement: measure.CrossNode, Benchmark: benchmark}
		if c.Control = i > 0 && arm == arms[i-1]; arm == analysis.HostArm {
			c.Path = measure.HostIP
		}
		x := typical[i] * (1 + .02*e.rng.Float64())
		s := journal.Sample{
			Comparison: comparison, Phase: phase, Round: index, Attempt: attempt, Order: i + 1, Cell: c, Command: []string{"sockperf", "-t", "2"},
			ClientPod: "client-" + arm, ServerPod: "server-" + arm, ClientNode: "worker", ServerNode: "control-plane", ClientCPU: 1, ServerCPU: 1,
			Address: "198.18.0.64", StartedAt: time.Duration(len(e.Samples)) * 3 * time.Second, Duration: 2 * time.Second, ToolTime: time.Second,
			Values: measure.Values{{Metric: m, Value: x}, {Metric: measure.Metric{Name: "messages", Unit: "1", Better: measure.HigherIsBetter}, Value: 80000}},
			Checks: []journal.Check{{Claim: "bytes moved on the macvlan interface", Found: "41 MB of 41 MB", OK: true}},
		}
		if dropped && i == len(arms)-1 {
			s.Values, s.Invalid, s.Checks[0].OK = nil, "the stream was cut", false
		}
		e.Samples = append(e.Samples, s)
	}
	r := journal.Round{Comparison: comparison, Phase: phase, Round: index, Attempt: attempt, Valid: !dropped, Disturbance: map[string]float64{"steal": .031}}
	if dropped {
		r.Why = &journal.Drop{Code: journal.InvalidSample, Cell: &e.Samples[len(e.Samples)-1].Cell, Detail: "the stream was cut"}
	}
	r.Disturbed = index == 3
	e.Rounds = append(e.Rounds, r)
}

// finished is the example with all its rounds, verdicts and an end.
func finished(t *testing.T) *journal.Run {
	t.Helper()
	e := newExample(t)
	latency := []string{"node", "calico", "macvlan", "macvlan", "macvlan@candidate"}
	e.round("pod-ip-latency", journal.PhaseFull, "sockperf-latency", measure.PodIP, 1, 1, true, measure.Latency, latency, 12, 17, 9, 9, 9)
	for i := range 8 {
		e.round("pod-ip-latency", journal.PhaseFull, "sockperf-latency", measure.PodIP, i+1, 2, false, measure.Latency, latency, 12, 17, 9, 9, 9)
		e.round("cluster-ip-redis-get", journal.PhaseFull, "redis-get", measure.ClusterIP, i+1, 1, false, measure.Requests, []string{"calico", "cilium"}, 11000, 18000)
	}
	e.Skips = []journal.Skip{{Comparison: "pod-ip-iperf3-p1", Phase: journal.PhaseFull, Why: &record.Reason{Code: record.NoTime, Profile: "quick", Minutes: 15}}}
	verdicts, err := verdict.Judge(e.plan.Thresholds, "kind", analysis.Judged(&e.Run, e.plan)...)
	require.NoError(t, err)
	e.Verdicts, err = analysis.Records(nil, journal.PhaseFull, verdicts)
	require.NoError(t, err)
	require.Len(t, e.Verdicts, 3)
	e.End = &journal.End{Outcome: "inconclusive", ExitCode: 2, Reason: "1 of 2 gates could not be decided: never-measured", Duration: 360 * time.Second}
	return &e.Run
}

// figures are published ones for the example.
func figures() Figures {
	f := Figures{}
	for arm, latency := range map[string]float64{"node": 32.2, "calico": 51.3, "macvlan": 24.3} {
		f[measure.Cell{Arm: arm, Path: measure.PodIP, Placement: measure.CrossNode, Benchmark: "sockperf-latency"}] = measure.Value{Metric: measure.Latency, Value: latency}
	}
	return f
}

// hostile is what a tool or a cluster might say in any field.
const hostile = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'`{{.}}--></style></title>\x00\u202e\n"

// states are journals of every kind that a page has to be made of.
func states(t *testing.T) map[string]*journal.Run {
	t.Helper()
	going := finished(t)
	going.End, going.Verdicts = nil, nil
	going.Samples, going.Rounds = going.Samples[:len(going.Samples)-1], going.Rounds[:len(going.Rounds)-1]
	interrupted := finished(t)
	interrupted.End = &journal.End{Outcome: "interrupted", ExitCode: 130, Reason: "SIGINT", Duration: time.Minute}
	oneArm := newExample(t)
	for i := range 3 {
		oneArm.round("pod-ip-latency", journal.PhaseFull, "sockperf-latency", measure.PodIP, i+1, 1, false, measure.Latency, []string{"macvlan"}, 9)
	}
	newer := finished(t)
	newer.Header.Plan = json.RawMessage(fmt.Sprintf(`{"version":%d,"surprise":true}`, record.PlanVersion+1))
	invalid := newExample(t)
	for i := range 3 {
		invalid.round("pod-ip-latency", journal.PhaseFull, "sockperf-latency", measure.PodIP, i+1, 1, true, measure.Latency, []string{"macvlan"}, 9)
	}
	torn := finished(t)
	torn.Warnings = []string{"journal line 60, the last, is torn: 12 bytes of it were left out"}
	return map[string]*journal.Run{
		"finished": finished(t), "going": going, "interrupted": interrupted, "empty": {Header: journal.Header{RunID: "r", Profile: "smoke"}},
		"one-arm": &oneArm.Run, "newer-plan": newer, "all-invalid": &invalid.Run, "torn": torn, "hostile": poisoned(t),
	}
}

// poisoned has hostile text in every field of the finished run.
func poisoned(t *testing.T) *journal.Run {
	t.Helper()
	run := finished(t)
	// Every string, wherever it is, but those that decide what belongs together.
	text, err := json.Marshal(run)
	require.NoError(t, err)
	var whole map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // a seed is too large for a float
	require.NoError(t, d.Decode(&whole))
	poison(whole)
	text, err = json.Marshal(whole)
	require.NoError(t, err)
	var out journal.Run
	require.NoError(t, json.Unmarshal(text, &out))
	return &out
}

func poison(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			switch k {
			case "started", "phase", "Plan", "plan", "code", "version", "better", "raw":
				continue // times and codes have forms of their own, and refuse others
			}
			x[k] = poison(e)
		}
		return x
	case []any:
		for i := range x {
			x[i] = poison(x[i])
		}
		return x
	case string:
		return x + hostile
	}
	return v
}
