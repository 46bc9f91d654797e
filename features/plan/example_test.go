package plan_test

import (
	"fmt"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// Every arm has one pair of pods for each set, so that one slow pod is in half of
// the rounds only.
func ExamplePairs() {
	cell := measure.Cell{Placement: measure.CrossNode, Control: true}
	for _, p := range plan.Pairs(plan.Arm{Datapath: "macvlan"}, cell, journal.PhaseFull, 2) {
		fmt.Println(p.Name)
	}
	// Output:
	// macvlan-control
	// macvlan-control-set2
}
