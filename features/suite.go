// Package features measures what package plan decided: each comparison in
// interleaved rounds, as one e2e feature.
package features

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/internal/verdict"
)

// leftoverTTL is after what time an owner may take what a run made for left
// behind. It is longer than any run.
const leftoverTTL = 24 * time.Hour

// Suite is one run: what is measured, on what, and where it is recorded.
type Suite struct {
	Plan     plan.Plan
	Testbed  *testbed.Testbed
	Journal  *journal.Writer
	Progress *progress.Reporter
	RunID    string
	RunDir   string
	Started  time.Time

	options   Options
	spec      *lab.Spec
	begun     bool
	beginErr  error
	past      *journal.Run                  // what a resumed run had measured before
	before    time.Duration                 // how long an earlier process of this run was at work
	measuring time.Duration                 // when the first full comparison began, 0 before
	results   map[string]*result            // by comparison and phase
	deployers map[string]*workload.Cluster  // by cluster
	pairs     map[string]*workload.Pair     // by cluster and name
	observers map[string]*workload.Observer // by cluster: of its clients' node

	diagnostics string // what Finish says of them
}

// result is a measured comparison, or the error that ended it.
type result struct {
	comparison verdict.Comparison
	verdicts   []verdict.Verdict
	skipped    string // why it was not measured
	err        error
}

// ErrInfrastructure marks errors that say nothing about any datapath.
var ErrInfrastructure = errors.New("infrastructure")

// measured returns a comparison's result in a phase; the first call measures.
// Every step of a feature calls it, so that one step alone can be selected.
func (s *Suite) measured(ctx context.Context, name, phase string) (*result, error) {
	key := name + "/" + phase
	if r, ok := s.results[key]; ok {
		return r, r.err
	}
	if s.results == nil {
		s.results = map[string]*result{}
	}
	r := &result{}
	s.results[key] = r
	r.err = s.measure(ctx, name, phase, r)
	return r, r.err
}

// Early tells whether a comparison is worth a first verdict of its own: its
// early arms can be measured while images of another cluster have still to be
// built. Where not, it tells why.
func (s *Suite) Early(ctx context.Context, name string) (bool, string, error) {
	full, err := s.Plan.Of(name, journal.PhaseFull)
	if err != nil {
		return false, "", err
	}
	first, err := s.Plan.Of(name, journal.PhaseFirst)
	if err != nil {
		return false, "", err
	}
	if len(first.Clusters) != 1 || len(full.Clusters) < 2 {
		return false, "no arms of one cluster are worth a first verdict", nil
	}
	for _, c := range full.Clusters {
		if c == first.Clusters[0] {
			continue
		}
		cached, err := s.Testbed.Cached(ctx, c)
		if err != nil {
			return false, "", err
		}
		if !cached {
			return true, "", nil
		}
	}
	return false, "the images of all clusters are there, so the full comparison can start at once", nil
}

