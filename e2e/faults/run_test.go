//go:build faults

package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/verdict"
)

const (
	comparison = "pod-ip-tcp-rr"
	assertion  = "tcp-rr-macvlan-over-calico"
	// sampleLength is the profile's.
	sampleLength = time.Second
	// longRun is far above what a run takes that meets any of the faults.
	longRun = 12 * time.Minute
	// cleanUpWithin is what METHOD allows an interrupted run.
	cleanUpWithin = 60 * time.Second
)

// child is the suite as a process of its own.
type child struct {
	t       *testing.T
	dir     string // the run's folder
	log     string
	process *exec.Cmd
	ended   chan struct{}
	code    int
	at      time.Time // when it ended
}

// start runs the suite with the faults' profile in a new run folder.
func (l *cluster) start(t *testing.T, flags ...string) *child {
	return l.startIn(t, filepath.Join(t.TempDir(), "run"), flags...)
}

func (l *cluster) startIn(t *testing.T, dir string, flags ...string) *child {
	return l.launch(t, dir, append([]string{"-profile", "faults", "-run-dir", dir}, flags...)...)
}

// resume goes on with a run.
func (l *cluster) resume(t *testing.T, dir string, flags ...string) *child {
	return l.launch(t, dir, append([]string{"-resume", dir}, flags...)...)
}

func (l *cluster) launch(t *testing.T, dir string, flags ...string) *child {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "suite-*.log")
	require.NoError(t, err)
	defer log.Close()
	thresholds, err := filepath.Abs("testdata/thresholds.yaml")
	require.NoError(t, err)
	args := []string{"-test.v", "-test.timeout", "20m", "-thresholds", thresholds}
	if *labFile != "" {
		file, err := filepath.Abs(*labFile)
		require.NoError(t, err)
		args = append(args, "-lab", file)
	}
	c := &child{t: t, dir: dir, log: log.Name(), ended: make(chan struct{})}
	c.process = exec.Command(l.suite, append(args, flags...)...)
	c.process.Dir = ".."
	c.process.Stdout, c.process.Stderr = log, log
	// Signals are for the one process that is asked to end, and no terminal
	// takes the output away.
	c.process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(t, c.process.Start())
	go func() {
		err := c.process.Wait()
		c.at = time.Now()
		if exited := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exited) {
			c.code = -1
		} else {
			c.code = c.process.ProcessState.ExitCode()
		}
		close(c.ended)
	}()
	t.Cleanup(func() {
		select {
		case <-c.ended:
		default:
			_ = c.process.Process.Kill()
			<-c.ended
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", strings.Join(c.process.Args, " "), c.said())
		}
	})
	return c
}

func (c *child) said() string {
	b, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (c *child) signal(s os.Signal) {
	c.t.Helper()
	require.NoError(c.t, c.process.Process.Signal(s))
}

// exit waits for the end and asserts the code; it returns how long it took.
func (c *child) exit(want int, within time.Duration) time.Duration {
	c.t.Helper()
	from := time.Now()
	select {
	case <-c.ended:
	case <-time.After(within):
		require.Fail(c.t, "the run goes on", "for more than %s", within)
	}
	require.Equal(c.t, want, c.code, "exit code")
	return c.at.Sub(from)
}

// run reads the journal as it is now, nil before there is one.
func (c *child) run() *journal.Run {
	run, err := journal.Read(c.dir)
	if err != nil {
		return nil
	}
	return run
}

// await waits until the journal fulfils a condition. The run must not end before.
func (c *child) await(what string, within time.Duration, reached func(*journal.Run) bool) *journal.Run {
	c.t.Helper()
	var run *journal.Run
	c.until(what, within, func() bool {
		run = c.run()
		return run != nil && reached(run)
	})
	return run
}

func (c *child) until(what string, within time.Duration, reached func() bool) {
	c.t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		select {
		case <-c.ended:
			if !reached() {
				require.Fail(c.t, "the run ended", "with %d before %s", c.code, what)
			}
			return
		case <-deadline.C:
			require.Fail(c.t, "too late", "%s: not within %s", what, within)
		case <-tick.C:
		}
	}
}

// measuring waits until the arm's sample of a round is being measured: its tool
// runs in the client pod.
func (c *child) measuring(l *cluster, arm string, round int) {
	c.t.Helper()
	c.await(fmt.Sprintf("round %d of %s", round, arm), 5*time.Minute, func(run *journal.Run) bool {
		if len(run.Attempts) == 0 {
			return false
		}
		a := run.Attempts[len(run.Attempts)-1]
		done := 0
		for _, s := range run.Samples {
			if s.Round == a.Round && s.Attempt == a.Attempt {
				done++
			}
		}
		if a.Round < round || done >= len(a.Cells) {
			return false
		}
		next := a.Cells[done]
		return next.Arm == arm && !next.Control
	})
	c.until("netperf runs in "+arm+"-client", 20*time.Second, func() bool {
		return len(l.processes(c.t, arm+"-client", "netperf")) > 0
	})
}

// inRound waits until a round has begun and one sample of it is on disk.
func (c *child) inRound(round int) *journal.Run {
	c.t.Helper()
	return c.await(fmt.Sprintf("round %d", round), 5*time.Minute, func(run *journal.Run) bool {
		return len(run.Samples) > 0 && run.Samples[len(run.Samples)-1].Round >= round && len(run.Rounds) < len(run.Attempts)
	})
}

