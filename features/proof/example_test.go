package proof_test

import (
	"fmt"
	"slices"

	"github.com/cniperf/cniperf/features/proof"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// A sample of which nothing was observed is not proven.
func ExampleChecks() {
	arm := proof.Arm{Interface: proof.PodInterface}
	sample := proof.Sample{Path: measure.PodIP, Argv: []string{"sockperf"}, Server: "198.18.0.65", Port: 12345}
	checks := proof.Checks(arm, sample, proof.Observed{})
	fmt.Println(slices.ContainsFunc(checks, func(c journal.Check) bool { return !c.OK }))
	// Output: true
}
