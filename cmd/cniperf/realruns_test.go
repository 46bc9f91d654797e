package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
)

// unpackRun puts a packed journal into a run folder of its own. The raw outputs are
// not kept: neither a report nor a verdict reads them.
func unpackRun(t *testing.T, packed string) string {
	t.Helper()
	in, err := os.Open(packed)
	require.NoError(t, err)
	defer in.Close()
	unzipped, err := gzip.NewReader(in)
	require.NoError(t, err)
	text, err := io.ReadAll(unzipped)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(packed), ".jsonl.gz"))
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.jsonl"), text, 0o644))
	return dir
}

// Journals of real runs, by the versions of cniperf that wrote them, are read, reported
// and judged as they were: the exit code is the recorded one.
func TestRealRunsAreReportedAndJudgedAsEver(t *testing.T) {
	packed, err := filepath.Glob("testdata/runs/*.jsonl.gz")
	require.NoError(t, err)
	require.NotEmpty(t, packed)
	for _, file := range packed {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl.gz")
		t.Run(name, func(t *testing.T) {
			dir := unpackRun(t, file)
			run, err := journal.Read(dir)
			require.NoError(t, err)
			require.NotNil(t, run.End)
			out, code := runReport(dir)
			require.Zero(t, code)
			goldenFile(t, name+".report.txt", out)
			code, out, _ = judge(t, "", dir, "--thresholds", spiderpoolThresholds)
			assert.Equal(t, run.End.ExitCode, code)
			goldenFile(t, name+".judge.txt", out)
		})
	}
}
