package run

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/images"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/owned"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
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
	measurements  []*measurement // of the full phase, in the order in which they began
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
	speed, err := s.calibrate(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	if err := s.fits(ctx); err != nil {
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
	print, err := s.fingerprint(ctx)
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

// fingerprint is this machine's, where the lab is on it, and the lab that was asked
// for. What a cluster and its nodes are is known and compared once it stands.
func (s *Session) fingerprint(ctx context.Context) (map[string]string, error) {
	print := map[string]string{}
	if s.lab.NeedsEngine() {
		var err error
		if print, err = machine.Fingerprint(ctx); err != nil {
			return nil, err
		}
	}
	file, err := json.Marshal(s.lab)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	sum := sha256.Sum256(file)
	print["lab"], print["provider"] = hex.EncodeToString(sum[:8]), s.bed.Provider()
	return print, nil
}

// elapsed is how long the run has been at work, by the monotonic clock; a pause
// before it was resumed doesn't count.
func (s *Session) elapsed() time.Duration { return s.before + time.Since(s.started) }

func (s *Session) newTestbed(engine string) (*testbed.Testbed, error) {
	cache, err := machine.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	return &testbed.Testbed{
		Spec:     s.lab,
		Lab:      lab.New(s.lab, lab.Options{Engine: engine, Dir: filepath.Join(cache, "lab"), Progress: s.progress}),
		Images:   &images.Builder{Source: s.options.Source, CacheDir: cache, Engine: engine, Registry: s.registry()},
		Progress: s.progress,
		RunID:    s.runID,
	}, nil
}

// owner marks what the run makes in its clusters.
func (s *Session) owner() owned.Run {
	return owned.Run{ID: s.runID, Expires: s.started.Add(leftoverTTL)}
}

// furnish makes the room that the batches share.
func (s *Session) furnish() {
	w := &workers{run: s.owner(), pace: s.progress.Pace, say: s.progress.Printf, note: s.same}
	s.room = &room{
		plan: s.plan, workers: w, book: s.book, progress: s.progress,
		judge:    judge{s.plan, s.bed.Provider()},
		clusters: &Clusters{bed: s.bed, note: s.note, say: s.progress.Printf},
		pods: &PodPool{
			starter: func(cluster string) (Starter, error) { return w.of(cluster) },
			stage: func(name string, expected time.Duration) func(error) error {
				return s.progress.Stage(name, expected).End
			},
			idle: s.idle,
		},
		ready: func(ctx context.Context, t *target, bench plan.Benchmark) error {
			return t.prepare(ctx, bench, s.plan.Profile.Pin)
		},
		cilium:      s.cilium,
		held:        s.bed.Held,
		reservation: s.bed.Lab.Reservation,
		now:         s.elapsed,
	}
}

// idle refuses nodes of somebody else's cluster that are busier than the lab file
// allows.
func (s *Session) idle(ctx context.Context, cluster string, pairs []*workload.Pair) error {
	spec, err := s.lab.Cluster(cluster)
	if err != nil {
		return err
	}
	w, err := s.room.workers.of(cluster)
	if err != nil {
		return err
	}
	return w.CheckIdle(ctx, pairs, spec.MaxBusyPercent())
}

func (s *Session) cilium(cluster string) bool {
	spec, err := s.lab.Cluster(cluster)
	return err == nil && spec.CNI == lab.CNICilium
}

// note records what a cluster is once it stands, and refuses another one than the
// resumed run was measured on.
func (s *Session) note(ctx context.Context, c *testbed.Cluster) error {
	if err := s.sameCluster(ctx, c); err != nil {
		return err
	}
	for _, f := range c.Facts {
		fact := journal.Fact{Cluster: c.Name, Subject: f.Subject, Claim: f.Claim, Found: f.Found}
		if slices.Contains(s.book.past.Facts, fact) {
			continue
		}
		if err := s.book.append(fact); err != nil {
			return err
		}
	}
	for _, t := range c.Timings {
		if err := s.book.stage(t.Stage, t.Duration, nil); err != nil {
			return err
		}
	}
	return s.noteIdle(ctx, c)
}

// prepare begins a measurement: from here on the run's end counts it.
func (s *Session) prepare(ctx context.Context, m *measurement) {
	if m.phase == journal.PhaseFull {
		s.measurements = append(s.measurements, m)
	}
	if m.err = s.Begin(ctx); m.err == nil {
		m.prepare(ctx, s.room)
	}
	s.tell(m)
}

// measure measures and judges. What it costs stays with its comparison: the next
// one is measured all the same.
func (s *Session) measure(ctx context.Context, m *measurement) {
	if m.err != nil || m.skipped != nil {
		return
	}
	m.measure(ctx, s.room)
	s.tell(m)
	if m.err == nil && m.phase == journal.PhaseFirst {
		m.err = s.PrintReport()
	}
}

// tell says of a measurement that failed what is still going to be measured.
func (s *Session) tell(m *measurement) {
	if m.err == nil && m.skipped == nil || s.progress == nil {
		return
	}
	left := 0
	for _, d := range s.plan.Selected() {
		if !slices.ContainsFunc(s.measurements, func(o *measurement) bool { return o.decided.Name == d.Name }) {
			left++
		}
	}
	why := fmt.Sprint(m.err)
	if m.err == nil {
		why = m.skipped.String()
	}
	s.progress.Printf("%s is not measured: %s; comparisons still to be measured: %d", m.decided.Name, why, left)
}