// invalid are the samples that don't count.
func invalid(run *journal.Run) []journal.Sample {
	var list []journal.Sample
	for _, s := range run.Samples {
		if s.Invalid != "" {
			list = append(list, s)
		}
	}
	return list
}

// nothingLost asserts that the journal in dir is whole: it is readable, its raw
// outputs are what they were, every attempt is closed, and it starts with all
// that an earlier reading of it had.
func nothingLost(t *testing.T, dir string, before *journal.Run) *journal.Run {
	t.Helper()
	run, err := journal.Read(dir)
	require.NoError(t, err)
	for _, s := range run.Samples {
		if s.Raw != "" {
			raw, err := journal.Raw(dir, s.Raw)
			assert.NoError(t, err)
			assert.EqualValues(t, s.RawBytes, len(raw))
		}
		if s.Invalid == "" {
			assert.NotEmpty(t, s.Raw, "round %d, %s: a valid sample has its output", s.Round, s.Cell)
		}
	}
	for _, a := range run.Attempts {
		assert.True(t, closed(run, a), "attempt %d of round %d was not closed", a.Attempt, a.Round)
	}
	if before == nil {
		return run
	}
	require.GreaterOrEqual(t, len(run.Samples), len(before.Samples))
	for i, s := range before.Samples {
		assert.Equal(t, s, run.Samples[i], "a sample from before the fault")
	}
	rounds, earlier := run.ValidRounds(comparison), before.ValidRounds(comparison)
	require.GreaterOrEqual(t, len(rounds), len(earlier))
	for i, rd := range earlier {
		assert.Equal(t, rd, rounds[i], "a valid round was measured again")
	}
	return run
}

func closed(run *journal.Run, a journal.Attempt) bool {
	for _, rd := range run.Rounds {
		if rd.Phase == a.Phase && rd.Round == a.Round && rd.Attempt == a.Attempt {
			return true
		}
	}
	return false
}

// sameVerdict asserts that the run has the verdict that its rounds have without
// any of the faults, and ended with that verdict's exit code.
func sameVerdict(t *testing.T, run *journal.Run) {
	t.Helper()
	thresholds, err := verdict.OpenThresholds(os.DirFS("testdata"), "thresholds.yaml")
	require.NoError(t, err)
	undisturbed := verdict.Comparison{
		Rounds: run.ValidRounds(comparison), Confirming: run.ValidRoundsIn(comparison, journal.PhaseConfirm),
		Dropped: map[measure.Cell]int{},
	}
	want, err := verdict.Judge(thresholds, "kind", undisturbed)
	require.NoError(t, err)
	require.NotEmpty(t, run.Verdicts)
	got := run.Verdicts[len(run.Verdicts)-1]
	assert.Equal(t, assertion, got.Assertion)
	assert.Equal(t, string(want[0].Outcome), got.Outcome)
	assert.Equal(t, want[0].Explanation, got.Sentence)
	require.NotNil(t, run.End)
	ended := analysis.Conclude(analysis.Facts{Judges: true, Comparisons: []verdict.Comparison{undisturbed}, Verdicts: want})
	assert.Equal(t, ended.ExitCode, run.End.ExitCode)
}

// finished asserts all that holds of a run that came through.
func (l *cluster) finished(c *child, before *journal.Run) *journal.Run {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(longRun):
		require.Fail(c.t, "the run goes on", "for more than %s", longRun)
	}
	run := nothingLost(c.t, c.dir, before)
	sameVerdict(c.t, run)
	assert.Equal(c.t, run.End.ExitCode, c.code)
	assert.Less(c.t, c.code, verdict.ExitInfrastructure, "a verdict")
	l.nothingLeft(c.t)
	return run
}

// dropped asserts that one round was dropped because of the arm, so many times,
// and repeated. On a lab that others use, load may make other samples invalid;
// their rounds are repeated too, or the run has no verdict.
func dropped(t *testing.T, run *journal.Run, arm string, times int) journal.Sample {
	t.Helper()
	bad := slices.DeleteFunc(invalid(run), func(s journal.Sample) bool { return s.Cell.Arm != arm || s.Cell.Control })
	require.GreaterOrEqual(t, len(bad), times, "invalid samples of the arm")
	bad = bad[:times]
	for _, s := range bad {
		assert.Equal(t, bad[0].Round, s.Round)
		assert.False(t, s.Interrupted)
	}
	for _, rd := range run.ValidRounds(comparison) {
		if rd.Index == bad[0].Round {
			return bad[0]
		}
	}
	assert.Fail(t, "not repeated", "round %d", bad[0].Round)
	return bad[0]
}

// infrastructure asserts an orderly end by infrastructure whose message has all
// the words.
func (l *cluster) infrastructure(c *child, within time.Duration, words ...string) time.Duration {
	c.t.Helper()
	took := c.exit(verdict.ExitInfrastructure, within)
	said := lastWord.FindString(c.said())
	require.NotEmpty(c.t, said, "the last line names the reason")
	for _, w := range words {
		assert.Contains(c.t, said, w)
	}
	return took
}

var lastWord = regexp.MustCompile(`(?s)cniperf: [^\n]*(\n[^\n]*)*\(exit code 3\)`)

// command runs a program to its end and returns its output.
func command(ctx context.Context, t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	require.NoError(t, err, "%s: %s", strings.Join(argv, " "), bytes.TrimSpace(out))
	return string(bytes.TrimSpace(out))
}
