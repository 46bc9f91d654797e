// Package patience waits for as long as something moves. A fixed timeout is
// wrong on every machine but one: too short where the cores are slow, too long
// where something is stuck. Here a wait fails when nothing has moved for long
// enough, and what is long enough depends on the pace this machine has shown.
package patience

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Defaults of a Policy. Still is what the slowest single step of a bring-up
// (a container that starts, an image that is unpacked) needs on the reference
// machine, several times over.
const (
	DefaultStill = 90 * time.Second
	DefaultLimit = 20 * time.Minute
	DefaultEvery = 500 * time.Millisecond
	DefaultLook  = 15 * time.Second
)

// minLooks is how many looks without movement a wait needs before it fails. A
// process that was itself frozen or starved has not seen that nothing moved.
const minLooks = 3

// growth is how much the interval between two looks grows while nothing moves.
const growth = 1.5

// Policy says how long a wait lasts. The zero value waits by the defaults.
type Policy struct {
	// What is waited for, as the subject of the error.
	What string
	// Still is how long nothing may move on the reference machine. The wait
	// allows Still times Pace, and never less than Still.
	Still time.Duration
	// Limit ends the wait though something still moves: a container that
	// restarts for ever moves too. Pace does not scale it.
	Limit time.Duration
	// Every is the time between two looks. While nothing moves it grows up to
	// EveryMax; an EveryMax below Every means it does not grow.
	Every, EveryMax time.Duration
	// Look bounds one look, times Pace, so that a server that never answers
	// does not end the wait by silence.
	Look time.Duration
	// Pace is how many times slower than the reference machine this one is; nil
	// is 1. It is asked at every look, since it is learned as the job goes on.
	Pace func() float64
	// Seen, if set, is told what each look has seen: a state, or the error that
	// hid it.
	Seen func(state string, err error)
	// Words, if set, turns a state into what errors say of it, for states that
	// are longer than a person reads.
	Words func(state string) string
}

// Reason is why a wait was given up.
type Reason string

// The reasons to give up.
const (
	// Stuck: nothing moved for as long as was allowed.
	Stuck Reason = "stuck"
	// Limit: something moved, but the hard limit was reached.
	Limit Reason = "limit"
)

// Error tells what a wait that was given up has seen.
type Error struct {
	What   string
	Reason Reason
	// Last is the last state seen, LastErr what hid it since, if anything did.
	Last    string
	LastErr error
	// Still is how long nothing moved, Allowed how long it was allowed to, and
	// Waited how long the wait took.
	Still, Allowed, Waited time.Duration
}

// Error implements error.
func (e *Error) Error() string {
	text := e.What + ": "
	if e.Reason == Limit {
		text += fmt.Sprintf("not done after %s, which is the limit", round(e.Waited))
	} else {
		text += fmt.Sprintf("nothing moved for %s, of %s allowed on this machine; waited %s",
			round(e.Still), round(e.Allowed), round(e.Waited))
	}
	if e.Last != "" {
		text += "; last seen: " + e.Last
	}
	if e.LastErr != nil {
		text += "; last error: " + e.LastErr.Error()
	}
	return text
}

// Unwrap returns what hid the last state.
func (e *Error) Unwrap() error { return e.LastErr }

// fatal marks an error that no waiting mends.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// Fatal marks an error that ends a wait at once. Every other error of a look
// only hides the state: an API server that restarts is waited for.
func Fatal(err error) error {
	if err == nil {
		return nil
	}
	return fatal{err}
}

// IsFatal tells whether the error, or one it wraps, was marked by Fatal.
func IsFatal(err error) bool {
	var f fatal
	return errors.As(err, &f)
}

