package progress

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// run makes a stage of the given length.
func run(r *Reporter, expected, took time.Duration) {
	s := r.Stage("install", expected)
	time.Sleep(took)
	_ = s.End(nil)
}

func TestPaceIsLearnedFromStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := New(&out)
		assert.InDelta(t, 1, r.Pace(), 0.001, "nothing known")
		run(r, 10*time.Second, 30*time.Second)
		assert.InDelta(t, 3, r.Pace(), 0.001)
		run(r, 50*time.Second, 50*time.Second)
		assert.InDelta(t, 80.0/60, r.Pace(), 0.001, "a ratio of sums: the long stage tells more")

		_ = r.Stage("failed", time.Second).End(errors.New("boom"))
		run(r, 0, time.Hour)
		c := r.Clocked("measure", time.Second)
		time.Sleep(time.Hour)
		_ = c.End(nil)
		assert.InDelta(t, 80.0/60, r.Pace(), 0.001, "failures, stages without expectation and clocked ones tell nothing")
	})
}

func TestPaceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(&bytes.Buffer{})
		run(r, time.Second, time.Hour)
		assert.InDelta(t, maxPace, r.Pace(), 0.001)
		r = New(&bytes.Buffer{})
		run(r, time.Hour, time.Second)
		assert.InDelta(t, minPace, r.Pace(), 0.001)
		assert.InDelta(t, 1, (*Reporter)(nil).Pace(), 0.001, "without a reporter")
	})
}

func TestStagesSideBySideCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(&bytes.Buffer{})
		// Both take twice as long as expected. If the time they share counted
		// twice, they would weigh 80 s of expectation, not 40.
		a, b := r.Stage("a", 40*time.Second), r.Stage("b", 40*time.Second)
		time.Sleep(80 * time.Second)
		_, _ = a.End(nil), b.End(nil)
		assert.InDelta(t, 2, r.Pace(), 0.001)
		run(r, 40*time.Second, 40*time.Second)
		assert.InDelta(t, 120.0/80, r.Pace(), 0.001)
	})
}

func TestSeedGivesWayToWhatIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(&bytes.Buffer{})
		r.SeedPace(2)
		assert.InDelta(t, 2, r.Pace(), 0.001)
		run(r, 10*time.Second, 40*time.Second)
		assert.InDelta(t, 2.5, r.Pace(), 0.001)
	})
}

func TestLinesTellTheScaledExpectationAndWhenItIsExceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := New(&out)
		r.SeedPace(2)
		s := r.Stage("start 12 pairs", 15*time.Second)
		time.Sleep(156 * time.Second)
		s.Step("9 run")
		_ = s.End(nil)
		assert.Equal(t, "[00:00] ▶ start 12 pairs (0s of about 30s)\n"+
			"[02:36]   start 12 pairs: 9 run (2m36s, longer than the 30s expected)\n"+
			"[02:36] ✓ start 12 pairs in 2m36s, longer than the 30s expected\n", out.String())
		out.Reset()
		c := r.Clocked("measure", time.Minute)
		time.Sleep(70 * time.Second)
		_ = c.End(nil)
		assert.Equal(t, "[02:36] ▶ measure (0s of about 1m0s)\n[03:46] ✓ measure in 1m10s\n", out.String(),
			"not scaled; a little over is no news")
	})
}

// What a cluster said is shown, and can neither control the terminal nor make a line
// of its own.
func TestWhatAClusterSaidStaysOnItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := New(&out)
		s := r.Stage("install", 0)
		s.Step("pod x: %s", "\x1b[2J\x1b]0;PASS\a\n::error::gone\u202e")
		r.Printf("lost: %s", "\x1b[31mno\u009b")
		_ = s.End(nil)
		assert.NotContains(t, out.String(), "\x1b")
		assert.NotContains(t, out.String(), "\u009b")
		assert.NotContains(t, out.String(), "\u202e")
		assert.Contains(t, out.String(), "pod x:  [2J ]0;PASS  ::error::gone ")
		assert.Contains(t, out.String(), "lost:  [31mno ")
		r.Close()
	})
}
