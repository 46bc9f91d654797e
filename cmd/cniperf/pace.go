package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/machine/speed"
	"github.com/cniperf/cniperf/manifests"
)

// machinePace is how fast this machine is and what follows for a run.
type machinePace struct {
	speed     speed.Speed
	reference speed.Speed
	estimates []speed.Estimate
}

func measurePace(ctx context.Context) (machinePace, error) {
	r, err := speed.LoadReference(manifests.Suite, speed.ReferenceFile)
	if err != nil {
		return machinePace{}, err
	}
	s, err := speed.Calibrate(ctx)
	if err != nil {
		return machinePace{}, err
	}
	return machinePace{speed: s, reference: r.Speed, estimates: r.Estimates(s)}, nil
}

// finding is the row of the doctor's table. A slow machine is a warning: it can run the
// lab, and some gates may stay undecided.
func (p machinePace) finding() machine.Finding {
	s := p.speed
	f := machine.Finding{
		Name: "speed", Status: machine.OK,
		Found: fmt.Sprintf("%.2f of the reference machine now (%s): %.0f sorts/s on one core, %.0f on all %d, "+
			"%.0f process starts/s, steal %.0f %%",
			1/s.Pace(p.reference), s.Class(p.reference), s.OneCore, s.AllCores, s.Cores, s.ProcessStarts, 100*s.Steal),
		Why: "decides how long a run takes and which profile fits",
	}
	if best := largestFit(p.estimates); best != "" {
		f.Found += "; the largest profile that fits is " + best
	} else {
		f.Status = machine.Warn
		f.Fix = "stop what else runs here, or take a faster machine"
		f.Found += "; no profile fits: the gates may stay undecided"
	}
	return f
}

// largestFit is the name of the last profile that fits, "" when none does.
func largestFit(estimates []speed.Estimate) string {
	name := ""
	for _, e := range estimates {
		if e.Fits {
			name = e.Profile
		}
	}
	return name
}

// writeEstimates prints how long each profile will take here.
func writeEstimates(w io.Writer, estimates []speed.Estimate) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nPROFILE\tCOLD\tWARM\tFITS THIS MACHINE")
	for _, e := range estimates {
		fits := "yes"
		if !e.Fits {
			fits = "no: its gates may stay undecided"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", e.Profile, minutes(e.Cold), minutes(e.Warm), fits)
	}
	fmt.Fprintln(t, "cold: from nothing, images built here; warm: the clusters are up")
	return t.Flush()
}

// minutes is a duration as an estimate deserves it.
func minutes(d time.Duration) string {
	switch {
	case d < 10*time.Minute:
		return fmt.Sprintf("about %d min", max(1, int(d.Round(time.Minute).Minutes())))
	case d < 2*time.Hour:
		return fmt.Sprintf("about %d min", int(d.Round(5*time.Minute).Minutes()))
	}
	return fmt.Sprintf("about %.1f h", d.Hours())
}
