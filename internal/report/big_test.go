package report

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// megabytes is how large BenchmarkBigJournal's journal is: CNIPERF_JOURNAL_MB, else so
// small that it costs nothing to run along.
func megabytes(b *testing.B) int {
	text, ok := os.LookupEnv("CNIPERF_JOURNAL_MB")
	if !ok {
		return 8
	}
	n, err := strconv.Atoi(text)
	require.NoError(b, err)
	return n
}

// bigJournal writes a journal of about so many megabytes: rounds of two tables with
// twelve arms each, every sample with its command, proofs and values, and a last round
// that a killed run was in. It returns how many samples it has.
func bigJournal(b *testing.B, dir string, megabytes int) int {
	require.NoError(b, os.MkdirAll(dir, 0o755))
	f, err := os.Create(filepath.Join(dir, journal.FileName))
	require.NoError(b, err)
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	records := []any{journal.Header{RunID: "big", Profile: "nightly", Started: time.Date(2026, 11, 27, 2, 17, 0, 0, time.UTC)}}
	samples := 0
	const arms = 12
	var cells []measure.Cell
	for arm := range arms {
		cells = append(cells, measure.Cell{Arm: fmt.Sprintf("arm%d", arm), Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency"})
	}
	cells[0].Arm = "node"
	for _, table := range []string{"latency", "throughput"} {
		rounds := max(2, (megabytes<<20)/(2*arms*sampleBytes))
		for round := 1; round <= rounds; round++ {
			records = append(records, journal.Attempt{Comparison: table, Phase: journal.PhaseFull, Round: round, Attempt: 1, Cells: cells})
			for i, cell := range cells {
				records = append(records, bigSample(table, round, i, cell))
				samples++
			}
			if table == "latency" || round < rounds {
				records = append(records, journal.Round{Comparison: table, Phase: journal.PhaseFull, Round: round, Attempt: 1, Valid: true})
			}
		}
	}
	require.NoError(b, journal.Encode(w, records...))
	require.NoError(b, w.Flush())
	return samples
}

// sampleBytes is about how long a line of bigJournal's samples is.
const sampleBytes = 2500

func bigSample(table string, round, order int, cell measure.Cell) journal.Sample {
	s := journal.Sample{
		Comparison: table, Phase: journal.PhaseFull, Round: round, Attempt: 1, Order: order + 1, Cell: cell,
		Command:   strings.Fields("taskset -c 1 sockperf ping-pong --tcp -i 198.18.0.64 -p 12345 -t 3 --full-log /dev/null --mps max --pre-warmup-wait 1"),
		ClientPod: "cniperf/macvlan-a-client", ServerPod: "cniperf/macvlan-a-server", ClientNode: "worker", ServerNode: "control-plane",
		Address: "198.18.0.64", StartedAt: time.Duration(round) * time.Minute, Duration: 3 * time.Second, ToolDone: true,
		Raw: strings.Repeat("0f", 32), RawBytes: 2048,
		Disturbance: map[string]float64{"steal": .001, "others": .02, "foreign": .03, "wait": .004},
	}
	for i := range 6 {
		s.Checks = append(s.Checks, journal.Check{
			Claim: fmt.Sprintf("at least 90 %% of the bytes crossed the client's eth%d", i), OK: true,
			Found: fmt.Sprintf("eth0 %d bytes in %d packets, veth0 212 bytes in 4 packets", round*40961+order, round*411+i),
		})
	}
	metrics := []measure.Metric{measure.Latency, measure.LatencyP50, measure.LatencyP90, measure.LatencyP99, measure.LatencyP999}
	for k := range 5 {
		metrics = append(metrics, measure.Metric{Name: fmt.Sprintf("messages-%d", k), Unit: "1", Better: measure.HigherIsBetter})
	}
	for k, m := range metrics {
		s.Values = append(s.Values, measure.Value{Metric: m, Value: 13.25 * float64(k+1) * float64(order+1) * (1 + .01*float64(round%10))})
	}
	return s
}

// BenchmarkBigJournal resumes and reports a run whose journal is CNIPERF_JOURNAL_MB
// large. peak-MB is what the process held at most, beside B/sample, its share of each
// sample. For 1 GB:
//
//	CNIPERF_JOURNAL_MB=1024 go test -run XXX -bench BigJournal -benchtime 1x ./internal/report
func BenchmarkBigJournal(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "run")
	samples := bigJournal(b, dir, megabytes(b))
	info, err := os.Stat(filepath.Join(dir, journal.FileName))
	require.NoError(b, err)
	debug.FreeOSMemory()
	b.SetBytes(info.Size())
	b.ResetTimer()
	for b.Loop() {
		peak, stop := watchMemory()
		began := time.Now()
		w, past, err := journal.Open(dir)
		require.NoError(b, err)
		opened := time.Since(began)
		past, err = w.Settle(past, func(string, string) *interference.Watch { return &interference.Watch{} })
		require.NoError(b, err)
		require.NoError(b, w.Close())
		settled := time.Since(began)
		require.Len(b, past.Samples, samples)
		require.NotEmpty(b, past.Blocks("latency", journal.PhaseFull))
		require.NoError(b, New(past, nil).Text(io.Discard))
		stop()
		b.ReportMetric(opened.Seconds(), "open-s")
		b.ReportMetric((settled - opened).Seconds(), "settle-s")
		b.ReportMetric((time.Since(began) - settled).Seconds(), "report-s")
		b.ReportMetric(float64(*peak)/1e6, "peak-MB")
		b.ReportMetric(float64(*peak)/float64(samples), "B/sample")
	}
}

// watchMemory notes the most that the process holds until it is stopped.
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
