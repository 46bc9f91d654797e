package run

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

// feature makes the e2e feature of one comparison: its pods are ensured, its arms
// are measured in interleaved rounds, then there is one step for each assertion. In
// the phase journal.PhaseFirst it measures the first cluster alone, and its steps
// inform but never fail.
func (s *Session) feature(d plan.Decided, phase string) types.Feature {
	m := &measurement{decided: d, phase: phase}
	f := e2e.NewWithDescription(d.Name, d.Title)
	labels := maps.Clone(d.Labels)
	labels[plan.PhaseLabel] = []string{phase}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		for _, v := range labels[k] {
			f.WithLabel(k, v)
		}
	}
	f.WithSetup("PodsAreReady", func(ctx context.Context, _ *testing.T, _ *envconf.Config) context.Context {
		s.prepare(ctx, m)
		return ctx
	})
	f.AssessWithDescription("MeasuresEveryArmInInterleavedRounds", strings.Join(d.Arms, ", "),
		func(ctx context.Context, t *testing.T, _ *envconf.Config) context.Context {
			s.measure(ctx, m)
			switch {
			case m.err != nil:
				t.Fatal(m.err)
			case m.skipped != nil:
				t.Skip(m.skipped)
			}
			t.Logf("%d valid rounds", len(m.result.Rounds))
			return ctx
		})
	for _, a := range d.Assertions {
		f.AssessWithDescription(CamelCase(a.Name), a.Sentence, m.assess(a.Name, s.plan.Profile, s.options.Gate))
	}
	return f.Feature()
}

// assess is the step of one assertion. Only a gate that failed fails it, unless
// verdicts only inform; what was not decided is skipped with the reason, never passed.
func (m *measurement) assess(assertion string, profile plan.Profile, gate bool) e2e.Func {
	return func(ctx context.Context, t *testing.T, _ *envconf.Config) context.Context {
		switch {
		case !profile.Judge:
			t.Skipf("profile %s is too short to judge by", profile.Name)
		case m.err != nil:
			t.Skipf("not measured: %v", m.err)
		case m.skipped != nil:
			t.Skipf("not measured: %s", m.skipped)
		case !m.done:
			t.Skip("not measured: the step that measures was not selected")
		}
		i := slices.IndexFunc(m.verdicts, func(v verdict.Verdict) bool { return v.Name == assertion })
		if i < 0 {
			t.Skip("not judged: an arm of it was left out")
		}
		switch v := m.verdicts[i]; {
		case v.Outcome == verdict.Pass:
			t.Log(v.Explanation)
		case v.Outcome == verdict.Fail && v.Role == verdict.Gate && m.phase == journal.PhaseFull && gate:
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
