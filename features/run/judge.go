package run

import (
	"slices"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/verdict"
)

// judge gives the verdicts on what was measured, by the plan's thresholds.
type judge struct {
	plan     plan.Plan
	provider string
}

// of returns the verdicts on the comparison's own assertions.
func (j judge) of(d plan.Decided, c verdict.Comparison) ([]verdict.Verdict, error) {
	if len(d.Assertions) == 0 {
		return nil, nil
	}
	t := j.plan.Thresholds
	t.Assertions = d.Assertions
	return verdict.Judge(t, j.provider, c)
}

// comparison is what the rounds of a comparison are judged as.
func (j judge) comparison(d plan.Decided, rounds []measure.Round, dropped map[measure.Cell]int) verdict.Comparison {
	return verdict.Comparison{Name: d.Name, Cells: d.Round(), Rounds: rounds, Dropped: dropped, PodSets: j.plan.Profile.PodSets, Ceilings: d.Ceilings}
}

// decided tells whether every assertion about the comparison has its verdict, or
// had its rounds where it only informs. Without any assertion the profile's rounds
// are all there is to do.
func (j judge) decided(d plan.Decided, rounds []measure.Round, dropped map[measure.Cell]int) bool {
	if !j.plan.Profile.Judge {
		return false
	}
	verdicts, err := j.of(d, j.comparison(d, rounds, dropped))
	return err == nil && len(verdicts) > 0 && !slices.ContainsFunc(verdicts, func(v verdict.Verdict) bool {
		if v.Role != verdict.Gate && len(rounds) >= j.plan.Profile.InformRounds {
			return false
		}
		// A batch that fails is complete: what is missing is the second one.
		return !v.Final && !v.NeedsConfirmation
	})
}
