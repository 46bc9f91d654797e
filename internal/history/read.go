package history

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// Run is what is kept of a recorded run to compare it with others: a few kilobytes
// of a journal of any size.
type Run struct {
	RunInfo
	Dir     string
	Profile string
	end     *journal.End
	on      conditions
	tables  []table
}

// table is a comparison of the full phase with a valid round.
type table struct {
	name, benchmark string
	metric          measure.Metric
	rounds          int
	rows            []row
}

// row is an arm of a table: its median, and that of its ratio to the host arm where
// the table has one.
type row struct {
	cell   measure.Cell
	rounds int
	median float64
	ratio  *float64
	// low and high are the extremes of the ratio over the rounds.
	low, high float64
}

// Of keeps what is needed of a run.
func Of(run *journal.Run) (*Run, error) {
	on, err := conditionsOf(run)
	if err != nil {
		return nil, err
	}
	kept := &Run{
		RunInfo: RunInfo{run.Header.RunID, run.Header.Started}, Dir: run.Dir, Profile: run.Header.Profile,
		end: run.End, on: on,
	}
	for _, c := range analysis.Of(run) {
		if c.Phase != journal.PhaseFull || c.Metric == nil {
			continue
		}
		t := table{name: c.Name, benchmark: c.Benchmark, metric: *c.Metric, rounds: len(c.Valid)}
		for _, arm := range c.Arms {
			r := row{cell: arm.Cell, rounds: len(arm.Metrics[0].Values), median: arm.Metrics[0].Median}
			if arm.Ratio != nil && arm.Cell.Arm != analysis.HostArm {
				r.ratio, r.low, r.high = &arm.Ratio.Median, arm.Ratio.Min, arm.Ratio.Max
			}
			t.rows = append(t.rows, r)
		}
		kept.tables = append(kept.tables, t)
	}
	return kept, nil
}

// Read reads the run in dir, of which it holds no more than one at a time needs.
func Read(dir string) (*Run, error) {
	run, err := journal.ReadValues(dir, "fingerprint", "sample", "round", "skip", "end")
	if err != nil {
		return nil, err
	}
	kept, err := Of(run)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", dir, err)
	}
	return kept, nil
}

// ReadAll reads the runs in the folders, a few at a time, in their order. Those
// that can't be read are left out and named.
func ReadAll(dirs []string) ([]*Run, []LeftOut) {
	runs, errs := make([]*Run, len(dirs)), make([]error, len(dirs))
	var readers sync.WaitGroup
	next := make(chan int)
	for range min(len(dirs), runtime.GOMAXPROCS(0)) {
		readers.Go(func() {
			for i := range next {
				runs[i], errs[i] = Read(dirs[i])
			}
		})
	}
	for i := range dirs {
		next <- i
	}
	close(next)
	readers.Wait()
	var left []LeftOut
	for i, err := range errs {
		if err != nil {
			left = append(left, LeftOut{dirs[i], []string{err.Error()}})
		}
	}
	return slices.DeleteFunc(runs, func(r *Run) bool { return r == nil }), left
}
