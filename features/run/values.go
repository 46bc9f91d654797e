package run

import (
	"errors"
	"fmt"

	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/trailer"
)

// proven returns a tool's values, if everything about them is as it must be. What
// the proofs of their path found is told beside whatever else is wrong.
func proven(values measure.Values, err error, checks []journal.Check) (measure.Values, error) {
	failed := []error{err}
	for _, c := range checks {
		if !c.OK {
			failed = append(failed, fmt.Errorf("proof of path failed: %s, found %s", c.Claim, c.Found))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return values, nil
}

// values are what the tool measured, if it ended as it must.
func (p *sampler) values(out workload.Output, r command) (measure.Values, error) {
	tool := p.benchmark.Tool
	switch tr := out.Trailer; {
	case tr.TimedOut:
		return nil, fmt.Errorf("%s was still running after %s and was ended", tool, p.length+toolGrace)
	case tr.Flooded:
		return nil, fmt.Errorf("%s printed too much and was ended after %d bytes", tool, tr.Bytes)
	case tr.Signal != "":
		return nil, fmt.Errorf("%s was ended by %s", tool, tr.Signal)
	case tr.Exit != 0:
		return nil, fmt.Errorf("%s exited with %d: %s", tool, tr.Exit, lastLine(out.Text))
	case len(tr.CPUs) != 1:
		return nil, fmt.Errorf("%s ran on CPUs %v: it was not pinned", tool, tr.CPUs)
	}
	result, err := r.parse(out.Text)
	if err != nil {
		return nil, err
	}
	return append(result.Values, p.cpu(result.Values, out.Trailer)...), nil
}

// cpu is the processor time of the client's node per transaction or byte,
// softirq included, over the whole sample. On the embedded lab that node's
// accounting is the machine's, so both ends and everything else that runs are in
// it. sockperf idles for most of its run, and netperf for four seconds after each
// test of connections, so those have none.
func (p *sampler) cpu(values measure.Values, t trailer.Trailer) measure.Values {
	if p.benchmark.Connect {
		return nil
	}
	busy := t.NodeCPU().Seconds() / t.Elapsed.Seconds()
	for _, m := range []struct {
		rate string
		per  measure.Metric
		unit float64 // of the rate, in the metric's divisor
	}{
		{measure.Transactions.Name, measure.CPUPerTransaction, 1},
		{measure.Requests.Name, measure.CPUPerTransaction, 1},
		{measure.Throughput.Name, measure.CPUPerByte, 1. / 8},
	} {
		if rate, ok := values.Get(m.rate); ok && rate.Value > 0 && busy > 0 {
			tool := measure.Value{Metric: measure.ToolCPU, Value: 100 * t.ToolCPU.Seconds() / t.Elapsed.Seconds()}
			return measure.Values{{Metric: m.per, Value: busy / (rate.Value * m.unit) * 1e9}, tool}
		}
	}
	return nil
}

func lastLine(text []byte) string {
	lines := splitLines(text)
	if len(lines) == 0 {
		return "no output"
	}
	return lines[len(lines)-1]
}
