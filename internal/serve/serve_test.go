package serve

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/htmlreport"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// record begins a run of so many rounds, which goes on until it is ended.
func record(t *testing.T, runs, id string, day, rounds int) *journal.Writer {
	t.Helper()
	w, err := journal.Create(filepath.Join(runs, id), journal.Header{RunID: id, Profile: "quick", Started: time.Date(2026, 11, day, 2, 17, 0, 0, time.UTC)})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	for i := range rounds {
		appendRound(t, w, i+1)
	}
	return w
}

func appendRound(t *testing.T, w *journal.Writer, index int) {
	t.Helper()
	for arm, latency := range map[string]float64{"node": 12, "macvlan": 9} {
		cell := measure.Cell{Arm: arm, Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency"}
		require.NoError(t, w.Append(journal.Sample{Comparison: "latency", Phase: journal.PhaseFull, Round: index, Attempt: 1, Cell: cell,
			Values: measure.Values{{Metric: measure.Latency, Value: latency}}}))
	}
	require.NoError(t, w.Append(journal.Round{Comparison: "latency", Phase: journal.PhaseFull, Round: index, Attempt: 1, Valid: true}))
}

func serve(t *testing.T, runs string) *httptest.Server {
	t.Helper()
	s := New(runs, nil, history.Rule{Window: 2, Alpha: .05}, htmlreport.English{})
	s.every = 10 * time.Millisecond
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	r, err := http.Get(address)
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, html.UnescapeString(string(b))
}

func TestPages(t *testing.T) {
	runs := t.TempDir()
	for i, id := range []string{"one", "two", "three"} {
		w := record(t, runs, id, i+1, 2)
		require.NoError(t, w.Append(journal.End{Outcome: "pass"}))
	}
	record(t, runs, "going", 9, 1)
	require.NoError(t, os.Mkdir(filepath.Join(runs, "broken"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(runs, "broken", journal.FileName), []byte("junk\n"), 0o600))
	require.NoError(t, os.Symlink("one", filepath.Join(runs, "latest")))
	before := tree(t, runs)
	server := serve(t, runs)
	for path, want := range map[string]string{
		"/": "NO END YET", "/run/one": "cniperf run one", "/run/going": "This page follows the run", "/compare?old=one&new=two": "one, then two",
		"/history?profile=quick": "No cell got slower",
	} {
		code, text := get(t, server.URL+path)
		assert.Equal(t, http.StatusOK, code, path)
		assert.Contains(t, text, want, path)
		assert.Contains(t, text, "default-src 'none'", path)
	}
	_, list := get(t, server.URL+"/")
	assert.Contains(t, list, "line 1 is corrupt")
	assert.Less(t, strings.Index(list, ">going<"), strings.Index(list, ">one<"), "the newest first")
	assert.NotContains(t, list, "/run/latest")
	for path, want := range map[string]int{
		"/run/none": 404, "/run/..%2f..%2fetc": 404, "/run/broken": 500, "/compare?old=one&new=../one": 404, "/compare": 404, "/history?profile=x": 404,
		"/run/none/events": 404, "/journal.jsonl": 404,
	} {
		code, text := get(t, server.URL+path)
		assert.Equal(t, want, code, "%s: %s", path, text)
	}
	assert.Equal(t, before, tree(t, runs), "nothing is written")
}

func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		fmt.Fprintln(&b, path, info.Size(), info.ModTime())
		return err
	}))
	return b.String()
}

func TestOnlyThisMachineIsAnswered(t *testing.T) {
	runs := t.TempDir()
	record(t, runs, "one", 1, 1)
	handler := New(runs, nil, history.Rule{Window: 2, Alpha: .05}, htmlreport.English{}).Handler()
	for host, want := range map[string]int{
		"localhost": 200, "localhost:80": 200, "127.0.0.1:8077": 200, "[::1]:8077": 200, "evil.example": 421, "10.0.0.1": 421, "localhost.evil.example": 421, "": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, host)
	}
	r := httptest.NewRequest(http.MethodPost, "http://localhost/", nil)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	for _, address := range []string{"0.0.0.0:0", ":0", "10.0.0.1:0", "example.org:80", "127.0.0.1"} {
		_, err := Listen(t.Context(), address)
		assert.Error(t, err, address)
	}
}

// A page hears of each growth of its run's journal, and of the run's end.
func TestARunIsFollowed(t *testing.T) {
	runs := t.TempDir()
	w := record(t, runs, "going", 1, 1)
	server := serve(t, runs)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/run/going/events", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	assert.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	lines := bufio.NewScanner(answer.Body)
	await(t, lines) // at once: it may have grown since the page was made
	appendRound(t, w, 2)
	await(t, lines)
	_, text := get(t, server.URL+"/run/going")
	assert.Contains(t, text, "round 2: 9.000 µs")
	require.NoError(t, w.Append(journal.End{Outcome: "pass"}))
	await(t, lines)
	_, text = get(t, server.URL+"/run/going")
	assert.NotContains(t, text, "This page follows the run")
}

func await(t *testing.T, lines *bufio.Scanner) {
	t.Helper()
	for lines.Scan() {
		if lines.Text() == "event: changed" {
			return
		}
	}
	require.NoError(t, lines.Err())
	t.Fatal("the stream ended")
}

func TestServeEndsWithItsContext(t *testing.T) {
	runs := t.TempDir()
	record(t, runs, "one", 1, 1)
	ctx, stop := context.WithCancel(t.Context())
	l, err := Listen(ctx, "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		ended <- New(runs, nil, history.Rule{Window: 2, Alpha: .05}, htmlreport.English{}).Serve(ctx, l)
	}()
	code, _ := get(t, "http://"+l.Addr().String()+"/")
	assert.Equal(t, 200, code)
	stop()
	assert.NoError(t, <-ended)
}
