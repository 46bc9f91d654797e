package run

import (
	"context"
	"fmt"

	"github.com/cniperf/cniperf/fixtures/machine/speed"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/manifests"
)

// calibrate measures how fast this machine is, for what waits and what is expected,
// and returns it for the journal.
func calibrate(ctx context.Context, shown *progress.Reporter) (*journal.Speed, error) {
	reference, err := speed.LoadReference(manifests.Suite, speed.ReferenceFile)
	if err != nil {
		return nil, err
	}
	now, err := speed.Calibrate(ctx)
	if err != nil {
		return nil, err
	}
	pace := now.Pace(reference.Speed)
	shown.SeedPace(pace)
	shown.Printf("this machine: %s; work takes %.1f times as long as on the reference machine", now.Class(reference.Speed), pace)
	return &journal.Speed{
		Class: now.Class(reference.Speed), Pace: pace, OneCore: now.OneCore, AllCores: now.AllCores,
		ProcessStarts: now.ProcessStarts, Steal: now.Steal,
	}, nil
}

// noteIdle records how busy the machine is while the clusters stand that are up by
// now, and nothing is measured.
func (s *standing) noteIdle(ctx context.Context, c *testbed.Cluster) error {
	if !s.lab.NeedsEngine() {
		return nil
	}
	load, err := speed.IdleLoad(ctx, speed.IdleWindow)
	if err != nil {
		return err
	}
	return s.book.append(journal.Fact{
		Cluster: c.Name, Subject: "machine", Claim: "how busy it is once this cluster is up and nothing is measured",
		Found: fmt.Sprintf("%.0f %% of all CPUs, %.0f %% stolen", 100*load.Busy, 100*load.Steal),
	})
}
