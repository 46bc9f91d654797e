package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// recordNight makes a run of one round in which macvlan takes ratio times as long
// as node.
func recordNight(t *testing.T, profile string, i int, ratio float64) {
	t.Helper()
	id := fmt.Sprintf("night%02d-%s", i, profile)
	w, err := journal.Create("runs/"+id, journal.Header{RunID: id, Profile: profile, Started: time.Date(2026, 11, 1+i, 2, 17, 0, 0, time.UTC)})
	require.NoError(t, err)
	for arm, latency := range map[string]float64{"node": 12, "macvlan": 12 * ratio} {
		cell := measure.Cell{Arm: arm, Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency"}
		require.NoError(t, w.Append(journal.Sample{
			Comparison: "latency", Phase: journal.PhaseFull, Round: 1, Attempt: 1, Cell: cell,
			Values: measure.Values{{Metric: measure.Latency, Value: latency}},
		}))
	}
	require.NoError(t, w.Append(journal.Round{Comparison: "latency", Phase: journal.PhaseFull, Round: 1, Attempt: 1, Valid: true}))
	require.NoError(t, w.Append(journal.End{Outcome: "pass"}))
	require.NoError(t, w.Close())
}

func runCommand(cmd *cobra.Command, args ...string) (string, int) {
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceUsage = true
	cmd.SetArgs(args)
	err := cmd.Execute()
	var exit exitError
	switch {
	case errors.As(err, &exit):
		return out.String(), exit.code
	case err != nil:
		return out.String(), 1
	}
	return out.String(), 0
}

func TestHistoryCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	out, code := runCommand(newHistoryCommand())
	assert.Equal(t, 3, code)
	assert.Contains(t, out, "no run in runs")

	history := func(args ...string) (string, int) {
		return runCommand(newHistoryCommand(), append(args, "--window", "7")...)
	}
	for i := range 8 {
		recordNight(t, "quick", i, .7+.001*float64(i%3))
	}
	out, code = history()
	assert.Zero(t, code, out)
	recordNight(t, "quick", 8, .8)
	out, code = history()
	assert.Equal(t, 2, code, out)
	recordNight(t, "quick", 9, .8)
	out, code = history()
	assert.Equal(t, 1, code, "two in a row suffice for one cell: %s", out)
	assert.Contains(t, out, "FAIL")
	assert.Contains(t, out, "since night08-quick")
	_, code = history("--gate=false", "--json")
	assert.Zero(t, code)

	// One that can't be read is named and left out.
	require.NoError(t, os.MkdirAll("runs/broken", 0o755))
	require.NoError(t, os.WriteFile("runs/broken/journal.jsonl", []byte("junk\n"), 0o600))
	out, code = history()
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, "left out runs/broken: journal in runs/broken: line 1 is corrupt")
	out, code = history("runs/broken")
	assert.Equal(t, 3, code)
	assert.Contains(t, out, "journal in runs/broken: line 1 is corrupt")
	require.NoError(t, os.RemoveAll("runs/broken"))
	_, code = history("--in-a-row", "3")
	assert.Equal(t, 2, code)

	recordNight(t, "smoke", 10, .7)
	out, code = history()
	assert.Equal(t, 2, code, "the newest is alone of its profile: %s", out)
	_, code = history("--profile", "quick")
	assert.Equal(t, 1, code)
	_, code = history("runs/night00-quick", "runs/night01-quick")
	assert.Equal(t, 2, code)
	recordRun(t, "runs/empty", &journal.End{Outcome: "pass"})
	out, code = history("runs/empty")
	assert.Equal(t, 2, code)
	assert.Contains(t, out, "nothing to compare")
	for _, bad := range [][]string{{"--window", "0"}, {"--alpha", "x"}, {"--profile", "nightly"}, {"runs/none"}} {
		out, code := history(bad...)
		if bad[0] == "--window" {
			out, code = runCommand(newHistoryCommand(), bad...)
		}
		assert.Equal(t, 3, code, "%v: %s", bad, out)
	}

	out, code = runCommand(newCompareCommand(), "runs/night00-quick", "runs/night09-quick")
	assert.Zero(t, code)
	assert.Contains(t, out, "14.3 % slower")
	_, code = runCommand(newCompareCommand(), "runs/night00-quick", "runs/night09-quick", "--json")
	assert.Zero(t, code)
	for _, bad := range [][]string{{"latest"}, {"runs/night00-quick", "runs/none"}, {"runs/night00-quick", "runs/empty"}} {
		_, code = runCommand(newCompareCommand(), bad...)
		assert.Equal(t, 1, code, "%v", bad)
	}
}