func (s *Suite) measure(ctx context.Context, name, phase string, r *result) error {
	if err := s.Begin(ctx); err != nil {
		return err
	}
	cmp, err := s.Plan.Of(name, phase)
	if err != nil {
		return err
	}
	for _, left := range cmp.LeftOut {
		if err := s.recordSkip(journal.Skip{Cell: left.Cell, Comparison: name, Phase: phase, Reason: left.Reason.String()}); err != nil {
			return err
		}
	}
	if skipped, err := s.overBudget(cmp, phase); skipped != "" || err != nil {
		r.skipped = skipped
		return err
	}
	rounds, dropped, err := s.batch(ctx, cmp, phase)
	r.comparison = verdict.Comparison{Rounds: rounds, Dropped: dropped, PodSets: s.Plan.Profile.PodSets, Ceilings: cmp.Ceilings}
	if err != nil {
		return err
	}
	if !s.Plan.Profile.Judge {
		return nil
	}
	if r.verdicts, err = s.judge(r.comparison, cmp); err != nil {
		return err
	}
	if phase == journal.PhaseFull && slices.ContainsFunc(r.verdicts, func(v verdict.Verdict) bool { return v.NeedsConfirmation }) {
		s.Progress.Printf("a first batch says fail: measuring a second one on fresh pods")
		if err := s.renewHostPairs(ctx, cmp); err != nil {
			return fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
		confirming, _, err := s.batch(ctx, cmp, journal.PhaseConfirm)
		r.comparison.Confirming = confirming
		if err != nil {
			return err
		}
		if r.verdicts, err = s.judge(r.comparison, cmp); err != nil {
			return err
		}
	}
	if err := s.recordVerdicts(name, phase, r.verdicts); err != nil {
		return err
	}
	if phase == journal.PhaseFirst {
		return s.PrintReport()
	}
	return nil
}

// overBudget skips a comparison that would begin after the profile's time for
// measuring, and records and returns the reason. One that was skipped before the
// run was resumed stays so, one that was begun goes on.
func (s *Suite) overBudget(cmp plan.Decided, phase string) (string, error) {
	cells := cmp.Round()
	for _, skip := range s.past.Skips {
		if skip.Comparison == cmp.Name && skip.Phase == phase && skip.Cell == cells[0] {
			return skip.Reason, nil
		}
	}
	budget := time.Duration(s.Plan.Profile.BudgetMinutes) * time.Minute
	if s.measuring == 0 || s.elapsed()-s.measuring <= budget || len(s.past.Blocks(cmp.Name, phase)) > 0 {
		return "", nil
	}
	reason := fmt.Sprintf("the %s that profile %s has for measuring were over", budget, s.Plan.Profile.Name)
	for _, c := range cells {
		if err := s.recordSkip(journal.Skip{Cell: c, Comparison: cmp.Name, Phase: phase, Reason: reason}); err != nil {
			return "", err
		}
	}
	return reason, nil
}

func (s *Suite) recordSkip(skip journal.Skip) error {
	if slices.Contains(s.past.Skips, skip) {
		return nil
	}
	return s.Journal.Append(skip)
}

// batch measures the rounds of a comparison between its pods. What an earlier
// process of the run measured counts; where that is everything, no pod is made.
func (s *Suite) batch(ctx context.Context, cmp plan.Decided, phase string) ([]measure.Round, map[measure.Cell]int, error) {
	bench := cmp.Bench
	rounds := &Rounds{
		Comparison: cmp.Name, Phase: phase, Cells: cmp.Round(), Seed: s.Plan.Seed,
		Min: s.Plan.Profile.MinRounds, Max: cmp.MaxRounds,
		Past:   s.past.Blocks(cmp.Name, phase),
		Record: s.Journal.Append,
	}
	rounds.Decided = func(valid []measure.Round) bool { return s.decided(cmp, valid, rounds.Dropped) }
	if rounds.Complete() {
		s.Progress.Printf("measured before: %s", cmp.Title)
		valid, err := rounds.Measure(ctx)
		return valid, rounds.Dropped, err
	}
	clusters, err := s.clusters(ctx, cmp.Clusters)
	if err != nil {
		return nil, nil, err
	}
	ctx, release := s.Testbed.Held(ctx)
	defer release()
	length := s.Plan.Profile.Length(bench)
	if length > longSample {
		var stop func()
		ctx, stop = s.watchNodes(ctx, clusters)
		defer stop()
	}
	targets, err := s.deploy(ctx, cmp, phase, clusters)
	if err != nil {
		return nil, nil, err
	}
	smp := &sampler{
		benchmark: bench,
		length:    length,
		published: s.Plan.Profile.Published,
		pin:       s.Plan.Profile.Pin,
		targets:   targets,
		store:     s.Journal.StoreRaw,
		now:       s.elapsed,
		watch:     &interference.Watch{Rule: s.Plan.Profile.Interference, Dropped: disturbed(s.past, cmp.Name, phase)},
	}
	back, err := s.spec.LeaveMeasuringCPU()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	defer func() {
		if err := back(); err != nil {
			s.Progress.Printf("take the measuring CPU back: %v", err)
		}
	}()
	var remove func() error
	if smp.bypass, remove, err = s.accelerate(ctx, cmp, clusters, bench); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInfrastructure, errors.Join(err, remove()))
	}
	defer func() {
		if err := remove(); err != nil {
			s.Progress.Printf("remove tcpip-bypass: %v", err)
		}
	}()
	if s.measuring == 0 && phase == journal.PhaseFull {
		s.measuring = s.elapsed()
	}
	rounds.Sample = func(ctx context.Context, j journal.Sample) (journal.Sample, error) {
		j, err := smp.sample(ctx, j)
		if err == nil && j.Invalid != "" {
			s.Progress.Printf("round %d dropped: %s: %s", j.Round, j.Cell, j.Invalid)
		}
		return j, err
	}
	rounds.Interference = func(whole bool) interference.Finding {
		found := smp.watch.Round(whole)
		if found.Drop {
			s.Progress.Printf("a round is measured again, others disturbed it: %s", found.Beyond)
		}
		return found
	}
	rounds.Repair = func(ctx context.Context, broken journal.Sample, again bool) error {
		return s.repair(ctx, cmp, phase, clusters, targets, broken, again)
	}
	stage := s.Progress.Stage("measure "+cmp.Title, rounds.Expected(smp.length))
	rounds.Progress = func(round, attempt int, c measure.Cell) {
		stage.Step("round %d of %d to %d", round, rounds.Min, rounds.Max)
	}
	started := time.Now()
	valid, err := rounds.Measure(ctx)
	err = stage.End(err)
	return valid, rounds.Dropped, errors.Join(err, s.recordStage("measure "+cmp.Name+" "+phase, started, err))
}

// longSample is the length from which a lost node is not seen within a minute
// by the sample that fails on it.
const longSample = 10 * time.Second

// watchNodes returns a context that ends when a node of the clusters is lost.
func (s *Suite) watchNodes(ctx context.Context, clusters map[string]*testbed.Cluster) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var watchers sync.WaitGroup
	for name, c := range clusters {
		watchers.Go(func() {
			d, err := workload.NewCluster(name, c.REST, "", s.RunID, time.Time{})
			if err == nil {
				err = d.AwaitLoss(ctx, c.ServerNode, c.ClientNode)
			}
			if err != nil {
				cancel(fmt.Errorf("%w: %w", ErrInfrastructure, err))
			}
		})
	}
	return ctx, func() {
		cancel(context.Canceled)
		watchers.Wait()
	}
}

// accelerate runs tcpip-bypass on the node of the accelerated arms, if the
// comparison has any, for as long as it is measured: it would weigh on others.
func (s *Suite) accelerate(ctx context.Context, cmp plan.Decided, clusters map[string]*testbed.Cluster, bench plan.Benchmark) (*bypass.Bypass, func() error, error) {
	for _, name := range cmp.Arms {
		arm, err := s.Plan.Arm(name)
		if err != nil {
			return nil, func() error { return nil }, err
		}
		if !arm.Accelerated {
			continue
		}
		c := clusters[arm.Cluster]
		b, err := bypass.Install(ctx, c.Target, s.run(), c.ClientNode, arm.Of(bench).Port)
		return b, func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
			defer cancel()
			return b.Remove(ctx)
		}, err
	}
	return nil, func() error { return nil }, nil
}

func (s *Suite) recordStage(name string, started time.Time, err error) error {
	stage := journal.Stage{Name: name, Duration: time.Since(started)}
	if err != nil {
		stage.Error = err.Error()
	}
	return s.Journal.Append(stage)
}
