package run

import (
	"context"
	"slices"
	"strings"

	"sigs.k8s.io/e2e-framework/pkg/types"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/verdict"
)

// Features are those of the profile in a phase, those with a gate first. An empty
// list of the first phase comes with the reason.
func (s *Session) Features(ctx context.Context, phase string) ([]types.Feature, string, error) {
	var list []types.Feature
	var why []string
	for _, d := range gatesFirst(s.plan.In(phase)) {
		if phase == journal.PhaseFirst && !s.options.DryRun {
			if err := s.Begin(ctx); err != nil {
				return nil, "", err
			}
			early, reason, err := early(ctx, s.plan, s.bed, d)
			if err != nil {
				return nil, "", err
			}
			if !early {
				why = append(why, d.Name+": "+reason)
				continue
			}
		}
		list = append(list, s.feature(d, phase))
	}
	return list, strings.Join(why, "; "), nil
}

// gatesFirst puts the comparisons that decide the exit code first: where time is
// short, it is theirs.
func gatesFirst(all []plan.Decided) []plan.Decided {
	var gates, others []plan.Decided
	for _, d := range all {
		if slices.ContainsFunc(d.Assertions, func(a verdict.Assertion) bool { return a.Role == verdict.Gate }) {
			gates = append(gates, d)
		} else {
			others = append(others, d)
		}
	}
	return append(gates, others...)
}

// early tells whether a comparison is worth a first verdict of its own: its early
// arms can be measured while images of another cluster have still to be built.
// Where not, it tells why.
func early(ctx context.Context, p plan.Plan, bed *testbed.Testbed, first plan.Decided) (bool, string, error) {
	full, err := p.Of(first.Name, journal.PhaseFull)
	if err != nil {
		return false, "", err
	}
	if len(first.Clusters) != 1 || len(full.Clusters) < 2 {
		return false, "no arms of one cluster are worth a first verdict", nil
	}
	for _, c := range full.Clusters {
		if c == first.Clusters[0] {
			continue
		}
		cached, err := bed.Cached(ctx, c)
		if err != nil {
			return false, "", err
		}
		if !cached {
			return true, "", nil
		}
	}
	return false, "the images of all clusters are there, so the full comparison can start at once", nil
}
