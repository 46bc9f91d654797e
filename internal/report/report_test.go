package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	latency    = "pod-ip-latency"
	throughput = "cluster-ip-throughput"
)

// recorder makes a small run by hand. Its figures are invented, in the size
// that FACTS reports.
type recorder struct{ journal.Run }

func (r *recorder) round(comparison, phase string, index, attempt int, m measure.Metric, byArm map[string]float64) {
	order := 0
	for _, arm := range []string{"node", "calico", "macvlan", "macvlan#control", "cilium"} {
		value, ok := byArm[arm]
		if !ok {
			continue
		}
		order++
		name, control := strings.CutSuffix(arm, "#control")
		c := measure.Cell{Arm: name, Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency", Control: control}
		if comparison == throughput {
			c.Path, c.Benchmark = "cluster-ip", "iperf3-p1"
		}
		if name == "node" {
			c.Path = "host-ip"
		}
		s := journal.Sample{
			Comparison: comparison, Phase: phase, Round: index, Attempt: attempt, Order: order, Cell: c,
			Command:   []string{"sockperf", "ping-pong", "--tcp", "-i", "198.18.0.64", "-t", "2"},
			ClientPod: "client-" + name, ServerPod: "server-" + name, ClientNode: "control-plane", ServerNode: "worker",
			ClientCPU: 1, ServerCPU: 1, Address: "198.18.0.64", StartedAt: time.Duration(index) * time.Minute, Duration: 2 * time.Second, ToolTime: 1700 * time.Millisecond,
			Values: measure.Values{{Metric: m, Value: value}},
			Checks: []journal.Check{{Claim: "bytes moved on the macvlan interface", Found: "41 MB of 41 MB", OK: true}},
		}
		if m == measure.Latency {
			s.Values = append(s.Values, measure.Value{Metric: measure.LatencyP99, Value: value * 1.8},
				measure.Value{Metric: measure.Metric{Name: "messages", Unit: "1", Better: measure.HigherIsBetter}, Value: 80000})
		}
		if math.IsNaN(value) {
			s.Values, s.Invalid = nil, "the end marker is missing: the stream was cut"
			s.Checks[0].OK = false
		}
		r.Samples = append(r.Samples, s)
	}
}

func (r *recorder) close(comparison, phase string, index int, cause string) {
	r.Rounds = append(r.Rounds, journal.Round{Comparison: comparison, Phase: phase, Round: index, Valid: cause == "", Cause: cause})
}

func (r *recorder) verdict(comparison, phase, assertion, outcome, sentence string, gate bool) {
	r.Verdicts = append(r.Verdicts, journal.Verdict{
		Comparison: comparison, Phase: phase, Assertion: assertion, Outcome: outcome, Sentence: sentence, Gate: gate, Verdict: json.RawMessage(`{"s":4}`),
	})
}

func sampleRun() *journal.Run {
	r := &recorder{}
	r.Header = journal.Header{
		RunID: "20250102-030405", Seed: 18446744073709551615, Profile: "quick", PlanHash: "5f2c", Version: "v0.1.0",
		Fingerprint: map[string]string{"kernel": "6.18", "cpu": "2 × a|b", "kubernetes": "v1.34.4"},
		Started:     time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC),
		Command:     []string{"go", "test", "./e2e", "-args", "-labels", "cni=spiderpool benchmark=sockperf"},
	}
	r.Stages = []journal.Stage{{Name: "lab", Duration: 276 * time.Second}, {Name: "measure", Duration: 8400 * time.Millisecond, Error: "interrupted"}}
	r.Facts = []journal.Fact{{Cluster: "ebpf", Subject: "cilium agent", Claim: "kube-proxy is replaced", Found: "KubeProxyReplacement: True"}}

	r.round(latency, journal.PhaseFirst, 1, 1, measure.Latency, map[string]float64{"node": 99, "calico": 99, "macvlan": 99})
	r.close(latency, journal.PhaseFirst, 1, "")
	r.verdict(latency, journal.PhaseFirst, "macvlan-faster-than-calico", "inconclusive", "replaced by the full comparison", true)
	r.Skips = []journal.Skip{{Cell: measure.Cell{Arm: "cilium", Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency"}, Comparison: latency, Phase: journal.PhaseFirst, Reason: "its cluster doesn't stand yet"}}

	node, calico, macvlan, again, cilium := []float64{13.7, 14, 14, 15.5}, []float64{21, 19.5, 20.1, 19.5}, []float64{12.3, 11.8, 12, 11.5}, []float64{12, 11.7, 12.1, 11.5}, []float64{13.7, 13.7, 13.5, 13.6}
	r.round(latency, journal.PhaseFull, 2, 1, measure.Latency, map[string]float64{"node": 13.9, "calico": math.NaN()})
	r.close(latency, journal.PhaseFull, 2, "calico/pod-ip/cross-node/sockperf-latency: the end marker\nis missing")
	for i := range node {
		r.round(latency, journal.PhaseFull, i+1, 2, measure.Latency, map[string]float64{"node": node[i], "calico": calico[i], "macvlan": macvlan[i], "macvlan#control": again[i], "cilium": cilium[i]})
		r.close(latency, journal.PhaseFull, i+1, "")
	}
	r.Rounds[len(r.Rounds)-1].Disturbed = true
	r.Rounds[len(r.Rounds)-1].Disturbance = map[string]float64{"steal": 0.031, "load": 2.25}
	r.round(latency, journal.PhaseFull, 5, 1, measure.Latency, map[string]float64{"node": 13.9})
	r.verdict(latency, journal.PhaseFull, "macvlan-faster-than-calico", "pass", "macvlan is 41 % faster than calico by Pod IP: 4 of 4 rounds", true)
	r.verdict(latency, journal.PhaseFull, "cilium-faster-than-node", "fail", "cilium is slower than node: 4 of 4 rounds, and 1 of 1 on fresh pods", true)
	r.verdict(latency, journal.PhaseFull, "macvlan-faster-than-node", "fail", "only a hint", false)
	r.verdict(latency, journal.PhaseFirst, "macvlan-faster-than-node", "pass", "must not replace the full one", true)
	r.round(latency, journal.PhaseConfirm, 1, 1, measure.Latency, map[string]float64{"node": 14, "calico": 20, "macvlan": 12, "macvlan#control": 12, "cilium": 13})
	r.close(latency, journal.PhaseConfirm, 1, "")

	r.round(throughput, journal.PhaseFirst, 1, 1, measure.Throughput, map[string]float64{"node": 20e9, "calico": 5.5e9, "macvlan": 10.25e9})
	r.close(throughput, journal.PhaseFirst, 1, "")
	r.verdict(throughput, journal.PhaseFirst, "macvlan-faster-than-calico-p1", "inconclusive", "1 round can't decide", true)
	r.Skips = append(r.Skips, journal.Skip{Cell: measure.Cell{Arm: "cilium", Path: "cluster-ip", Placement: "cross-node", Benchmark: "iperf3-p1"}, Comparison: throughput, Reason: "quota exceeded"})
	r.End = &journal.End{Outcome: "fail", ExitCode: 1, Reason: "1 gate failed", Duration: 754 * time.Second}
	r.Warnings = []string{"journal line 60, the last, is torn: 12 bytes of it were left out"}
	return &r.Run
}

func published(t *testing.T) Published {
	t.Helper()
	f, err := os.Open("testdata/published.yaml")
	require.NoError(t, err)
	defer f.Close()
	p, err := DecodePublished(f)
	require.NoError(t, err)
	return p
}

func render(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "run with -update if the change is meant")
}

func TestGolden(t *testing.T) {
	r := New(sampleRun(), published(t))
	for name, write := range map[string]func(io.Writer) error{
		"report.txt": r.Text, "report.md": r.Markdown, "report.json": r.JSON, "report.junit.xml": r.JUnit, "report.bench": r.Bench, "evidence.txt": r.Evidence,
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, render(t, write))
			for range 5 { // no order may come from a map
				again := New(sampleRun(), published(t))
				assert.Equal(t, render(t, r.JSON), render(t, again.JSON))
				assert.Equal(t, render(t, r.Bench), render(t, again.Bench))
			}
		})
	}
}

