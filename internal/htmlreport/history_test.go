package htmlreport

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/verdict"
)

// madeUp is a history of so many nights and cells, of which the first got slower three
// nights ago. Its figures are made up.
func madeUp(tb testing.TB, nights, cells, window int) *history.History {
	tb.Helper()
	h := &history.History{Version: history.Version, Profile: "made-up", Rule: history.Rule{Window: window, InARow: 3, Alpha: .05}, FalseAlarm: .01,
		Alone: []string{"pod-ip-redis-get"}, LeftOut: []history.LeftOut{{Run: "made-up-000", Reasons: []string{"kernel 6.1, then 6.2"}}}}
	for n := range nights {
		h.Runs = append(h.Runs, history.RunInfo{ID: fmt.Sprintf("made-up-night-%03d", n+1), Started: time.Date(2026, 1, 1, 2, 17, 0, 0, time.UTC).AddDate(0, 0, n)})
	}
	arms := []string{"macvlan", "calico", "cilium", "macvlan-cross-subnet", "macvlan-kube-proxy", "macvlan-ebpf"}
	for c := range cells {
		m, table, path := measure.Latency, "pod-ip-latency", measure.PodIP
		if c%2 == 1 {
			m, table, path = measure.Transactions, "cluster-ip-tcp-rr", measure.ClusterIP
		}
		s := history.Series{Cell: history.Cell{Table: table, Metric: m, Cell: measure.Cell{Arm: fmt.Sprint(arms[c%len(arms)], map[bool]string{true: fmt.Sprint("@", c)}[c >= len(arms)]),
			Path: path, Placement: measure.CrossNode, Benchmark: "sockperf-latency"}}}
		var costs []float64
		for n, run := range h.Runs {
			ratio := .7 + .1*float64(c%6) + .02*math.Sin(float64(n*7+c*3)) + .01*math.Cos(float64(n*n+c))
			if c == 0 && n >= nights-3 {
				ratio *= 1.12
			}
			s.Nights = append(s.Nights, history.Night{Run: run.ID, Ratio: ratio, Low: ratio * .96, High: ratio * 1.05})
			cost, err := measure.LogCost(measure.Value{Metric: m, Value: ratio})
			require.NoError(tb, err)
			costs = append(costs, cost)
		}
		var err error
		s.Verdict, err = verdict.Nightly(costs, h.Rule.InARow, window)
		require.NoError(tb, err)
		if s.Verdict.Beyond > 0 {
			s.Since = h.Runs[nights-s.Verdict.Beyond].ID
		}
		if c == 0 {
			s.Changed = []string{"kube-proxy: image spiderpool v1.0.9, then v1.1.0"}
		}
		h.Cells = append(h.Cells, s)
	}
	return h
}

func historyPage(tb testing.TB, h *history.History) string {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, History(&b, h, English{}, ""))
	return b.String()
}

// docs/sample-history.html shows what the page looks like.
func TestSampleHistory(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "sample-history.html")
	got := historyPage(t, madeUp(t, 60, 6, 30))
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run with -update if the change is meant")
}

func TestHistorySaysWhatHappened(t *testing.T) {
	text := html.UnescapeString(historyPage(t, madeUp(t, 60, 6, 30)))
	for _, want := range []string{
		"1 cell got slower", "since made-up-night-058", "image spiderpool v1.0.9, then v1.1.0", "kernel 6.1, then 6.2",
		"latency as a ratio to node over 60 nights, lower is better", "FAIL: slower than the worst of 30 nights for 3 in a row", "pod-ip-redis-get",
	} {
		assert.Contains(t, text, want)
	}
	few := html.UnescapeString(historyPage(t, madeUp(t, 5, 2, 30)))
	assert.Contains(t, few, "NOT ENOUGH COMPARABLE NIGHTS</span>", "a status of its own")
	assert.Contains(t, few, "No cell has the 31 nights that it takes")
	assert.NotContains(t, few, "INCONCLUSIVE")
	one := historyPage(t, madeUp(t, 1, 1, 30))
	assert.NotContains(t, own.ReplaceAllString(one, ""), "NaN")
	none := madeUp(t, 1, 0, 30)
	assert.Contains(t, historyPage(t, none), "there is nothing to compare")
}

// However many nights, the page stays usable.
func TestAThousandNightsMakeASmallPage(t *testing.T) {
	text := historyPage(t, madeUp(t, 1000, 60, 30))
	assert.Less(t, len(text), 5<<20)
	assert.Contains(t, text, "since made-up-night-998")
}

func pair(arm string, old, now float64) history.Pair {
	ratio := func(x float64) *float64 { y := x / 12; return &y }
	return history.Pair{Cell: history.Cell{Table: "pod-ip-latency", Metric: measure.Latency, Cell: measure.Cell{Arm: arm, Path: measure.PodIP, Placement: measure.CrossNode,
		Benchmark: "sockperf-latency"}}, Old: old, New: now, OldRatio: ratio(old), NewRatio: ratio(now)}
}

func comparisonOf() *history.Comparison {
	return &history.Comparison{
		Old: history.RunInfo{ID: "before"}, New: history.RunInfo{ID: "after"}, Changes: []history.Pair{pair("node", 12, 12), pair("macvlan", 9, 10.8), pair("calico", 17, 15)},
		Elsewhere: []string{"kernel 6.1, then 6.2"}, Subject: []string{"kube-proxy: image calico 3.30, then 3.31"}, OnlyOld: []history.Cell{pair("cilium", 1, 1).Cell},
	}
}

func TestComparePage(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Compare(&b, comparisonOf(), English{}, ""))
	text := html.UnescapeString(b.String())
	for _, want := range []string{
		"The two runs were not measured on the same", "kernel 6.1, then 6.2", "20 % slower", "The largest loss macvlan: 20 % slower"[4:], "The largest gain is calico: 12 % faster",
		"pod-ip-latency: cilium", "image calico 3.30, then 3.31", "No verdict",
	} {
		assert.Contains(t, text, want)
	}
	same := comparisonOf()
	same.Elsewhere = nil
	b.Reset()
	require.NoError(t, Compare(&b, same, English{}, ""))
	assert.NotContains(t, b.String(), "not measured on the same")
}

func BenchmarkHistoryPage(b *testing.B) {
	for _, nights := range []int{10, 100, 1000} {
		h := madeUp(b, nights, 60, 7)
		b.Run(fmt.Sprint(nights), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, History(io.Discard, h, English{}, ""))
			}
			b.ReportMetric(float64(len(historyPage(b, h)))/1e6, "page-MB")
		})
	}
}
