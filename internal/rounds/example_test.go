package rounds_test

import (
	"context"
	"fmt"

	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/rounds"
)

// A loop measures every cell once a round, until enough is known.
func ExampleLoop_Measure() {
	loop := rounds.Loop{
		Comparison: "pod-ip-latency",
		Cells:      []measure.Cell{{Arm: "macvlan"}, {Arm: "calico"}},
		Min:        2, Max: 20,
		Sample: func(_ context.Context, s journal.Sample) (journal.Sample, error) {
			s.Values = measure.Values{{Metric: measure.Latency, Value: float64(len(s.Cell.Arm))}}
			return s, nil
		},
		Interference: func(bool) interference.Finding { return interference.Finding{} },
		Decided:      func(valid []measure.Round) bool { return len(valid) >= 3 },
		Record:       func(any) error { return nil },
		Progress:     func(int, int, measure.Cell) {},
	}
	valid, err := loop.Measure(context.Background())
	fmt.Println(len(valid), "rounds of", len(valid[0].Values), "cells", err)
	// Output: 3 rounds of 2 cells <nil>
}
