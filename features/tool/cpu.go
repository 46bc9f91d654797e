package tool

import (
	"fmt"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/trailer"
)

// Unit is what a tool's rate counts.
type Unit struct {
	Rate measure.Metric // per second
	Per  measure.Metric // the processor time for one of it, in nanoseconds
	// Size is how much of it one of Rate's unit is.
	Size float64
}

// The units.
var (
	PerTransaction = Unit{measure.Transactions, measure.CPUPerTransaction, 1}
	PerRequest     = Unit{measure.Requests, measure.CPUPerTransaction, 1}
	PerByte        = Unit{measure.Throughput, measure.CPUPerByte, 1. / 8}
)

// CPU is the processor time of the client's node per unit, softirq included, over
// the whole sample, and the tool's own as a share of its length. On the embedded
// lab that node's accounting is the machine's, so both ends and everything else
// that runs are in it. A counter of that time that went back is an error.
func (u Unit) CPU(values measure.Values, t trailer.Trailer) (measure.Values, error) {
	rate, ok := values.Get(u.Rate.Name)
	if !ok || rate.Value <= 0 {
		return nil, nil
	}
	spent, err := t.NodeCPU()
	if err != nil {
		return nil, fmt.Errorf("processor time of the client's node: %w", err)
	}
	if spent == 0 || t.Elapsed <= 0 {
		return nil, nil
	}
	busy := spent.Seconds() / t.Elapsed.Seconds()
	return measure.Values{
		{Metric: u.Per, Value: busy / (rate.Value * u.Size) * 1e9},
		{Metric: measure.ToolCPU, Value: 100 * t.ToolCPU.Seconds() / t.Elapsed.Seconds()},
	}, nil
}
