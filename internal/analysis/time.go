package analysis

import (
	"time"

	"github.com/cniperf/cniperf/internal/journal"
)

// Time is what became of the time from the first sample to the end of the
// last: for how long a benchmark tool ran, and the share of it. The rest starts
// pods and tools, asks for proofs, judges, and confirms.
type Time struct {
	Duration time.Duration `json:"duration_ns"`
	Tools    time.Duration `json:"tools_ns"`
	Share    float64       `json:"share"`
}

// TimeOf adds up the samples of a run.
func TimeOf(samples []journal.Sample) Time {
	var t Time
	if len(samples) == 0 {
		return t
	}
	first, last := samples[0].StartedAt, time.Duration(0)
	for _, s := range samples {
		first, last = min(first, s.StartedAt), max(last, s.StartedAt+s.Duration)
		t.Tools += s.ToolTime
	}
	t.Duration = last - first
	if t.Duration > 0 {
		t.Share = t.Tools.Seconds() / t.Duration.Seconds()
	}
	return t
}
