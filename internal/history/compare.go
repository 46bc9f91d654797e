package history

import (
	"fmt"
	"slices"
)

// Comparison is two runs side by side. It has no verdict: two runs differ by more
// than the rounds within either can tell.
type Comparison struct {
	Version   int      `json:"version"`
	Old       RunInfo  `json:"old"`
	New       RunInfo  `json:"new"`
	Changes   []Pair   `json:"changes"`
	OnlyOld   []Cell   `json:"only_old,omitempty"` // measured in one of them alone
	OnlyNew   []Cell   `json:"only_new,omitempty"`
	Elsewhere []string `json:"elsewhere,omitempty"` // by what their environments differ
	Subject   []string `json:"subject,omitempty"`   // what changed of the CNIs
}

// Pair is a row of both runs: the medians over the rounds, and those of the
// ratios to the host arm where the table has one.
type Pair struct {
	Cell
	Old      float64  `json:"old"`
	New      float64  `json:"new"`
	OldRatio *float64 `json:"old_ratio_to_host,omitempty"`
	NewRatio *float64 `json:"new_ratio_to_host,omitempty"`
}

// Compare puts two runs side by side. A run without any whole table is an error.
func Compare(before, after *Run) (*Comparison, error) {
	c := &Comparison{Version: Version, Old: before.RunInfo, New: after.RunInfo}
	was, err := before.lines()
	if err != nil {
		return nil, err
	}
	is, err := after.lines()
	if err != nil {
		return nil, err
	}
	c.Elsewhere, c.Subject = before.on.elsewhere(after.on), before.on.changed(after.on)
	for _, o := range was {
		i := slices.IndexFunc(is, func(n line) bool { return n.Cell == o.Cell })
		if i < 0 {
			c.OnlyOld = append(c.OnlyOld, o.Cell)
			continue
		}
		c.Changes = append(c.Changes, Pair{o.Cell, o.median, is[i].median, o.ratio, is[i].ratio})
	}
	for _, n := range is {
		if !slices.ContainsFunc(was, func(o line) bool { return o.Cell == n.Cell }) {
			c.OnlyNew = append(c.OnlyNew, n.Cell)
		}
	}
	return c, nil
}

// line is a row with the table that it is in.
type line struct {
	Cell
	row
}

// lines are the rows of a run's tables, in its order.
func (r *Run) lines() ([]line, error) {
	var lines []line
	for _, t := range r.tables {
		for _, row := range t.rows {
			lines = append(lines, line{Cell{t.name, row.cell, t.metric}, row})
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("run %s has no table with a valid round", r.Dir)
	}
	return lines, nil
}