// A run killed before its first round still has a report in every form.
func TestEmptyRun(t *testing.T) {
	run := &journal.Run{Header: journal.Header{RunID: "r", Profile: "smoke"}}
	run.Samples = []journal.Sample{{Comparison: latency, Phase: journal.PhaseFull, Round: 1, Attempt: 1, Cell: measure.Cell{Arm: "node", Path: "host-ip", Placement: "cross-node", Benchmark: "b"}}}
	r := New(run, nil)
	golden(t, "empty.txt", render(t, r.Text))
	render(t, r.Markdown)
	render(t, r.JSON)
	assert.Empty(t, render(t, r.Bench))
	assert.Contains(t, string(render(t, r.JUnit)), `<error message="r: profile smoke, seed 0, unfinished">`)
}

func TestBenchIsReadBack(t *testing.T) {
	b := render(t, New(sampleRun(), nil).Bench)
	reader := benchfmt.NewReader(bytes.NewReader(b), "report.bench")
	lines := 0
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Fatal(rec)
		case *benchfmt.Result:
			lines++
			_, parts := rec.Name.Parts()
			require.Len(t, parts, 4)
		}
	}
	require.NoError(t, reader.Err())
	assert.Equal(t, 4*5+5+3, lines, "only samples of valid rounds, of the phase that counts, and of the confirming batch")
	assert.Equal(t, "lower", reader.Units()[benchfmt.UnitMetadataKey{Unit: "latency-us", Key: "better"}].Value)
}

