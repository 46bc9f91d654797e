package run

import (
	"context"
	"fmt"
	"time"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/internal/rounds"
)

// labUp is how long a cluster takes from its images to its proof on the reference
// machine; it only feeds estimates.
const labUp = 2 * time.Minute

// expected estimates the run at this machine's pace: images and clusters that are
// missing, and all the rounds that the profile allows, whose length is the clock's.
func (s *Session) expected(ctx context.Context) (time.Duration, error) {
	var total, measuring time.Duration
	seen, up := map[string]bool{}, map[string]bool{}
	clusters, err := s.bed.Lab.Status(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	for _, c := range clusters {
		up[c.Cluster] = c.State == lab.Running
	}
	for _, cmp := range s.plan.Selected() {
		for _, c := range cmp.Clusters {
			if seen[c] {
				continue
			}
			seen[c] = true
			_, build, err := s.bed.Missing(ctx, c)
			if err != nil {
				return 0, err
			}
			total += build
			if !up[c] {
				total += labUp
			}
		}
		sample := s.plan.Profile.Length(cmp.Bench) + rounds.SampleOverhead
		measuring += time.Duration(cmp.MaxRounds*len(cmp.Cells)) * sample
	}
	budget := time.Duration(s.plan.Profile.BudgetMinutes) * time.Minute
	total = time.Duration(float64(total) * s.progress.Pace())
	return total + min(measuring, budget), nil
}

// fits compares what the run needs with what go test allows.
func (s *Session) fits(ctx context.Context) error {
	need, err := s.expected(ctx)
	if err != nil {
		return err
	}
	s.progress.Printf("profile %s: at most about %s; a run that finds images and clusters in place is shorter", s.plan.Profile.Name, progress.Round(need))
	left := time.Until(s.started.Add(s.options.Timeout)) - cleanUpMargin
	if s.options.Timeout == 0 || need <= left {
		return nil
	}
	minutes := int((need+cleanUpMargin).Minutes()*1.25) + 1
	return fmt.Errorf("%w: this run may take %s and go test ends it after %s: pass -timeout %dm",
		ErrInfrastructure, progress.Round(need), s.options.Timeout, minutes)
}
