//go:build perf

package e2e

import (
	"testing"

	"github.com/cniperf/cniperf/internal/journal"
)

// TestFirstVerdict compares what the first cluster has while the other's images
// have still to be built, so that a cold start shows a verdict early.
func TestFirstVerdict(t *testing.T) { compare(t, journal.PhaseFirst) }

// TestPublishedMatrix compares every arm of every comparison of the profile.
func TestPublishedMatrix(t *testing.T) { compare(t, journal.PhaseFull) }

func compare(t *testing.T, phase string) {
	list, why, err := suite.Features(t.Context(), phase)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Skip(why)
	}
	for _, f := range list {
		testenv.Test(t, f)
	}
}
