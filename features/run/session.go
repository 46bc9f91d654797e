package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/images"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/owned"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/progress"
)

// Session is one run of the suite: it measures a plan and ends with one exit code.
type Session struct {
	options  Options
	plan     plan.Plan
	lab      *lab.Spec
	bed      *testbed.Testbed
	book     *book
	room     *room
	progress *progress.Reporter

	runID, runDir string
	started       time.Time
	before        time.Duration // how long earlier processes of this run were at work
	begun         bool
	beginErr      error
	measurements  tally // of the full phase, in the order in which they began
}

// ErrInfrastructure marks errors that say nothing about any datapath.
var ErrInfrastructure = errors.New("infrastructure")

// ErrInterrupted is the cause of a context that a signal ended.
var ErrInterrupted = errors.New("interrupted")

// cleanUpMargin is kept free before go test's timeout, whose panic would leave
// everything behind. It holds what an ended run still does: diagnostics, its pods'
// removal, its report.
const cleanUpMargin = 3 * time.Minute

// Bounded ends ctx early enough before go test's timeout to clean up.
func (s *Session) Bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.options.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	deadline := s.started.Add(s.options.Timeout - cleanUpMargin)
	cause := fmt.Errorf("%w: go test's -timeout of %s would come in %s", context.DeadlineExceeded, s.options.Timeout, cleanUpMargin)
	return context.WithDeadlineCause(ctx, deadline, cause)
}

// Begin finds engine, images and lab, checks that the run fits go test's timeout,
// and opens the journal. Calls after the first return its answer.
func (s *Session) Begin(ctx context.Context) error {
	if !s.begun {
		s.begun = true
		s.beginErr = s.begin(ctx)
	}
	return s.beginErr
}

func (s *Session) begin(ctx context.Context) error {
	s.progress = progress.New(terminalOrStdout())
	runs, err := runsFolder()
	if err != nil {
		return err
	}
	if s.runID == "" {
		s.runID = strings.ToLower(s.started.UTC().Format("20060102T150405Z")) + "-" + s.plan.Profile.Name
		s.runDir = cmp.Or(s.options.RunDir, filepath.Join(runs, s.runID))
	}
	var engine string
	if s.lab.NeedsEngine() {
		if engine, err = machine.Engine(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
	}
	if s.bed, err = s.newTestbed(engine); err != nil {
		return err
	}
	var speed *journal.Speed
	if s.lab.NeedsEngine() { // with clusters elsewhere, this machine's speed says nothing
		if speed, err = calibrate(ctx, s.progress); err != nil {
			return fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
	}
	if err := (estimate{s.plan, s.bed, s.progress}).fits(ctx, s.started, s.options.Timeout); err != nil {
		return err
	}
	header, err := s.header(ctx)
	if err != nil {
		return err
	}
	header.Speed = speed
	if s.options.Resume != "" {
		if err := s.reopen(header); err != nil {
			return err
		}
		s.progress.Printf("run %s, seed %d, is resumed in %s after %s", s.runID, s.plan.Seed, s.runDir, progress.Round(s.before))
	} else {
		if s.book.writer, err = journal.Create(s.runDir, header); err != nil {
			return fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
		s.progress.Printf("run %s, seed %d, recorded in %s", s.runID, s.plan.Seed, s.runDir)
	}
	s.furnish()
	return nil
}

// header is the journal's first record.
func (s *Session) header(ctx context.Context) (journal.Header, error) {
	print, err := fingerprint(ctx, s.lab, s.bed.Provider())
	if err != nil {
		return journal.Header{}, fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	recorded, hash, err := s.plan.Record()
	if err != nil {
		return journal.Header{}, err
	}
	version, err := version(s.options.Source)
	return journal.Header{
		RunID: s.runID, Seed: s.plan.Seed, Profile: s.plan.Profile.Name, Plan: recorded, PlanHash: hash,
		Fingerprint: print, Started: s.started, Version: version, Command: os.Args,
	}, err
}

func (s *Session) newTestbed(engine string) (*testbed.Testbed, error) {
	cache, err := machine.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	return &testbed.Testbed{
		Spec:     s.lab,
		Lab:      lab.New(s.lab, lab.Options{Engine: engine, Dir: filepath.Join(cache, "lab"), Progress: s.progress}),
		Images:   &images.Builder{Source: s.options.Source, CacheDir: cache, Engine: engine, Registry: s.options.registry(s.lab)},
		Progress: s.progress,
		RunID:    s.runID,
	}, nil
}

// owner marks what the run makes in its clusters.
func owner(runID string, started time.Time) owned.Run {
	return owned.Run{ID: runID, Expires: started.Add(leftoverTTL)}
}

// furnish makes the room that the batches share.
func (s *Session) furnish() {
	found := &standing{lab: s.lab, book: s.book, runDir: s.runDir}
	w := &workers{run: owner(s.runID, s.started), pace: s.progress.Pace, say: s.progress.Printf, note: found.same}
	found.workers = w
	s.room = &room{
		plan: s.plan, workers: w, book: s.book, progress: s.progress,
		judge:    judge{s.plan, s.bed.Provider()},
		clusters: &Clusters{bed: s.bed, note: found.note, say: s.progress.Printf},
		pods: &PodPool{
			starter: func(cluster string) (Starter, error) { return w.of(cluster) },
			stage: func(name string, expected time.Duration) func(error) error {
				return s.progress.Stage(name, expected).End
			},
			idle: w.idle(s.lab),
		},
		ready: func(ctx context.Context, t *target, bench plan.Benchmark) error {
			return t.prepare(ctx, bench, s.plan.Profile.Pin)
		},
		cilium: func(cluster string) bool {
			spec, err := s.lab.Cluster(cluster)
			return err == nil && spec.CNI == lab.CNICilium
		},
		held:        s.bed.Held,
		reservation: s.bed.Lab.Reservation,
		// By the monotonic clock; a pause before the run was resumed doesn't count.
		now: func() time.Duration { return s.before + time.Since(s.started) },
	}
}

// prepare begins a measurement: from here on the run's end counts it.
func (s *Session) prepare(ctx context.Context, m *measurement) {
	if m.phase == journal.PhaseFull {
		s.measurements = append(s.measurements, m)
	}
	if m.err = s.Begin(ctx); m.err == nil {
		m.prepare(ctx, s.room)
	}
	s.measurements.tell(m, s.plan.Selected(), s.progress)
}

// measure measures and judges. What it costs stays with its comparison: the next
// one is measured all the same.
func (s *Session) measure(ctx context.Context, m *measurement) {
	if m.err != nil || m.skipped != nil {
		return
	}
	m.measure(ctx, s.room)
	s.measurements.tell(m, s.plan.Selected(), s.progress)
	if m.err == nil && m.phase == journal.PhaseFirst {
		m.err = s.PrintReport()
	}
}