// Wait looks until done. A state is what the caller can see of the thing, for
// example counts, phases and reasons; a state that this wait has not seen before
// is movement. A state that comes back is none, so two that alternate end the
// wait. An error of the look that is not marked by Fatal is no movement, and is
// forgiven until patience runs out.
//
// Wait returns nil, a *Error, the error that was marked Fatal, or the cause that
// ended ctx together with what was last seen.
func Wait(ctx context.Context, p Policy, look func(context.Context) (state string, done bool, err error)) error {
	p = p.withDefaults()
	w := watch{policy: p, started: time.Now(), states: map[string]bool{}}
	w.moved = w.started
	every := p.Every
	for {
		state, done, err := p.look(ctx, look)
		switch {
		case ctx.Err() != nil && !(done && err == nil):
			return w.ended(ctx, err)
		case IsFatal(err):
			return fmt.Errorf("%s: %w", p.What, err)
		case err == nil && done:
			return nil
		}
		if w.note(state, err) {
			every = p.Every
		}
		if p.Seen != nil {
			p.Seen(state, err)
		}
		if err := w.verdict(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return w.ended(ctx, nil)
		case <-time.After(every):
		}
		every = min(time.Duration(float64(every)*growth), max(p.Every, p.EveryMax))
	}
}

// Retry does something until it works. It is a Wait whose only state is the
// last error: every error that is not marked by Fatal is tried again, with a
// growing interval, at least three times. One try may last for Policy.Look.
func Retry(ctx context.Context, p Policy, try func(context.Context) error) error {
	return Wait(ctx, p, func(ctx context.Context) (string, bool, error) {
		err := try(ctx)
		return "", err == nil, err
	})
}

func (p Policy) withDefaults() Policy {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&p.Still, DefaultStill)
	set(&p.Limit, DefaultLimit)
	set(&p.Every, DefaultEvery)
	set(&p.Look, DefaultLook)
	if p.What == "" {
		p.What = "wait"
	}
	if p.Words == nil {
		p.Words = func(state string) string { return state }
	}
	return p
}

// Allowed is how long nothing may move on this machine now.
func (p Policy) Allowed() time.Duration { return p.scaled(p.withDefaults().Still) }

func (p Policy) scaled(d time.Duration) time.Duration {
	if p.Pace == nil {
		return d
	}
	return time.Duration(float64(d) * max(1, p.Pace()))
}

func (p Policy) look(ctx context.Context, look func(context.Context) (string, bool, error)) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, p.scaled(p.Look))
	defer cancel()
	return look(ctx)
}

// watch is what a wait has seen.
type watch struct {
	policy         Policy
	started, moved time.Time
	states         map[string]bool
	last           string
	lastErr        error
	looks          int // since the last movement
}

// note records one look and tells whether something moved.
func (w *watch) note(state string, err error) bool {
	w.looks++
	w.lastErr = err
	if err != nil {
		return false
	}
	w.last = w.policy.Words(state)
	if w.states[state] {
		return false
	}
	w.states[state] = true
	w.moved, w.looks = time.Now(), 0
	return true
}

// verdict returns the error of a wait that has to be given up.
func (w *watch) verdict() error {
	now := time.Now()
	e := &Error{
		What: w.policy.What, Reason: Stuck, Last: w.last, LastErr: w.lastErr,
		Still: now.Sub(w.moved), Allowed: w.policy.Allowed(), Waited: now.Sub(w.started),
	}
	switch {
	case e.Waited >= w.policy.Limit:
		if e.Still < e.Allowed {
			e.Reason = Limit
		}
		return e
	case e.Still >= e.Allowed && w.looks >= minLooks:
		return e
	}
	return nil
}

// ended is the error of a wait that its context ended.
func (w *watch) ended(ctx context.Context, lookErr error) error {
	err := fmt.Errorf("%s: %w after %s", w.policy.What, context.Cause(ctx), round(time.Since(w.started)))
	if w.last != "" {
		err = fmt.Errorf("%w; last seen: %s", err, w.last)
	}
	// What the end of the context did to this look says nothing.
	if lookErr == nil || errors.Is(lookErr, ctx.Err()) {
		lookErr = w.lastErr
	}
	if lookErr != nil {
		err = fmt.Errorf("%w; last error: %w", err, lookErr)
	}
	return err
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
