package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
)

func TestSuiteArguments(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("CNIPERF_TIMEOUT", "")
	w, err := journal.Create("runs/old", journal.Header{RunID: "old", Profile: "quick"})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	now := time.Date(2026, 11, 27, 16, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		args, want []string
		dir        string
	}{
		"none":    {nil, []string{"-test.v", "-test.timeout=120m", "-run-dir=runs/20261127t160000z-quick"}, "runs/20261127t160000z-quick"},
		"profile": {[]string{"--profile", "smoke", "-gate=false"}, []string{"-test.v", "-profile=smoke", "-gate=false", "-test.timeout=120m", "-run-dir=runs/20261127t160000z-smoke"}, "runs/20261127t160000z-smoke"},
		"folder":  {[]string{"-run-dir=x", "-timeout", "9m", "-dry-run"}, []string{"-test.v", "-run-dir=x", "-dry-run", "-test.timeout=9m"}, "x"},
		"resume":  {[]string{"-resume", "latest"}, []string{"-test.v", "-resume=latest", "-test.timeout=120m"}, "runs/old"},
		"value":   {[]string{"-labels", "tool=iperf3"}, []string{"-test.v", "-labels", "tool=iperf3", "-test.timeout=120m", "-run-dir=runs/20261127t160000z-quick"}, "runs/20261127t160000z-quick"},
	} {
		t.Run(name, func(t *testing.T) {
			flags, dir, err := suiteArguments(test.args, now)
			require.NoError(t, err)
			assert.Equal(t, test.want, flags)
			assert.Equal(t, test.dir, dir)
		})
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no value":   {[]string{"-profile"}, "-profile wants a value"},
		"no time":    {[]string{"-timeout", "soon"}, "no duration such as 90m"},
		"no profile": {[]string{"-profile", "../x"}, "is no profile"},
	} {
		_, _, err := suiteArguments(test.args, now)
		assert.ErrorContains(t, err, test.want, name)
	}
}

// The code of the suite arrives; 2 only if the run recorded it, for a Go program
// that panics ends with 2 as well.
func TestTheTrueExitCodeArrives(t *testing.T) {
	recorded := func(code int) string {
		dir := filepath.Join(t.TempDir(), "run")
		w, err := journal.Create(dir, journal.Header{RunID: "r", Profile: "quick"})
		require.NoError(t, err)
		require.NoError(t, w.Append(&journal.End{Outcome: "x", ExitCode: code}))
		require.NoError(t, w.Close())
		return dir
	}
	for name, test := range map[string]struct {
		script, dir string
		code        int
		why         string
	}{
		"pass":                   {"exit 0", "", 0, ""},
		"fail":                   {"exit 1", "", 1, "exit code 1: fail"},
		"inconclusive":           {"exit 2", recorded(2), 2, "exit code 2: inconclusive"},
		"panic":                  {"exit 2", filepath.Join(t.TempDir(), "none"), 3, "the suite broke"},
		"panic after another's":  {"exit 2", recorded(0), 3, "records no such end"},
		"infrastructure":         {"exit 3", "", 3, "exit code 3: infrastructure"},
		"interrupted":            {"exit 130", "", 130, "exit code 130: interrupted"},
		"killed":                 {"kill -KILL $$", "", 3, "signal: killed"},
		"a code that isn't ours": {"exit 77", "", 3, "exit status 77"},
	} {
		t.Run(name, func(t *testing.T) {
			err := ending(await(exec.Command("sh", "-c", test.script)), test.dir)
			if test.code == 0 {
				assert.NoError(t, err)
				return
			}
			var ended runEnded
			require.ErrorAs(t, err, &ended)
			assert.Equal(t, test.code, ended.code)
			assert.ErrorContains(t, err, test.why)
		})
	}
	err := ending(await(exec.Command("/no/such/program")), "")
	assert.ErrorContains(t, err, "exit code 3")
}

// A signal to cniperf reaches the suite once, and its answer is the exit code.
func TestSignalsReachTheSuite(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	cmd := exec.Command("sh", "-c", `n=0; trap 'n=$((n+1)); [ $n = 1 ] || exit 99; sleep 0.2; exit 130' TERM; : > "$0"; while :; do sleep 0.05; done`, ready)
	ended := make(chan error, 1)
	go func() { ended <- await(cmd) }()
	require.Eventually(t, func() bool { _, err := os.Stat(ready); return err == nil }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	var got runEnded
	require.ErrorAs(t, ending(<-ended, ""), &got)
	assert.Equal(t, 130, got.code)
}
