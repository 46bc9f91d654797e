// Package progress shows what a long job is doing: one line that is redrawn on
// a terminal, plain lines elsewhere, always with elapsed and expected time.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/cniperf/cniperf/internal/page"
)

// Reporter prints the stages of a job. Its methods may be called from several
// goroutines.
type Reporter struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	started  time.Time
	active   []*Stage
	pace     pace
	drawn    bool
	stop     chan struct{}
	stopOnce sync.Once
}

// New returns a reporter on out. It redraws one line when out is a terminal.
func New(out io.Writer) *Reporter {
	r := &Reporter{out: out, started: time.Now(), stop: make(chan struct{})}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		r.terminal = true
		go r.redraw()
	}
	return r
}

// Close stops redrawing.
func (r *Reporter) Close() {
	r.stopOnce.Do(func() { close(r.stop) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
}

// Printf prints a line of its own.
func (r *Reporter) Printf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.line(fmt.Sprintf(format, args...))
}

// Stage is a part of the job that takes noticeable time.
type Stage struct {
	r         *Reporter
	name      string
	step      string
	started   time.Time
	reference time.Duration // expected on the reference machine; 0 when that says nothing
	expected  time.Duration // expected here
}

// Stage begins a stage whose length depends on how fast the machine is. expected
// is what it takes on the reference machine, 0 when that is not known; what is
// shown is scaled by the pace this machine has shown.
func (r *Reporter) Stage(name string, expected time.Duration) *Stage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begin(&Stage{name: name, reference: expected, expected: r.pace.scale(expected)})
}

// Clocked begins a stage whose length is known for this machine: from its own
// history, or since a clock decides it, as with samples. It is shown as it is and
// says nothing about the machine's pace.
func (r *Reporter) Clocked(name string, expected time.Duration) *Stage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begin(&Stage{name: name, expected: expected})
}

func (r *Reporter) begin(s *Stage) *Stage {
	s.r, s.started = r, time.Now()
	r.active = append(r.active, s)
	if !r.terminal {
		r.line("▶ " + page.Line(s.describe()))
	}
	return s
}

// Step tells what the stage is doing now.
func (s *Stage) Step(format string, args ...any) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	step := fmt.Sprintf(format, args...)
	if step == s.step {
		return
	}
	s.step = step
	if !s.r.terminal {
		s.r.line("  " + page.Line(s.describe()))
	}
}

// End finishes the stage, with the error that ended it, if any. It returns err.
func (s *Stage) End(err error) error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	took := time.Since(s.started)
	for i, a := range s.r.active {
		if a == s {
			s.r.active = append(s.r.active[:i], s.r.active[i+1:]...)
			break
		}
	}
	if err != nil {
		s.r.line(fmt.Sprintf("✗ %s after %s", s.name, Round(took)))
		return err
	}
	// A stage that failed took as long as its failure did.
	s.r.pace.learn(s.started, took, s.reference)
	text := fmt.Sprintf("✓ %s in %s", s.name, Round(took))
	if s.expected > 0 && float64(took) > overrun*float64(s.expected) {
		text += fmt.Sprintf(", longer than the %s expected", Round(s.expected))
	}
	s.r.line(text)
	return nil
}

// overrun is how much longer than expected a finished stage must have taken for
// its line to say so.
const overrun = 1.25

// Round shortens a duration to what a person reads: tenths below ten seconds,
// whole seconds above.
func Round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

func (s *Stage) describe() string {
	text := s.name
	if s.step != "" {
		text += ": " + s.step
	}
	took := time.Since(s.started)
	text += fmt.Sprintf(" (%s", Round(took))
	switch {
	case s.expected > 0 && took > s.expected:
		text += fmt.Sprintf(", longer than the %s expected", Round(s.expected))
	case s.expected > 0:
		text += fmt.Sprintf(" of about %s", Round(s.expected))
	}
	return text + ")"
}

// line prints text above the redrawn line, with the job's clock before it.
func (r *Reporter) line(text string) {
	r.erase()
	elapsed := time.Since(r.started).Round(time.Second)
	fmt.Fprintf(r.out, "[%02d:%02d] %s\n", int(elapsed.Minutes()), int(elapsed.Seconds())%60, page.Lines(text))
	r.draw()
}

func (r *Reporter) erase() {
	if r.drawn {
		fmt.Fprint(r.out, "\r\x1b[2K")
		r.drawn = false
	}
}

func (r *Reporter) draw() {
	if !r.terminal || len(r.active) == 0 {
		return
	}
	width := 80
	if f, ok := r.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 10 {
			width = w
		}
	}
	elapsed := time.Since(r.started).Round(time.Second)
	text := []rune(fmt.Sprintf("[%02d:%02d] ", int(elapsed.Minutes()), int(elapsed.Seconds())%60))
	for i, s := range r.active {
		if i > 0 {
			text = append(text, []rune(" | ")...)
		}
		text = append(text, []rune(page.Line(s.describe()))...)
	}
	if len(text) > width-1 {
		text = append(text[:width-2], '…')
	}
	fmt.Fprint(r.out, string(text))
	r.drawn = true
}

func (r *Reporter) redraw() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
			r.mu.Lock()
			r.erase()
			r.draw()
			r.mu.Unlock()
		}
	}
}
