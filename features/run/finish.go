package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cniperf/cniperf/internal/analysis"
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
	outcome, err := s.outcome()
	if err != nil {
		return verdict.ExitInfrastructure, err.Error()
	}
	measured := !slices.ContainsFunc(s.measurements, func(m *measurement) bool { return m.err != nil || m.skipped != nil })
	if outcome.ExitCode == verdict.ExitPass && tests != 0 && measured {
		return verdict.ExitInfrastructure, "a test step failed without a verdict"
	}
	return outcome.ExitCode, outcome.String()
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

// outcome is how the run ended by what was measured, and records the last word about
// every assertion.
func (s *Session) outcome() (analysis.Outcome, error) {
	facts := analysis.Facts{Profile: s.plan.Profile.Name, Judges: s.plan.Profile.Judge}
	for _, m := range s.measurements {
		facts.Comparisons = append(facts.Comparisons, m.judged(s.room))
		if m.err != nil {
			facts.Failures = append(facts.Failures, analysis.Failure{Err: m.err})
		}
	}
	for _, skip := range s.book.missing() {
		facts.Missing = append(facts.Missing, analysis.Missing{Comparison: skip.Comparison, Cell: skip.Cell, Reason: *skip.Why})
	}
	if !facts.Judges {
		return analysis.Conclude(facts), nil
	}
	// Two copies of an arm that differ in one comparison spoil all of them, so the
	// last word is had over the whole run.
	var err error
	if facts.Verdicts, err = verdict.Judge(s.assertions(), s.bed.Provider(), facts.Comparisons...); err != nil {
		return analysis.Outcome{}, err
	}
	return analysis.Conclude(facts), s.book.verdicts(journal.PhaseFull, facts.Verdicts)
}

// assertions are the thresholds with the assertions of what was selected.
func (s *Session) assertions() verdict.Thresholds {
	t := s.plan.Thresholds
	t.Assertions = nil
	for _, m := range s.measurements {
		t.Assertions = append(t.Assertions, m.decided.Assertions...)
	}
	return t
}

func (s *Session) conclude(ctx context.Context, word string, code int, reason string) error {
	if s.room == nil {
		return nil
	}
	diagnostics := s.diagnose(ctx, code, reason)
	ctx, cancel := context.WithTimeout(ctx, cleanUpTimeout)
	defer cancel()
	s.progress.Printf("removing the run's pods")
	cleaned := errors.Join(s.room.cleanUp(ctx), s.bed.Release(ctx))
	if cleaned != nil && code == verdict.ExitPass {
		word, code, reason = outcomeWords[verdict.ExitInfrastructure], verdict.ExitInfrastructure, reason+"; but what the run made could not be removed: "+cleaned.Error()
	}
	err := errors.Join(
		cleaned,
		s.book.append(journal.End{Outcome: word, ExitCode: code, Reason: reason, Duration: s.elapsed()}),
		s.book.writer.Close(),
		s.PrintReport(),
	)
	if diagnostics != "" {
		fmt.Println("cniperf:", diagnostics)
	}
	return err
}
