package features

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/e2e-framework/pkg/envconf"
	e2e "sigs.k8s.io/e2e-framework/pkg/features"
	"sigs.k8s.io/e2e-framework/pkg/types"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/verdict"
)

// Feature makes the e2e feature of one comparison: it measures all arms in
// interleaved rounds, then has one step for each assertion. In the phase
// journal.PhaseFirst it measures the first cluster alone, and its steps inform
// but never fail.
func (s *Suite) Feature(name, phase string) (types.Feature, error) {
	cmp, err := s.Plan.Of(name, phase)
	if err != nil {
		return nil, err
	}
	f := e2e.NewWithDescription(cmp.Name, cmp.Title)
	labels := maps.Clone(cmp.Labels)
	labels[plan.PhaseLabel] = []string{phase}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		for _, v := range labels[k] {
			f.WithLabel(k, v)
		}
	}
	f.AssessWithDescription("MeasuresEveryArmInInterleavedRounds", strings.Join(cmp.Arms, ", "),
		func(ctx context.Context, t *testing.T, _ *envconf.Config) context.Context {
			r, err := s.measured(ctx, name, phase)
			if err != nil {
				t.Fatal(err)
			}
			if r.skipped != "" {
				t.Skip(r.skipped)
			}
			t.Logf("%d valid rounds of %d cells", len(r.comparison.Rounds), len(cmp.Arms)+1)
			return ctx
		})
	for _, a := range cmp.Assertions {
		f.AssessWithDescription(CamelCase(a.Name), a.Sentence, s.assess(name, phase, a.Name))
	}
	return f.Feature(), nil
}

// assess is the step of one assertion. Only a gate that failed fails it, unless
// verdicts only inform; what was not decided is skipped with the reason, never passed.
func (s *Suite) assess(name, phase, assertion string) e2e.Func {
	return func(ctx context.Context, t *testing.T, _ *envconf.Config) context.Context {
		if !s.Plan.Profile.Judge {
			t.Skipf("profile %s is too short to judge by", s.Plan.Profile.Name)
		}
		r, err := s.measured(ctx, name, phase)
		if err != nil {
			t.Fatal(err)
		}
		if r.skipped != "" {
			t.Skip(r.skipped)
		}
		i := slices.IndexFunc(r.verdicts, func(v verdict.Verdict) bool { return v.Name == assertion })
		if i < 0 {
			t.Fatalf("assertion %s has no verdict", assertion)
		}
		switch v := r.verdicts[i]; {
		case v.Outcome == verdict.Pass:
			t.Log(v.Explanation)
		case v.Outcome == verdict.Fail && v.Role == verdict.Gate && phase == journal.PhaseFull && s.options.Gate:
			t.Error(v.Explanation)
		default:
			t.Skipf("%s: %s", v.Outcome, v.Explanation)
		}
		return ctx
	}
}

// CamelCase turns an assertion's name into a step's: macvlan-faster-than-calico
// becomes MacvlanFasterThanCalico.
func CamelCase(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		if part != "" {
			fmt.Fprint(&b, strings.ToUpper(part[:1]), part[1:])
		}
	}
	return b.String()
}
