package analysis

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// Judged are a run's comparisons as verdicts take them: of the full phase, with
// the confirming batch, in the order of the plan and then of the journal. A run
// that goes on, one that was resumed and one that is judged again give the same.
func Judged(run *journal.Run, plan record.Plan) []verdict.Comparison {
	var all []verdict.Comparison
	for _, name := range names(run, plan) {
		all = append(all, verdict.Comparison{
			Name: name, Cells: cellsOf(run, plan, name),
			Rounds:     run.ValidRoundsIn(name, journal.PhaseFull),
			Confirming: run.ValidRoundsIn(name, journal.PhaseConfirm),
			Dropped:    run.Drops(name, journal.PhaseFull),
			Ceilings:   plan.Ceilings(name), PodSets: plan.Profile.PodSets,
		})
	}
	return all
}

func names(run *journal.Run, plan record.Plan) []string {
	var list []string
	for _, d := range plan.Comparisons {
		list = append(list, d.Name)
	}
	for _, name := range run.Comparisons() {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// cellsOf are the cells that the plan, or else the journal, has of a comparison's
// full phase. Of the plan it doesn't tell the second copies, which no claim is
// about.
func cellsOf(run *journal.Run, plan record.Plan, name string) []measure.Cell {
	var cells []measure.Cell
	add := func(c measure.Cell) {
		if c.Arm != "" && !slices.Contains(cells, c) {
			cells = append(cells, c)
		}
	}
	for _, c := range planned(plan, name) {
		add(c)
	}
	for _, a := range run.Attempts {
		if a.Comparison == name && a.Phase == journal.PhaseFull {
			for _, c := range a.Cells {
				add(c)
			}
		}
	}
	for _, s := range run.Samples {
		if s.Comparison == name && s.Phase == journal.PhaseFull {
			add(s.Cell)
		}
	}
	return cells
}

func planned(plan record.Plan, name string) []measure.Cell {
	i := slices.IndexFunc(plan.Comparisons, func(d record.Decided) bool { return d.Name == name })
	j := slices.IndexFunc(plan.Catalogue.Comparisons, func(c record.Comparison) bool { return c.Name == name })
	if i < 0 || j < 0 {
		return nil
	}
	c := plan.Catalogue.Comparisons[j]
	var cells []measure.Cell
	for _, name := range plan.Comparisons[i].Arms {
		cell := measure.Cell{Arm: name, Path: c.Path, Placement: c.Placement, Benchmark: c.Benchmark}
		k := slices.IndexFunc(plan.Catalogue.Arms, func(a record.Arm) bool { return a.Name == name })
		if k >= 0 && plan.Catalogue.Arms[k].Path != "" {
			cell.Path = plan.Catalogue.Arms[k].Path
		}
		cells = append(cells, cell)
	}
	return cells
}

// MissingOf are the cells and comparisons that a run recorded as not measured, in
// its full phase or the confirming batch, with their typed reasons. Runs of
// earlier versions have none: their reasons are texts.
func MissingOf(run *journal.Run) []Missing {
	var all []Missing
	for _, s := range run.Skips {
		if s.Why != nil && s.Phase != journal.PhaseFirst {
			all = append(all, Missing{Comparison: s.Comparison, Cell: s.Cell, Reason: *s.Why})
		}
	}
	return all
}

// Records are the journal's records of the verdicts that say something new about
// their assertions: another outcome, reason or evidence than the last record of the
// same comparison and phase. Verdicts that no comparison was measured for have none.
func Records(past []journal.Verdict, phase string, verdicts []verdict.Verdict) ([]journal.Verdict, error) {
	var records []journal.Verdict
	for _, v := range verdicts {
		if v.Outcome == verdict.Skipped {
			continue
		}
		evidence, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("verdict %s: %w", v.Name, err)
		}
		r := journal.Verdict{
			Comparison: v.Comparison, Phase: phase, Assertion: v.Name, Outcome: string(v.Outcome),
			Sentence: v.Explanation, Gate: v.Role == verdict.Gate, Verdict: evidence,
		}
		if said, err := recorded(past, r); err != nil {
			return nil, err
		} else if !said {
			records = append(records, r)
		}
	}
	return records, nil
}

// recorded tells that the last record about an assertion says the same. The
// sentence is made of the rest, and may be worded otherwise in an older one.
func recorded(past []journal.Verdict, r journal.Verdict) (bool, error) {
	for _, was := range slices.Backward(past) {
		if was.Comparison != r.Comparison || was.Phase != r.Phase || was.Assertion != r.Assertion {
			continue
		}
		var texts [2]string
		for i, data := range []json.RawMessage{was.Verdict, r.Verdict} {
			var v verdict.Verdict
			if err := json.Unmarshal(data, &v); err != nil {
				return false, fmt.Errorf("recorded verdict %s of comparison %s: %w", r.Assertion, r.Comparison, err)
			}
			v.Explanation = ""
			text, err := json.Marshal(v)
			if err != nil {
				return false, fmt.Errorf("verdict %s: %w", r.Assertion, err)
			}
			texts[i] = string(text)
		}
		return texts[0] == texts[1], nil
	}
	return false, nil
}

// Verdicts gives the last word on each assertion about a comparison; a verdict of
// the full phase outweighs any of the first.
func Verdicts(run *journal.Run, comparison string) []journal.Verdict {
	var last []journal.Verdict
	at := map[string]int{}
	for _, v := range run.Verdicts {
		if v.Comparison != comparison {
			continue
		}
		i, known := at[v.Assertion]
		switch {
		case !known:
			at[v.Assertion] = len(last)
			last = append(last, v)
		case v.Phase == journal.PhaseFull || last[i].Phase != journal.PhaseFull:
			last[i] = v
		}
	}
	return last
}
