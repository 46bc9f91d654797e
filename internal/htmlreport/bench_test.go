package htmlreport

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// writeNights writes so many runs of about 1 MB, as quick ones are: two tables of
// twelve rounds of eighteen arms. Samples are the same in each but for their values.
func writeNights(tb testing.TB, runs string, nights int) []string {
	tb.Helper()
	var dirs []string
	for n := range nights {
		id := fmt.Sprintf("night%04d", n)
		records := []any{journal.Header{RunID: id, Profile: "nightly", Started: time.Date(2026, 1, 1, 2, 17, 0, 0, time.UTC).AddDate(0, 0, n)}}
		for _, table := range []string{"latency", "tail"} {
			for round := 1; round <= 12; round++ {
				for arm := range 18 {
					records = append(records, nightSample(table, round, arm, 1+.01*float64((n*7+arm)%10)))
				}
				records = append(records, journal.Round{Comparison: table, Phase: journal.PhaseFull, Round: round, Attempt: 1, Valid: true})
			}
		}
		dir := filepath.Join(runs, id)
		require.NoError(tb, os.MkdirAll(dir, 0o755))
		f, err := os.Create(filepath.Join(dir, journal.FileName))
		require.NoError(tb, err)
		w := bufio.NewWriter(f)
		require.NoError(tb, journal.Encode(w, append(records, journal.End{Outcome: "pass"})...))
		require.NoError(tb, w.Flush())
		require.NoError(tb, f.Close())
		dirs = append(dirs, dir)
	}
	return dirs
}

func nightSample(table string, round, arm int, noise float64) journal.Sample {
	s := journal.Sample{
		Comparison: table, Phase: journal.PhaseFull, Round: round, Attempt: 1, Order: arm + 1,
		Cell:    measure.Cell{Arm: fmt.Sprintf("arm%d", arm), Path: measure.PodIP, Placement: measure.CrossNode, Benchmark: "sockperf-latency"},
		Command: []string{"taskset", "-c", "1", "sockperf", "ping-pong", "--tcp", "-i", "198.18.0.64", "-p", "12345", "-t", "3", "--full-log", "/dev/null", "--mps", "max"},
		Raw:     fmt.Sprintf("%064d", round), Disturbance: map[string]float64{"steal": .001, "others": .02, "foreign": .03},
	}
	if arm == 0 {
		s.Cell.Arm = "node"
	}
	for range 6 {
		s.Checks = append(s.Checks, journal.Check{Claim: "bytes moved on the macvlan interface and not on veth0", Found: "41 MB of 41 MB on net1, 212 bytes on eth0", OK: true})
	}
	for k, m := range []measure.Metric{measure.Latency, measure.LatencyP50, measure.LatencyP90, measure.LatencyP99, measure.LatencyP999} {
		s.Values = append(s.Values, measure.Value{Metric: m, Value: 13.25 * float64(k+1) * float64(arm+1) * noise})
	}
	return s
}

// BenchmarkRunsToPage reads so many runs and writes the page of their history.
// journal-MB and page-MB are the sizes, peak-MB what the process held at most, cpu-s
// what it took of all CPUs.
func BenchmarkRunsToPage(b *testing.B) {
	for _, nights := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(nights), func(b *testing.B) {
			dirs := writeNights(b, b.TempDir(), nights)
			info, err := os.Stat(filepath.Join(dirs[0], journal.FileName))
			require.NoError(b, err)
			var page bytes.Buffer
			for b.Loop() {
				runtime.GC()
				before := cpuTime(b)
				peak, stop := watchMemory()
				runs, left := history.ReadAll(dirs)
				require.Empty(b, left)
				h, err := history.New(runs, history.Rule{Window: 30, Alpha: .05})
				require.NoError(b, err)
				page.Reset()
				require.NoError(b, History(&page, h, English{}, ""))
				stop()
				b.ReportMetric((cpuTime(b) - before).Seconds(), "cpu-s")
				b.ReportMetric(float64(*peak)/1e6, "peak-MB")
			}
			b.ReportMetric(float64(info.Size())*float64(nights)/1e6, "journal-MB")
			b.ReportMetric(float64(page.Len())/1e6, "page-MB")
		})
	}
}

// BenchmarkReport is the page of one run of about 1 MB.
func BenchmarkReport(b *testing.B) {
	run, err := journal.Read(writeNights(b, b.TempDir(), 1)[0])
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, New(run, nil, English{}).HTML(io.Discard))
	}
}

// cpuTime is what the process has used of all CPUs: on a busy machine it says more than
// the clock.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var r unix.Rusage
	require.NoError(tb, unix.Getrusage(unix.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
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
