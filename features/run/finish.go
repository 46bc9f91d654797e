package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/internal/verdict"
)

// ExitInterrupted is the exit code of a run that a signal ended.
const ExitInterrupted = 130

// cleanUpTimeout bounds what an interrupted run spends on removing its pods.
const cleanUpTimeout = 45 * time.Second

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
	e := ending{s.plan, s.bed, s.book, s.room, s.progress, s.measurements, s.runDir, s.beginErr}
	code, reason := e.ended(ctx, tests)
	word := outcomeWords[code]
	code, reason = s.options.gated(code, reason)
	if err := e.conclude(context.WithoutCancel(ctx), word, code, reason, s.PrintReport); err != nil {
		fmt.Fprintln(os.Stderr, "cniperf:", err)
		if code == verdict.ExitPass {
			code = verdict.ExitInfrastructure
		}
	}
	fmt.Printf("cniperf: %s (exit code %d)\n", reason, code)
	return code
}

// ending is what the end of a run needs of it. Without a room nothing was begun.
type ending struct {
	plan     plan.Plan
	bed      *testbed.Testbed
	book     *book
	room     *room
	progress *progress.Reporter
	measured tally
	runDir   string
	beginErr error
}

// ended is how the run ended, before the user's wish about gates.
func (e ending) ended(ctx context.Context, tests int) (int, string) {
	switch {
	case errors.Is(context.Cause(ctx), ErrInterrupted):
		return ExitInterrupted, context.Cause(ctx).Error()
	case e.beginErr != nil:
		return verdict.ExitInfrastructure, e.beginErr.Error()
	}
	outcome, err := e.outcome()
	if err != nil {
		return verdict.ExitInfrastructure, err.Error()
	}
	if outcome.ExitCode == verdict.ExitPass && tests != 0 && e.measured.whole() {
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
func (e ending) outcome() (analysis.Outcome, error) {
	facts := analysis.Facts{Profile: e.plan.Profile.Name, Judges: e.plan.Profile.Judge}
	for _, m := range e.measured {
		facts.Comparisons = append(facts.Comparisons, m.judged(e.room))
		if m.err != nil {
			facts.Failures = append(facts.Failures, analysis.Failure{Err: m.err})
		}
	}
	for _, skip := range e.book.missing() {
		facts.Missing = append(facts.Missing, analysis.Missing{Comparison: skip.Comparison, Cell: skip.Cell, Reason: *skip.Why})
	}
	if !facts.Judges {
		return analysis.Conclude(facts), nil
	}
	// Two copies of an arm that differ in one comparison spoil all of them, so the
	// last word is had over the whole run.
	var err error
	if facts.Verdicts, err = verdict.Judge(e.measured.assertions(e.plan.Thresholds), e.bed.Provider(), facts.Comparisons...); err != nil {
		return analysis.Outcome{}, err
	}
	return analysis.Conclude(facts), e.book.verdicts(journal.PhaseFull, facts.Verdicts)
}

// conclude removes the run's pods, lets go of the lab and closes the journal. report
// writes and prints what the journal says.
func (e ending) conclude(ctx context.Context, word string, code int, reason string, report func() error) error {
	if e.room == nil {
		return nil
	}
	diagnostics := e.diagnose(ctx, code, reason)
	ctx, cancel := context.WithTimeout(ctx, cleanUpTimeout)
	defer cancel()
	e.progress.Printf("removing the run's pods")
	cleaned := errors.Join(e.room.cleanUp(ctx), e.bed.Release(ctx))
	if cleaned != nil && code == verdict.ExitPass {
		word, code, reason = outcomeWords[verdict.ExitInfrastructure], verdict.ExitInfrastructure, reason+"; but what the run made could not be removed: "+cleaned.Error()
	}
	err := errors.Join(
		cleaned,
		e.book.append(journal.End{Outcome: word, ExitCode: code, Reason: reason, Duration: e.room.now()}),
		e.book.writer.Close(),
		report(),
	)
	if diagnostics != "" {
		fmt.Println("cniperf:", diagnostics)
	}
	return err
}
