package features

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/verdict"
)

// decided tells whether every assertion about the comparison has its verdict,
// or had its rounds where it only informs.
// Without any assertion the profile's rounds are all there is to do.
func (s *Suite) decided(cmp plan.Decided, rounds []measure.Round, dropped map[measure.Cell]int) bool {
	if !s.Plan.Profile.Judge {
		return false
	}
	verdicts, err := s.judge(verdict.Comparison{Rounds: rounds, Dropped: dropped, PodSets: s.Plan.Profile.PodSets}, cmp)
	return err == nil && len(verdicts) > 0 && !slices.ContainsFunc(verdicts, func(v verdict.Verdict) bool {
		if v.Role != verdict.Gate && len(rounds) >= s.Plan.Profile.InformRounds {
			return false
		}
		// A batch that fails is complete: what is missing is the second one.
		return !v.Final && !v.NeedsConfirmation
	})
}

// judge returns the verdicts about the comparison's own cells.
func (s *Suite) judge(c verdict.Comparison, cmp plan.Decided) ([]verdict.Verdict, error) {
	if len(cmp.Assertions) == 0 {
		return nil, nil
	}
	c.Ceilings = cmp.Ceilings
	t := s.Plan.Thresholds
	t.Assertions = cmp.Assertions
	return verdict.Judge(t, s.Testbed.Provider(), c)
}

func (s *Suite) recordVerdicts(comparison, phase string, verdicts []verdict.Verdict) error {
	for _, v := range verdicts {
		if s.saidBefore(comparison, phase, v) {
			continue
		}
		evidence, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("verdict %s: %w", v.Name, err)
		}
		record := journal.Verdict{
			Comparison: comparison, Phase: phase, Assertion: v.Name, Outcome: string(v.Outcome),
			Sentence: v.Explanation, Gate: v.Role == verdict.Gate, Verdict: evidence,
		}
		if err := s.Journal.Append(record); err != nil {
			return err
		}
		s.past.Verdicts = append(s.past.Verdicts, record)
	}
	return nil
}

// saidBefore tells that the last word about an assertion was the same.
func (s *Suite) saidBefore(comparison, phase string, v verdict.Verdict) bool {
	for _, past := range slices.Backward(s.past.Verdicts) {
		if past.Comparison == comparison && past.Phase == phase && past.Assertion == v.Name {
			return past.Outcome == string(v.Outcome) && past.Sentence == v.Explanation
		}
	}
	return false
}

// Outcome is the exit code of the run and what to say of it. Only the gates of
// the full comparisons count; a profile that does not judge passes when it
// measured everything.
func (s *Suite) Outcome() (int, string, error) {
	var measured []string
	var all []verdict.Comparison
	for _, name := range s.Plan.Profile.Comparisons {
		r, ok := s.results[name+"/"+journal.PhaseFull]
		if !ok || r.skipped != "" {
			continue
		}
		if r.err != nil {
			return verdict.ExitInfrastructure, r.err.Error(), nil
		}
		measured = append(measured, name)
		all = append(all, r.comparison)
	}
	if len(measured) == 0 {
		return verdict.ExitInfrastructure, "no full comparison was measured", nil
	}
	if !s.Plan.Profile.Judge {
		return verdict.ExitPass, fmt.Sprintf("profile %s: %d comparisons measured, none judged", s.Plan.Profile.Name, len(measured)), nil
	}
	// Two copies of an arm that differ in one comparison spoil all of them, so
	// the last word is had over the whole run.
	verdicts, err := verdict.Judge(s.Plan.Thresholds, s.Testbed.Provider(), all...)
	if err != nil {
		return verdict.ExitInfrastructure, "", err
	}
	for _, name := range measured {
		if err := s.revise(name, verdicts); err != nil {
			return verdict.ExitInfrastructure, "", err
		}
	}
	code := analysis.Conclude(analysis.Facts{Judges: true, Comparisons: all, Verdicts: verdicts}).ExitCode
	return code, map[int]string{
		verdict.ExitPass:         "every gate passed",
		verdict.ExitFail:         "a gate failed",
		verdict.ExitInconclusive: "not every gate could be decided",
	}[code], nil
}

// revise records the verdicts about a comparison that the whole run changed.
func (s *Suite) revise(name string, final []verdict.Verdict) error {
	var changed []verdict.Verdict
	for _, was := range s.results[name+"/"+journal.PhaseFull].verdicts {
		i := slices.IndexFunc(final, func(v verdict.Verdict) bool { return v.Name == was.Name })
		if i >= 0 && final[i].Explanation != was.Explanation {
			changed = append(changed, final[i])
		}
	}
	return s.recordVerdicts(name, journal.PhaseFull, changed)
}
