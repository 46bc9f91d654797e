package analysis

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"

	"github.com/cniperf/cniperf/internal/measure"
)

// Arm is what the valid rounds show of one cell.
type Arm struct {
	Cell measure.Cell `json:"cell"`
	// Metrics are all that was measured, the table's metric first.
	Metrics []Summary `json:"metrics"`
	// Ratio is to the host arm: the median over the rounds of this arm's value
	// divided by the host's in the same round.
	Ratio *Ratio `json:"ratio_to_host,omitempty"`
}

// Summary describes one metric's values, one per valid round.
type Summary struct {
	measure.Metric
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	// Spread is the interquartile range divided by the median; absent for a
	// single value.
	Spread *float64  `json:"spread,omitempty"`
	Values []float64 `json:"values"`
}

// Ratio is the median of per-round ratios and their extremes.
type Ratio struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// Control is the second copy of an arm: Ratio is of its value to the arm's own
// in the same round, so how far it is from 1 is what chance does.
type Control struct {
	Arm   Arm
	Ratio Ratio
}

// Cells lists the cells that any of the rounds has, by name.
func Cells(rounds []measure.Round) []measure.Cell {
	all := map[measure.Cell]bool{}
	for _, r := range rounds {
		for cell := range r.Values {
			all[cell] = true
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b measure.Cell) int { return cmp.Compare(a.String(), b.String()) })
}

func hostOf(rounds []measure.Round) (measure.Cell, bool) {
	for _, cell := range Cells(rounds) {
		if cell.Arm == HostArm && !cell.Control {
			return cell, true
		}
	}
	return measure.Cell{}, false
}

// headline is the metric of the table: the one that the page publishes for the
// tool, else the first that every sample has. netperf and redis-benchmark
// measure latency beside their rate.
func headline(rounds []measure.Round) *measure.Metric {
	inAll := func(m measure.Metric) bool {
		for _, r := range rounds {
			for _, vs := range r.Values {
				if v, ok := vs.Get(m.Name); !ok || v.Metric != m {
					return false
				}
			}
		}
		return true
	}
	candidates := []measure.Metric{measure.Throughput, measure.Transactions, measure.Requests, measure.Latency}
	for _, v := range rounds[0].Values[Cells(rounds[:1])[0]] {
		candidates = append(candidates, v.Metric)
	}
	if i := slices.IndexFunc(candidates, inAll); i >= 0 {
		return &candidates[i]
	}
	return nil
}

// ratio is of the metric's values, not of its cost, over the rounds that have both
// cells. Without any it is nil.
func (c *Comparison) ratio(a, b measure.Cell) *Ratio {
	var both []measure.Round
	for _, r := range c.Valid {
		_, inA := r.Values[a]
		_, inB := r.Values[b]
		if inA && inB {
			both = append(both, r)
		}
	}
	if len(both) == 0 {
		return nil
	}
	ds, err := measure.LogRatios(both, a, b, c.Metric.Name)
	if err != nil {
		c.Warnings = append(c.Warnings, Warning{Code: NoRatio, Comparison: c.Name, A: a, B: b, Err: err})
		return nil
	}
	if c.Metric.Better == measure.HigherIsBetter {
		for i := range ds {
			ds[i] = -ds[i]
		}
	}
	return &Ratio{math.Exp(measure.Median(ds)), math.Exp(slices.Min(ds)), math.Exp(slices.Max(ds))}
}

// summaries describes every metric that a cell has, the table's first and the
// others as the parser orders them.
func summaries(rounds []measure.Round, cell measure.Cell, first measure.Metric) []Summary {
	list := []Summary{{Metric: first}}
	for _, r := range rounds {
		for _, v := range r.Values[cell] {
			i := slices.IndexFunc(list, func(s Summary) bool { return s.Metric == v.Metric })
			if i < 0 {
				i = len(list)
				list = append(list, Summary{Metric: v.Metric})
			}
			list[i].Values = append(list[i].Values, v.Value)
		}
	}
	for i := range list {
		s := &list[i]
		s.Median, s.Min, s.Max = measure.Median(s.Values), slices.Min(s.Values), slices.Max(s.Values)
		if len(s.Values) > 1 && s.Median > 0 {
			spread := stats.Sample{Xs: s.Values}.IQR() / s.Median
			s.Spread = &spread
		}
	}
	return list
}
