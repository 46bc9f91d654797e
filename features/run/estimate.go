package run

import (
	"context"
	"fmt"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/internal/rounds"
)

// labUp is how long a cluster takes from its images to its proof on the reference
// machine; it only feeds estimates.
const labUp = 2 * time.Minute

// estimate says how long a run may take.
type estimate struct {
	plan     plan.Plan
	bed      *testbed.Testbed
	progress *progress.Reporter
}

// expected estimates the run at this machine's pace: images and clusters that are
// missing, and all the rounds that the profile allows, whose length is the clock's.
func (e estimate) expected(ctx context.Context) (time.Duration, error) {
	var total, measuring time.Duration
	seen, up := map[string]bool{}, map[string]bool{}
	clusters, err := e.bed.Lab.Status(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	for _, c := range clusters {
		up[c.Cluster] = c.State == lab.Running
	}
	for _, cmp := range e.plan.Selected() {
		for _, c := range cmp.Clusters {
			if seen[c] {
				continue
			}
			seen[c] = true
			_, build, err := e.bed.Missing(ctx, c)
			if err != nil {
				return 0, err
			}
			total += build
			if !up[c] {
				total += labUp
			}
		}
		sample := e.plan.Profile.Length(cmp.Bench) + rounds.SampleOverhead
		measuring += time.Duration(cmp.MaxRounds*len(cmp.Cells)) * sample
	}
	budget := time.Duration(e.plan.Profile.BudgetMinutes) * time.Minute
	total = time.Duration(float64(total) * e.progress.Pace())
	return total + min(measuring, budget), nil
}

// fits compares what a run needs that began then with what go test allows; 0 is no limit.
func (e estimate) fits(ctx context.Context, began time.Time, allowed time.Duration) error {
	need, err := e.expected(ctx)
	if err != nil {
		return err
	}
	e.progress.Printf("profile %s: at most about %s; a run that finds images and clusters in place is shorter", e.plan.Profile.Name, progress.Round(need))
	left := time.Until(began.Add(allowed)) - cleanUpMargin
	if allowed == 0 || need <= left {
		return nil
	}
	minutes := int((need+cleanUpMargin).Minutes()*1.25) + 1
	return fmt.Errorf("%w: this run may take %s and go test ends it after %s: pass -timeout %dm",
		ErrInfrastructure, progress.Round(need), allowed, minutes)
}
