package htmlreport

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/verdict"
)

// judged are the last words on all claims: those recorded; of a run that goes on, what
// its rounds so far come to; and from the plan those that nothing was measured for.
func (r *Report) judged() []verdict.Verdict {
	var all []verdict.Verdict
	for _, name := range r.run.Comparisons() {
		for _, v := range analysis.Verdicts(r.run, name) {
			all = append(all, r.recorded(v))
		}
	}
	if !r.plan.Profile.Judge {
		return all
	}
	fresh, err := verdict.Judge(r.plan.Thresholds, r.run.Header.Fingerprint["provider"], analysis.Judged(r.run, r.plan)...)
	if err != nil {
		r.warn("The claims can't be judged again: %v", err)
		return all
	}
	for _, v := range fresh {
		i := slices.IndexFunc(all, func(o verdict.Verdict) bool { return o.Name == v.Name })
		switch {
		case i < 0 && (v.Outcome == verdict.Skipped || r.run.End == nil):
			all = append(all, v)
		case i >= 0 && r.run.End == nil && v.Outcome != verdict.Skipped:
			all[i] = v
		}
	}
	return all
}

// recorded is a verdict with its evidence, or without where that can't be read.
func (r *Report) recorded(v journal.Verdict) verdict.Verdict {
	var whole verdict.Verdict
	if len(v.Verdict) > 0 {
		if err := json.Unmarshal(v.Verdict, &whole); err != nil {
			r.warn("The evidence of verdict %s can't be read: %v", v.Assertion, err)
			whole = verdict.Verdict{}
		}
	}
	whole.Name, whole.Outcome = v.Assertion, verdict.Outcome(v.Outcome)
	whole.Comparison = v.Comparison
	whole.Explanation = cmp.Or(whole.Explanation, v.Sentence)
	whole.Role = verdict.Inform
	if v.Gate {
		whole.Role = verdict.Gate
	}
	return whole
}

// claimView is one assertion with its verdict.
type claimView struct {
	Name, Sentence, Why, Source string
	Outcome                     outcomeView
	Gate                        bool
	Details                     [][2]string
}

func (r *Report) claim(v verdict.Verdict) claimView {
	c := claimView{
		Name: v.Name, Sentence: v.Sentence, Why: v.Explanation, Source: v.Source, Outcome: outcomeOf(v.Outcome), Gate: v.Role == verdict.Gate,
	}
	say := r.texts.Say
	if p := v.Published; p != nil {
		c.detail(say("published"), say("%g against %g %s", p.Faster, p.Slower, p.Unit))
	}
	for _, batch := range []struct {
		title string
		of    *verdict.Evidence
	}{{say("evidence"), v.Evidence}, {say("second batch, on fresh pods"), v.Confirmation}} {
		e := batch.of
		if e == nil {
			continue
		}
		c.detail(batch.title, say("%d of %d rounds for it, %d ties; evidence %.3g for, %.3g against, %.3g decides", e.Wins, e.N, e.Ties, e.EPass, e.EFail, e.Bound))
		c.detail(say("chance"), say("p %.3g, as one of its family %.3g, at most %g; at most %d rounds", e.P, e.PHolm, e.Alpha, e.MaxRounds))
		if e.Margin > 0 {
			c.detail(say("margin"), percent(e.Margin))
		}
		if e.NoiseFloor != nil {
			c.detail(say("noise of this run"), percent(*e.NoiseFloor))
		}
		if e.Detectable != nil {
			c.detail(say("effect that would have been seen"), percent(*e.Detectable))
		}
		if e.DroppedA+e.DroppedB > 0 {
			c.detail(say("rounds spoiled"), say("%d by %s, %d by %s", e.DroppedA, v.A.Arm, e.DroppedB, v.B.Arm))
		}
	}
	return c
}

func (c *claimView) detail(name, value string) { c.Details = append(c.Details, [2]string{name, value}) }

func formatSeed(seed uint64) string { return strconv.FormatUint(seed, 10) }
