package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
)

// recordRun makes a run folder with nothing but its end.
func recordRun(t *testing.T, dir string, end *journal.End) {
	t.Helper()
	w, err := journal.Create(dir, journal.Header{RunID: filepath.Base(dir), Profile: "smoke"})
	require.NoError(t, err)
	if end != nil {
		require.NoError(t, w.Append(*end))
	}
	require.NoError(t, w.Close())
}

func runReport(args ...string) (string, int) { return runCommand(newReportCommand(), args...) }

func TestReportCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	out, code := runReport("latest")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "no run in runs")

	recordRun(t, "runs/b-pass", &journal.End{Outcome: "pass"})
	recordRun(t, "runs/a-fail", &journal.End{Outcome: "fail", ExitCode: 1})
	recordRun(t, "runs/a-inconclusive", &journal.End{Outcome: "inconclusive", ExitCode: 2})
	recordRun(t, "runs/a-killed", nil)
	require.NoError(t, os.Mkdir("runs/z-no-run", 0o755))

	for run, want := range map[string]int{"runs/b-pass": 0, "runs/a-fail": 1, "runs/a-inconclusive": 2, "runs/a-killed": 3, "latest": 0} {
		_, code := runReport("--exit-code", run)
		assert.Equal(t, want, code, run)
		_, code = runReport(run)
		assert.Zero(t, code, run)
	}
	_, code = runReport("--exit-code", "runs/z-no-run")
	assert.Equal(t, 3, code, "1 would say that the run failed")
	out, _ = runReport("latest")
	assert.Contains(t, out, "b-pass")
	require.NoError(t, os.Symlink("a-fail", "runs/latest"))
	out, _ = runReport("latest", "--evidence")
	assert.Contains(t, out, "a-fail")
	assert.Contains(t, out, "Evidence")

	for _, format := range []string{"text", "markdown", "json", "junit", "bench"} {
		_, code := runReport("latest", "--format", format)
		assert.Zero(t, code, format)
	}
	for want, args := range map[string][]string{
		"z-no-run is not a run folder": {"runs/b-pass", "runs/z-no-run"},
		"unknown format":               {"latest", "--format", "html"},
		"one RUN":                      {"latest", "runs/b-pass", "--format", "junit"},
		"--evidence is text":           {"latest", "--format", "json", "--evidence"},
	} {
		out, code := runReport(args...)
		assert.Equal(t, 1, code)
		assert.Contains(t, out, want)
		assert.NotContains(t, out, "profile smoke", "nothing is printed before all is checked")
	}
}
