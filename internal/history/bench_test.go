package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// writeNight writes a run of about 1 MB, as quick ones are: two tables of twelve
// rounds of so many arms, each sample with its command, its checks and ten values.
func writeNight(tb testing.TB, runs string, i int, plan json.RawMessage) {
	dir := filepath.Join(runs, fmt.Sprintf("night%04d", i))
	require.NoError(tb, os.MkdirAll(dir, 0o755))
	f, err := os.Create(filepath.Join(dir, journal.FileName))
	require.NoError(tb, err)
	defer f.Close()
	w := bufio.NewWriter(f)
	require.NoError(tb, journal.Encode(w, nightRecords(i, plan)...))
	require.NoError(tb, w.Flush())
}

func nightRecords(i int, plan json.RawMessage) []any {
	records := []any{journal.Header{
		RunID: fmt.Sprintf("night%04d", i), Profile: "nightly", Started: time.Date(2026, 1, 1, 2, 17, 0, 0, time.UTC).AddDate(0, 0, i),
		Plan: plan,
	}}
	for range 70 {
		records = append(records, journal.Fact{Cluster: "ebpf", Subject: "cilium agent", Claim: "kube-proxy is replaced", Found: strings.Repeat("True ", 20)})
	}
	for _, table := range []string{"latency", "throughput"} {
		for round := 1; round <= 12; round++ {
			for arm := range 18 {
				records = append(records, nightSample(table, round, arm, 1+.01*float64((i*7+arm)%10)))
			}
			records = append(records, journal.Round{Comparison: table, Phase: journal.PhaseFull, Round: round, Attempt: 1, Valid: true})
		}
	}
	return append(records, journal.End{Outcome: "pass"})
}

func nightSample(table string, round, arm int, noise float64) journal.Sample {
	s := journal.Sample{
		Comparison: table, Phase: journal.PhaseFull, Round: round, Attempt: 1, Order: arm,
		Cell:    measure.Cell{Arm: fmt.Sprintf("arm%d", arm), Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency"},
		Command: strings.Fields("taskset -c 1 sockperf ping-pong --tcp -i 198.18.0.64 -p 12345 -t 3 --full-log /dev/null --mps max --pre-warmup-wait 1"),
		Raw:     strings.Repeat("0f", 32), Disturbance: map[string]float64{"steal": .001, "others": .02, "foreign": .03, "wait": .004},
	}
	if arm == 0 {
		s.Cell.Arm = "node"
	}
	for range 6 {
		s.Checks = append(s.Checks, journal.Check{Claim: "bytes moved on the macvlan interface and not on veth0", Found: "41 MB of 41 MB on net1, 212 bytes on eth0", OK: true})
	}
	metrics := []measure.Metric{measure.Latency, measure.LatencyP50, measure.LatencyP90, measure.LatencyP99, measure.LatencyP999}
	for k := range 5 {
		metrics = append(metrics, measure.Metric{Name: fmt.Sprintf("messages-%d", k), Unit: "1", Better: measure.HigherIsBetter})
	}
	for k, m := range metrics {
		s.Values = append(s.Values, measure.Value{Metric: m, Value: 13.25 * float64(k+1) * float64(arm+1) * noise})
	}
	return s
}

// BenchmarkThousandNights reads and compares 1,000 runs of 1 MB. peak-MB is what the
// process held at most, beyond what it had before.
func BenchmarkThousandNights(b *testing.B) {
	runs := b.TempDir()
	plan, err := os.ReadFile("../record/testdata/plan.v1.json")
	require.NoError(b, err)
	for i := range 1000 {
		writeNight(b, runs, i, plan)
	}
	dirs, err := journal.List(runs)
	require.NoError(b, err)
	info, err := os.Stat(filepath.Join(dirs[0], journal.FileName))
	require.NoError(b, err)
	b.SetBytes(info.Size() * int64(len(dirs)))
	b.ReportAllocs()
	for b.Loop() {
		runtime.GC()
		began := cpuTime(b)
		peak, stop := watchMemory()
		kept, left := ReadAll(dirs)
		require.Empty(b, left)
		h, err := New(kept, Rule{Window: 30, Alpha: .05})
		require.NoError(b, err)
		require.Len(b, h.Runs, 1000)
		stop()
		b.ReportMetric((cpuTime(b) - began).Seconds(), "cpu-s")
		b.ReportMetric(float64(*peak)/1e6, "peak-MB")
	}
}

// watchMemory notes the largest heap until it is stopped.
func watchMemory() (*uint64, func()) {
	peak, done, ended := new(uint64), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			*peak = max(*peak, m.Sys-m.HeapReleased)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return peak, func() { close(done); <-ended }
}

// cpuTime is what this process has had of the processors: unlike time that has passed,
// it tells the same on a busy machine.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