func TestJUnitCounts(t *testing.T) {
	var s junitSuite
	require.NoError(t, xml.Unmarshal(render(t, New(sampleRun(), nil).JUnit), &s))
	assert.Equal(t, []int{5, 1, 0, 2}, []int{s.Tests, s.Failures, s.Errors, s.Skipped})
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Write(dir, sampleRun(), nil))
	require.NoError(t, Write(dir, sampleRun(), nil))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Equal(t, []string{"report.bench", "report.json", "report.junit.xml", "report.md"}, names)
	assert.ErrorContains(t, Write(filepath.Join(dir, "none"), sampleRun(), nil), "report.md")
}

func TestMissingMetricIsSaid(t *testing.T) {
	run := sampleRun()
	for i := range run.Samples {
		if s := &run.Samples[i]; s.Phase == journal.PhaseFull && s.Cell.Arm == "node" {
			s.Values = measure.Values{{Metric: measure.CPUPerByte, Value: 1}}
		}
	}
	assert.Contains(t, string(render(t, New(run, nil).Text)), "no metric was measured in every sample")
}

func TestDecodePublished(t *testing.T) {
	p := published(t)
	cell := func(arm, path, placement, benchmark string) measure.Cell {
		return measure.Cell{Arm: arm, Path: path, Placement: placement, Benchmark: benchmark}
	}
	for c, want := range map[measure.Cell]measure.Value{
		cell("calico", "pod-ip", "cross-node", "sockperf-latency"):          {Metric: measure.Latency, Value: 51.3},
		cell("bypass-on", "pod-ip", "same-node", "sockperf-latency"):        {Metric: measure.Latency, Value: 7.643},
		cell("macvlan-ebpf", "cluster-ip", "cross-node", "netperf-tcp-rr"):  {Metric: measure.Transactions, Value: 18992.9},
		cell("macvlan-kube-proxy", "cluster-ip", "cross-node", "iperf3-p2"): {Metric: measure.Throughput, Value: 6.75e9},
		cell("node", "pod-ip", "cross-node", "iperf3-p4"):                   {Metric: measure.Throughput, Value: 9.42e9},
		cell("macvlan-cross-subnet", "pod-ip", "cross-node", "redis-set"):   {Metric: measure.Requests, Value: 67783.67},
	} {
		assert.Equal(t, want, p[c], c)
	}
	assert.Len(t, p, 12+10+30+16)

	for name, c := range map[string]struct{ yaml, want string }{
		"unknown benchmark": {"ping: {}", "line 1: field ping not found"},
		"unknown path":      {"iperf3:\n  host-ip: {}", "line 2: field host-ip not found"},
		"too few streams":   {"iperf3: {pod-ip: {calico: [1, 2]}}", "want 3 elements"},
		"not above zero":    {"netperf-tcp-rr: {pod-ip: {calico: 0}}", "calico/pod-ip/cross-node/netperf-tcp-rr is 0"},
		"not finite":        {"netperf-tcp-rr: {pod-ip: {calico: .nan}}", "want a number above zero"},
		"redis without set": {"redis: {pod-ip: {calico: {get: 1}}}", "redis-set is 0"},
		"two documents":     {"{}\n---\n{}", "one YAML document"},
		"nothing":           {"", "the file is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodePublished(strings.NewReader(c.yaml))
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestFormat(t *testing.T) {
	for want, c := range map[string]struct {
		unit  string
		value float64
	}{
		"11.65": {"us", 11.65}, "7.643": {"us", 7.643}, "19794": {"1/s", 19793.9}, "9.410": {"bit/s", 9.41e9}, "250.1": {"us", 250.06}, "1235": {"1", 1234.6}, "0.013": {"ns", 0.0125001},
	} {
		assert.Equal(t, want, shown(measure.Metric{Unit: c.unit}).format(c.value))
	}
	assert.Equal(t, `a 'b c' 'it'\''s' ''`, commandLine([]string{"a", "b c", "it's", ""}))
}
