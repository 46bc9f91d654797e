package run

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// measurement is one comparison in one phase, from its pods to its verdicts.
type measurement struct {
	decided plan.Decided
	phase   string

	batch    *Batch
	done     bool // its rounds have run, or an earlier process ran them
	result   verdict.Comparison
	verdicts []verdict.Verdict
	skipped  *record.Reason // why it was not measured
	err      error          // that ended it
}

// prepare has the pods of the comparison started, unless it is skipped or an
// earlier process has measured it.
func (m *measurement) prepare(ctx context.Context, r *room) {
	if m.err = m.leftOutByPlan(r); m.err != nil {
		return
	}
	if why := r.overBudget(m); why != nil {
		m.skipped, m.err = why, r.book.skip(m.decided.Name, m.phase, measure.Cell{}, *why)
		return
	}
	m.batch = newBatch(r, m.decided, m.phase)
	if !m.batch.Complete() {
		m.fail(ctx, r, m.batch.Prepare(ctx))
	}
}

// leftOutByPlan records the arms that the lab or the profile leaves out.
func (m *measurement) leftOutByPlan(r *room) error {
	for _, left := range m.decided.LeftOut {
		if err := r.book.skip(m.decided.Name, m.phase, left.Cell, left.Reason); err != nil {
			return err
		}
	}
	return nil
}

// fail keeps what ended the measurement. That too few arms are left is a reason that
// is recorded already. An error of the infrastructure is recorded as one: it costs
// this comparison and no other. Any other error ends the run.
func (m *measurement) fail(ctx context.Context, r *room, err error) {
	if err == nil {
		return
	}
	if left := (&leftOutError{}); errors.As(err, &left) {
		m.skipped = &left.why
		return
	}
	if ctx.Err() != nil || !errors.Is(err, ErrInfrastructure) {
		m.err = err
		return
	}
	why := record.Reason{Code: record.Broken, Detail: err.Error()}
	m.skipped, m.err = &why, r.book.skip(m.decided.Name, m.phase, measure.Cell{}, why)
}

// measure runs the rounds, judges them, and confirms a fail on fresh pods.
func (m *measurement) measure(ctx context.Context, r *room) {
	if m.skipped != nil || m.err != nil {
		return
	}
	rounds, dropped, err := m.batch.Measure(ctx)
	m.result = r.judge.comparison(m.decided, rounds, dropped)
	if err != nil {
		m.fail(ctx, r, err)
		return
	}
	m.done = true
	if !r.plan.Profile.Judge {
		return
	}
	if m.verdicts, m.err = r.judge.of(m.decided, m.result); m.err != nil {
		return
	}
	if m.phase == journal.PhaseFull && slices.ContainsFunc(m.verdicts, func(v verdict.Verdict) bool { return v.NeedsConfirmation }) {
		if m.err = m.confirm(ctx, r); m.err != nil {
			return
		}
	}
	r.tellPower(m.verdicts)
	m.err = r.book.verdicts(m.phase, m.verdicts)
}

// tellPower says once, after the first comparison, what this machine lets the run see.
// Where that is little, the time is still the gates' first: they are measured before
// what only informs, and for more rounds.
func (r *room) tellPower(verdicts []verdict.Verdict) {
	if r.told {
		return
	}
	var floor, detectable float64
	for _, v := range verdicts {
		if v.Evidence == nil || v.Evidence.NoiseFloor == nil || v.Evidence.Detectable == nil {
			continue
		}
		floor, detectable = max(floor, *v.Evidence.NoiseFloor), max(detectable, *v.Evidence.Detectable)
	}
	if detectable == 0 {
		return
	}
	r.told = true
	r.say("on this machine, now, nothing under %.1f %% counts as a difference, and a batch like this finds one of %.1f %% in 4 of 5 cases",
		100*floor, 100*detectable)
}

// confirm measures a second batch on fresh pods and judges both. Where it can't be
// measured, what the first batch says stays unconfirmed.
func (m *measurement) confirm(ctx context.Context, r *room) error {
	r.say("a first batch says fail: measuring a second one on fresh pods")
	b := newBatch(r, m.decided, journal.PhaseConfirm)
	var err error
	if !b.Complete() {
		err = b.Prepare(ctx)
	}
	if err == nil {
		m.result.Confirming, _, err = b.Measure(ctx)
	}
	if left := (&leftOutError{}); errors.As(err, &left) {
		r.say("the second batch can't be measured: %s", left.why)
		err = nil
	}
	if err != nil {
		return err
	}
	m.verdicts, err = r.judge.of(m.decided, m.result)
	return err
}

// judged is the measurement as verdicts take it: without rounds where there are none.
func (m *measurement) judged(r *room) verdict.Comparison {
	c := m.result
	if c.Name == "" {
		c = r.judge.comparison(m.decided, nil, nil)
	}
	return c
}

// overBudget tells why a comparison is not begun: the profile's time for measuring
// is over. One that was begun goes on.
func (r *room) overBudget(m *measurement) *record.Reason {
	budget := time.Duration(r.plan.Profile.BudgetMinutes) * time.Minute
	if r.measured <= budget || len(r.book.past.Blocks(m.decided.Name, m.phase)) > 0 {
		return nil
	}
	return &record.Reason{Code: record.NoTime, Profile: r.plan.Profile.Name, Minutes: r.plan.Profile.BudgetMinutes}
}
