package run

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
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
func (p *sampler) values(out workload.Output, run tool.Run) (measure.Values, error) {
	name := p.benchmark.Tool
	switch tr := out.Trailer; {
	case tr.TimedOut:
		return nil, fmt.Errorf("%s was still running after %s and was ended", name, p.length+toolGrace)
	case tr.Flooded:
		return nil, fmt.Errorf("%s printed too much and was ended after %d bytes", name, tr.Bytes)
	case tr.Signal != "":
		return nil, fmt.Errorf("%s was ended by %s", name, tr.Signal)
	case tr.Exit != 0:
		return nil, fmt.Errorf("%s exited with %d: %s", name, tr.Exit, lastLine(out.Text))
	case len(tr.CPUs) != 1:
		return nil, fmt.Errorf("%s ran on CPUs %v: it was not pinned", name, tr.CPUs)
	}
	result, err := run.Parse(out.Text)
	if err != nil {
		return nil, err
	}
	spent, err := run.Unit.CPU(result.Values, out.Trailer)
	if err != nil {
		return nil, err
	}
	return append(result.Values, spent...), nil
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return "no output"
}
