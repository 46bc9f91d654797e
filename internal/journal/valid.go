package journal

import (
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// Comparisons lists the comparisons in the order in which the journal first
// names them.
func (r *Run) Comparisons() []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, s := range r.Samples {
		add(s.Comparison)
	}
	for _, rd := range r.Rounds {
		add(rd.Comparison)
	}
	for _, s := range r.Skips {
		add(s.Comparison)
	}
	for _, v := range r.Verdicts {
		add(v.Comparison)
	}
	return names
}

// Phase is the phase that a comparison's results come from: full as soon as
// that has a valid round, or if there is no other; else first.
func (r *Run) Phase(comparison string) string {
	if len(r.ValidRoundsIn(comparison, PhaseFull)) == 0 && len(r.ValidRoundsIn(comparison, PhaseFirst)) > 0 {
		return PhaseFirst
	}
	return PhaseFull
}

// ValidRounds returns a comparison's rounds that count, by index, of the phase
// that Phase names.
func (r *Run) ValidRounds(comparison string) []measure.Round {
	return r.ValidRoundsIn(comparison, r.Phase(comparison))
}

// ValidRoundsIn is ValidRounds of one phase. A round counts when the last word
// about it is valid and its latest attempt has a valid sample of every cell
// that the phase measures and doesn't skip. What a round measured of a cell before
// that one was skipped stays in it.
func (r *Run) ValidRoundsIn(comparison, phase string) []measure.Round {
	wanted, attempts := r.wanted(comparison, phase)
	values := map[int]map[measure.Cell]measure.Values{}
	for _, s := range r.Samples {
		if s.Comparison != comparison || s.Phase != phase || s.Attempt != attempts[s.Round] {
			continue
		}
		if values[s.Round] == nil {
			values[s.Round] = map[measure.Cell]measure.Values{}
		}
		// A round begun again after a crash may repeat a cell: the last counts.
		delete(values[s.Round], s.Cell)
		if s.Invalid == "" {
			values[s.Round][s.Cell] = s.Values
		}
	}
	valid, kept := map[int]bool{}, map[int]bool{}
	for _, rd := range r.Rounds {
		if rd.Comparison == comparison && rd.Phase == phase {
			valid[rd.Round], kept[rd.Round] = rd.Valid, rd.Kept
		}
	}
	var rounds []measure.Round
	for index, ok := range valid {
		if ok && len(wanted) > 0 && holds(values[index], wanted) {
			rounds = append(rounds, measure.Round{Index: index, Values: values[index], Disturbed: kept[index]})
		}
	}
	slices.SortFunc(rounds, func(a, b measure.Round) int { return a.Index - b.Index })
	return rounds
}

// wanted are the cells that each round of the phase needs, and the latest attempt
// at each round.
func (r *Run) wanted(comparison, phase string) (map[measure.Cell]bool, map[int]int) {
	cells, attempts := map[measure.Cell]bool{}, map[int]int{}
	for _, s := range r.Samples {
		if s.Comparison == comparison && s.Phase == phase {
			cells[s.Cell] = true
			attempts[s.Round] = max(attempts[s.Round], s.Attempt)
		}
	}
	for _, s := range r.Skips {
		if s.Comparison == comparison && (s.Phase == "" || s.Phase == phase) {
			delete(cells, s.Cell)
		}
	}
	return cells, attempts
}

func holds(values map[measure.Cell]measure.Values, cells map[measure.Cell]bool) bool {
	for cell := range cells {
		if _, ok := values[cell]; !ok {
			return false
		}
	}
	return true
}
