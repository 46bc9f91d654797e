package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/verdict"
)

// ExitInterrupted is the exit code of a run that a signal ended.
const ExitInterrupted = 130

// cleanUpTimeout bounds what an interrupted run spends on removing its pods.
const cleanUpTimeout = 60 * time.Second

// Finish ends the run: it removes its pods, lets go of the lab, records the
// outcome, writes and prints the report, and returns the exit code. tests is that
// of the tests.
func (s *Session) Finish(ctx context.Context, tests int) int {
	if s.options.DryRun {
		if err := s.printPlan(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "cniperf:", err)
			return verdict.ExitInfrastructure
		}
		return tests
	}
	if !s.begun {
		if len(s.options.Labels) > 0 {
			fmt.Fprintf(os.Stderr, "cniperf: the labels %v together select nothing\n", s.options.Labels)
			return verdict.ExitInfrastructure
		}
		return tests
	}
	defer s.progress.Close()
	code, reason := s.ended(ctx, tests)
	word := outcomeWords[code]
	code, reason = s.options.gated(code, reason)
	if err := s.conclude(context.WithoutCancel(ctx), word, code, reason); err != nil {
		fmt.Fprintln(os.Stderr, "cniperf:", err)
		if code == verdict.ExitPass {
			code = verdict.ExitInfrastructure
		}
	}
	fmt.Printf("cniperf: %s (exit code %d)\n", reason, code)
	return code
}

// ended is how the run ended, before the user's wish about gates.
func (s *Session) ended(ctx context.Context, tests int) (int, string) {
	switch {
	case errors.Is(context.Cause(ctx), ErrInterrupted):
		return ExitInterrupted, context.Cause(ctx).Error()
	case s.beginErr != nil:
		return verdict.ExitInfrastructure, s.beginErr.Error()
	}
	code, reason, err := s.outcome()
	switch {
	case err != nil:
		return verdict.ExitInfrastructure, err.Error()
	case code == verdict.ExitPass && tests != 0 && !slices.ContainsFunc(s.measurements, func(m *measurement) bool { return m.err != nil }):
		return verdict.ExitInfrastructure, "a test step failed without a verdict"
	}
	return code, reason
}

// outcomeWords are how the journal calls a run's end.
var outcomeWords = map[int]string{
	verdict.ExitPass: "pass", verdict.ExitFail: "fail", verdict.ExitInconclusive: "inconclusive",
	verdict.ExitInfrastructure: "infrastructure", ExitInterrupted: "interrupted",
}

// gated is the exit code that the user wants for an outcome: without the gate a
// verdict only informs, while a run that broke still says so.
func (o Options) gated(code int, reason string) (int, string) {
	if !o.Gate && (code == verdict.ExitFail || code == verdict.ExitInconclusive) {
		return verdict.ExitPass, reason + "; with -gate=false that only informs"
	}
	return code, reason
}

// outcome is the exit code that the measurements give, and what to say of it. Only
// gates count; a profile that does not judge passes when it measured everything.
func (s *Session) outcome() (int, string, error) {
	var all []verdict.Comparison
	var broken []string
	for _, m := range s.measurements {
		if m.done {
			all = append(all, m.result)
		}
		if m.err != nil || m.skipped != nil && m.skipped.Infrastructure() {
			broken = append(broken, m.decided.Name)
		}
	}
	switch {
	case len(all) == 0 && len(broken) > 0:
		return verdict.ExitInfrastructure, "no comparison was measured: " + s.firstError(), nil
	case len(all) == 0:
		return verdict.ExitInfrastructure, "no full comparison was measured", nil
	case !s.plan.Profile.Judge:
		if missing := s.missing(); missing != "" {
			return verdict.ExitInfrastructure, fmt.Sprintf("profile %s: not everything could be measured: %s", s.plan.Profile.Name, missing), nil
		}
		return verdict.ExitPass, fmt.Sprintf("profile %s: %d comparisons measured, none judged", s.plan.Profile.Name, len(all)), nil
	}
	// Two copies of an arm that differ in one comparison spoil all of them, so the
	// last word is had over the whole run.
	verdicts, err := verdict.Judge(s.plan.Thresholds, s.bed.Provider(), all...)
	if err != nil {
		return verdict.ExitInfrastructure, "", err
	}
	for _, m := range s.measurements {
		if err := s.last(m, verdicts); err != nil {
			return verdict.ExitInfrastructure, "", err
		}
	}
	return s.gates(verdicts)
}

