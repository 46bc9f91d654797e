package history

import (
	"fmt"
	"slices"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
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
func Compare(before, after *journal.Run) (*Comparison, error) {
	c := &Comparison{
		Version: Version,
		Old:     RunInfo{before.Header.RunID, before.Header.Started}, New: RunInfo{after.Header.RunID, after.Header.Started},
	}
	was, err := rowsOf(before)
	if err != nil {
		return nil, err
	}
	is, err := rowsOf(after)
	if err != nil {
		return nil, err
	}
	on, err := conditionsOf(before)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", before.Dir, err)
	}
	then, err := conditionsOf(after)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", after.Dir, err)
	}
	c.Elsewhere, c.Subject = on.elsewhere(then), on.changed(then)
	for _, o := range was {
		i := slices.IndexFunc(is, func(n row) bool { return n.Cell == o.Cell })
		if i < 0 {
			c.OnlyOld = append(c.OnlyOld, o.Cell)
			continue
		}
		c.Changes = append(c.Changes, Pair{o.Cell, o.median, is[i].median, o.ratio, is[i].ratio})
	}
	for _, n := range is {
		if !slices.ContainsFunc(was, func(o row) bool { return o.Cell == n.Cell }) {
			c.OnlyNew = append(c.OnlyNew, n.Cell)
		}
	}
	return c, nil
}

type row struct {
	Cell
	median float64
	ratio  *float64
}

// rowsOf are the rows of a run's full tables, in its order.
func rowsOf(run *journal.Run) ([]row, error) {
	var rows []row
	for _, table := range analysis.Of(run) {
		if table.Phase != journal.PhaseFull || table.Metric == nil {
			continue
		}
		for _, r := range table.Arms {
			x := row{Cell: Cell{table.Name, r.Cell, *table.Metric}, median: r.Metrics[0].Median}
			if r.Ratio != nil && r.Cell.Arm != analysis.HostArm {
				x.ratio = &r.Ratio.Median
			}
			rows = append(rows, x)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("run %s has no table with a valid round", run.Dir)
	}
	return rows, nil
}