// last records the last word about each assertion of a measurement.
func (s *Session) last(m *measurement, final []verdict.Verdict) error {
	if !m.done {
		return nil
	}
	var last []verdict.Verdict
	for _, a := range m.decided.Assertions {
		i := slices.IndexFunc(final, func(v verdict.Verdict) bool { return v.Name == a.Name })
		if i >= 0 {
			last = append(last, final[i])
		}
	}
	return s.book.verdicts(m.decided.Name, journal.PhaseFull, last)
}

// gates is the exit code of the gates: a fail that was shown counts first, then
// one that infrastructure has kept open.
func (s *Session) gates(verdicts []verdict.Verdict) (int, string, error) {
	var failed, open bool
	var kept []string
	for _, m := range s.measurements {
		for _, a := range m.decided.Assertions {
			if a.Role != verdict.Gate {
				continue
			}
			i := slices.IndexFunc(verdicts, func(v verdict.Verdict) bool { return v.Name == a.Name })
			if i >= 0 && verdicts[i].Outcome == verdict.Pass {
				continue
			}
			if i >= 0 && verdicts[i].Outcome == verdict.Fail {
				failed = true
				continue
			}
			if why := m.open(a, s.room); why != nil {
				kept = append(kept, fmt.Sprintf("%s (%v)", a.Name, why))
			} else {
				open = true
			}
		}
	}
	switch {
	case failed:
		return verdict.ExitFail, "a gate failed", nil
	case len(kept) > 0:
		return verdict.ExitInfrastructure, "infrastructure kept gates open: " + strings.Join(kept, "; "), nil
	case open:
		return verdict.ExitInconclusive, "not every gate could be decided", nil
	}
	return verdict.ExitPass, "every gate passed", nil
}

// missing names what of the selected comparisons could not be measured for a
// reason that lies in the infrastructure.
func (s *Session) missing() string {
	var all []string
	for _, m := range s.measurements {
		if m.err != nil {
			all = append(all, fmt.Sprintf("%s: %v", m.decided.Name, m.err))
			continue
		}
		for _, skip := range s.book.skipped(m.decided.Name, m.phase) {
			all = append(all, fmt.Sprintf("%s: %s: %s", m.decided.Name, skip.Cell, skip.Text()))
		}
	}
	return strings.Join(all, "; ")
}

func (s *Session) firstError() string {
	for _, m := range s.measurements {
		if m.err != nil {
			return m.err.Error()
		}
		if m.skipped != nil {
			return m.skipped.String()
		}
	}
	return ""
}

func (s *Session) conclude(ctx context.Context, outcome string, code int, reason string) error {
	if s.room == nil {
		return nil
	}
	diagnostics := s.diagnose(ctx, code, reason)
	ctx, cancel := context.WithTimeout(ctx, cleanUpTimeout)
	defer cancel()
	s.progress.Printf("removing the run's pods")
	cleaned := errors.Join(s.room.cleanUp(ctx), s.bed.Release(ctx))
	if cleaned != nil && code == verdict.ExitPass {
		outcome, code, reason = outcomeWords[verdict.ExitInfrastructure], verdict.ExitInfrastructure, reason+"; but what the run made could not be removed: "+cleaned.Error()
	}
	err := errors.Join(
		cleaned,
		s.book.append(journal.End{Outcome: outcome, ExitCode: code, Reason: reason, Duration: s.elapsed()}),
		s.book.writer.Close(),
		s.PrintReport(),
	)
	if diagnostics != "" {
		fmt.Println("cniperf:", diagnostics)
	}
	return err
}
