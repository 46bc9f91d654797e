package features

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/internal/verdict"
)

// leftoverTTL is after what time a later run may remove what this one left. It
// is longer than any run, so that a sweep never takes a living run's pods.
const leftoverTTL = 24 * time.Hour

// Suite is one run: what is measured, on what, and where it is recorded.
type Suite struct {
	Catalogue  *Catalogue
	Profile    Profile
	Thresholds verdict.Thresholds
	Testbed    *testbed.Testbed
	Journal    *journal.Writer
	Progress   *progress.Reporter
	RunID      string
	RunDir     string
	Seed       uint64
	Started    time.Time

	options   Options
	spec      *lab.Spec
	begun     bool
	beginErr  error
	measuring time.Time                     // when the first full comparison began
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

// narrowed is the comparison as this phase of this profile measures it.
func (s *Suite) narrowed(name, phase string) (Comparison, []Arm, error) {
	cmp, err := s.Catalogue.Comparison(name)
	if err != nil {
		return cmp, nil, err
	}
	clusters, err := s.Catalogue.Clusters(cmp)
	if err != nil {
		return cmp, nil, err
	}
	if len(s.Profile.Clusters) > 0 {
		clusters = s.Profile.Clusters
	}
	narrowed, left, err := s.Catalogue.Within(cmp, clusters)
	if phase == journal.PhaseFirst {
		narrowed.Arms = cmp.Early
	}
	return narrowed, left, err
}

// Early tells whether a comparison is worth a first verdict of its own: its
// early arms can be measured while images of another cluster have still to be
// built. Where not, it tells why.
func (s *Suite) Early(ctx context.Context, name string) (bool, string, error) {
	cmp, _, err := s.narrowed(name, journal.PhaseFull)
	if err != nil {
		return false, "", err
	}
	clusters, err := s.Catalogue.Clusters(cmp)
	if err != nil {
		return false, "", err
	}
	first, err := s.Catalogue.Clusters(Comparison{Arms: cmp.Early})
	if err != nil {
		return false, "", err
	}
	if len(first) != 1 || len(clusters) < 2 {
		return false, "no arms of one cluster are worth a first verdict", nil
	}
	for _, c := range clusters {
		if c == first[0] {
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
	cmp, left, err := s.narrowed(name, phase)
	if err != nil {
		return err
	}
	for _, arm := range left {
		reason := fmt.Sprintf("profile %s measures only in %v, this arm is in %s", s.Profile.Name, s.Profile.Clusters, arm.Cluster)
		skip := journal.Skip{Cell: cell(cmp, arm), Comparison: name, Phase: phase, Reason: reason}
		if err := s.Journal.Append(skip); err != nil {
			return err
		}
	}
	budget := time.Duration(s.Profile.BudgetMinutes) * time.Minute
	if !s.measuring.IsZero() && time.Since(s.measuring) > budget {
		r.skipped = fmt.Sprintf("the %s that profile %s has for measuring were over", budget, s.Profile.Name)
		return s.recordSkip(cmp, phase, r.skipped)
	}
	rounds, dropped, err := s.batch(ctx, cmp, phase)
	r.comparison = verdict.Comparison{Rounds: rounds, Dropped: dropped}
	if err != nil {
		return err
	}
	if !s.Profile.Judge {
		return nil
	}
	if r.verdicts, err = s.judge(r.comparison, cmp); err != nil {
		return err
	}
	if phase == journal.PhaseFull && slices.ContainsFunc(r.verdicts, func(v verdict.Verdict) bool { return v.NeedsConfirmation }) {
		s.Progress.Printf("a first batch says fail: measuring a second one on fresh pods")
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

// recordSkip records every cell of a comparison as skipped.
func (s *Suite) recordSkip(cmp Comparison, phase, reason string) error {
	cells, err := s.Catalogue.Cells(cmp)
	if err != nil {
		return err
	}
	for _, c := range cells {
		if err := s.Journal.Append(journal.Skip{Cell: c, Comparison: cmp.Name, Phase: phase, Reason: reason}); err != nil {
			return err
		}
	}
	return nil
}

// batch measures the rounds of a comparison between its pods.
func (s *Suite) batch(ctx context.Context, cmp Comparison, phase string) ([]measure.Round, map[measure.Cell]int, error) {
	bench, err := s.Catalogue.Benchmark(cmp.Benchmark)
	if err != nil {
		return nil, nil, err
	}
	clusters, err := s.clusters(ctx, cmp)
	if err != nil {
		return nil, nil, err
	}
	ctx, release := s.Testbed.Held(ctx)
	defer release()
	targets, err := s.deploy(ctx, cmp, phase, clusters)
	if err != nil {
		return nil, nil, err
	}
	cells, err := s.Catalogue.Cells(cmp)
	if err != nil {
		return nil, nil, err
	}
	smp := &sampler{
		benchmark: bench,
		length:    s.Profile.length(bench.Tool),
		published: s.Profile.Published,
		targets:   targets,
		store:     s.Journal.StoreRaw,
		now:       func() time.Duration { return time.Since(s.Started) },
	}
	var remove func() error
	if smp.bypass, remove, err = s.accelerate(ctx, cmp, clusters, bench); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInfrastructure, errors.Join(err, remove()))
	}
	defer func() {
		if err := remove(); err != nil {
			s.Progress.Printf("remove tcpip-bypass: %v", err)
		}
	}()
	limit, err := s.maxRounds(cmp)
	if err != nil {
		return nil, nil, err
	}
	if s.measuring.IsZero() && phase == journal.PhaseFull {
		s.measuring = time.Now()
	}
	dropped := map[measure.Cell]int{}
	rounds := &Rounds{
		Comparison: cmp.Name, Phase: phase, Cells: cells, Seed: s.Seed,
		Min: s.Profile.MinRounds, Max: limit,
		Sample: func(ctx context.Context, j journal.Sample) (journal.Sample, error) {
			j, err := smp.sample(ctx, j)
			if err == nil && j.Invalid != "" {
				dropped[j.Cell]++
				s.Progress.Printf("round %d dropped: %s: %s", j.Round, j.Cell, j.Invalid)
			}
			return j, err
		},
		Decided: func(rounds []measure.Round) bool { return s.decided(cmp, rounds, dropped) },
		Record:  s.Journal.Append,
	}
	stage := s.Progress.Stage("measure "+cmp.Title, rounds.Expected(smp.length))
	rounds.Progress = func(round, attempt int, c measure.Cell) {
		stage.Step("round %d of %d to %d", round, rounds.Min, rounds.Max)
	}
	started := time.Now()
	valid, err := rounds.Measure(ctx)
	err = stage.End(err)
	return valid, dropped, errors.Join(err, s.recordStage("measure "+cmp.Name+" "+phase, started, err))
}

// accelerate runs tcpip-bypass on the node of the accelerated arms, if the
// comparison has any, for as long as it is measured: it would weigh on others.
func (s *Suite) accelerate(ctx context.Context, cmp Comparison, clusters map[string]*testbed.Cluster, bench Benchmark) (*bypass.Bypass, func() error, error) {
	for _, name := range cmp.Arms {
		arm, err := s.Catalogue.Arm(name)
		if err != nil {
			return nil, func() error { return nil }, err
		}
		if !arm.Accelerated {
			continue
		}
		c := clusters[arm.Cluster]
		b, err := bypass.Install(ctx, c.Target, s.run(), c.ClientNode, arm.of(bench).Port)
		return b, func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
			defer cancel()
			return b.Remove(ctx)
		}, err
	}
	return nil, func() error { return nil }, nil
}

// maxRounds is the most rounds of a comparison: what is only to inform gets
// fewer than what a gate depends on.
func (s *Suite) maxRounds(cmp Comparison) (int, error) {
	about, err := s.Assertions(cmp)
	if err != nil {
		return 0, err
	}
	if slices.ContainsFunc(about, func(a verdict.Assertion) bool { return a.Role == verdict.Gate }) {
		return s.Profile.MaxRounds, nil
	}
	return s.Profile.InformRounds, nil
}

// decided tells whether every assertion about the comparison has its verdict,
// or had its rounds where it only informs.
// Without any assertion the profile's rounds are all there is to do.
func (s *Suite) decided(cmp Comparison, rounds []measure.Round, dropped map[measure.Cell]int) bool {
	if !s.Profile.Judge {
		return false
	}
	verdicts, err := s.judge(verdict.Comparison{Rounds: rounds, Dropped: dropped}, cmp)
	return err == nil && len(verdicts) > 0 && !slices.ContainsFunc(verdicts, func(v verdict.Verdict) bool {
		if v.Role != verdict.Gate && len(rounds) >= s.Profile.InformRounds {
			return false
		}
		// A batch that fails is complete: what is missing is the second one.
		return !v.Final && !v.NeedsConfirmation
	})
}

// judge returns the verdicts about the comparison's own cells.
func (s *Suite) judge(c verdict.Comparison, cmp Comparison) ([]verdict.Verdict, error) {
	about, err := s.Assertions(cmp)
	if err != nil || len(about) == 0 {
		return nil, err
	}
	t := s.Thresholds
	t.Assertions = about
	return verdict.Judge(t, s.Testbed.Provider(), c)
}

// Assertions are those of the thresholds whose two cells the comparison has.
func (s *Suite) Assertions(cmp Comparison) ([]verdict.Assertion, error) {
	cells, err := s.Catalogue.Cells(cmp)
	if err != nil {
		return nil, err
	}
	var about []verdict.Assertion
	for _, a := range s.Thresholds.Assertions {
		x, y := a.Cells()
		if slices.Contains(cells, x) && slices.Contains(cells, y) {
			about = append(about, a)
		}
	}
	return about, nil
}

func (s *Suite) recordVerdicts(comparison, phase string, verdicts []verdict.Verdict) error {
	for _, v := range verdicts {
		evidence, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("verdict %s: %w", v.Name, err)
		}
		err = s.Journal.Append(journal.Verdict{
			Comparison: comparison, Phase: phase, Assertion: v.Name, Outcome: string(v.Outcome),
			Sentence: v.Explanation, Gate: v.Role == verdict.Gate, Verdict: evidence,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Suite) recordStage(name string, started time.Time, err error) error {
	stage := journal.Stage{Name: name, Duration: time.Since(started)}
	if err != nil {
		stage.Error = err.Error()
	}
	return s.Journal.Append(stage)
}

// clusters brings up what the comparison runs on and records the proofs of it.
func (s *Suite) clusters(ctx context.Context, cmp Comparison) (map[string]*testbed.Cluster, error) {
	names, err := s.Catalogue.Clusters(cmp)
	if err != nil {
		return nil, err
	}
	clusters := map[string]*testbed.Cluster{}
	for _, name := range names {
		c, fresh, err := s.Testbed.Cluster(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("%w: cluster %s: %w", ErrInfrastructure, name, err)
		}
		clusters[name] = c
		if !fresh {
			continue
		}
		for _, f := range c.Facts {
			if err := s.Journal.Append(journal.Fact{Cluster: name, Subject: f.Subject, Claim: f.Claim, Found: f.Found}); err != nil {
				return nil, err
			}
		}
		for _, t := range c.Timings {
			if err := s.Journal.Append(journal.Stage{Name: t.Stage, Duration: t.Duration}); err != nil {
				return nil, err
			}
		}
	}
	return clusters, nil
}

// deploy returns a pair of pods for every cell. Comparisons share the pairs of
// an arm; a confirming batch gets pairs of its own.
func (s *Suite) deploy(ctx context.Context, cmp Comparison, phase string, clusters map[string]*testbed.Cluster) (map[measure.Cell]*target, error) {
	bench, err := s.Catalogue.Benchmark(cmp.Benchmark)
	if err != nil {
		return nil, err
	}
	cells, err := s.Catalogue.Cells(cmp)
	if err != nil {
		return nil, err
	}
	targets := map[measure.Cell]*target{}
	for _, name := range sortedKeys(clusters) {
		d, err := s.deployer(ctx, clusters[name])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
		var missing []workload.Spec
		wanted := map[measure.Cell]workload.Spec{}
		for _, cl := range cells {
			arm, err := s.Catalogue.Arm(cl.Arm)
			if err != nil {
				return nil, err
			}
			if arm.Cluster != name {
				continue
			}
			wanted[cl] = pairSpec(arm, cl, clusters[name], phase)
			if _, ok := s.pairs[name+"/"+wanted[cl].Name]; !ok {
				missing = append(missing, wanted[cl])
			}
		}
		if err := s.deployMissing(ctx, d, missing); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
		for cl, spec := range wanted {
			arm, err := s.Catalogue.Arm(cl.Arm)
			if err != nil {
				return nil, err
			}
			targets[cl], err = newTarget(ctx, arm, s.pairs[name+"/"+spec.Name], s.observers[name], bench, cl)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
			}
		}
	}
	return targets, nil
}

// deployer returns what makes the pods in a cluster. The first call removes
// what earlier runs left there.
func (s *Suite) deployer(ctx context.Context, c *testbed.Cluster) (*workload.Cluster, error) {
	if d, ok := s.deployers[c.Name]; ok {
		return d, nil
	}
	d, err := workload.NewCluster(c.Name, c.REST, c.BenchImage, s.RunID, s.run().Expires)
	if err != nil {
		return nil, err
	}
	swept, err := d.Sweep(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	accelerators, err := bypass.Sweep(ctx, c.Target, time.Now())
	if err != nil {
		return nil, err
	}
	swept = append(swept, accelerators...)
	if len(swept) > 0 {
		s.Progress.Printf("cluster %s: removed what an earlier run had left: %v", c.Name, swept)
	}
	if s.deployers == nil {
		s.deployers, s.observers = map[string]*workload.Cluster{}, map[string]*workload.Observer{}
	}
	s.deployers[c.Name] = d
	spec, err := s.spec.Cluster(c.Name)
	if err != nil {
		return nil, err
	}
	s.observers[c.Name], err = d.Observe(ctx, c.ClientNode, spec.CNI == lab.CNICilium)
	return d, err
}

func (s *Suite) deployMissing(ctx context.Context, d *workload.Cluster, specs []workload.Spec) error {
	if len(specs) == 0 {
		return nil
	}
	stage := s.Progress.Stage(fmt.Sprintf("start %d pairs of pods in cluster %s", len(specs), d.Name), 15*time.Second)
	pairs, err := d.Deploy(ctx, specs)
	if err == nil {
		err = d.CheckIdle(ctx, pairs, s.maxBusyPercent(d.Name))
	}
	if err != nil {
		return stage.End(err)
	}
	if s.pairs == nil {
		s.pairs = map[string]*workload.Pair{}
	}
	for _, p := range pairs {
		s.pairs[d.Name+"/"+p.Name] = p
	}
	return stage.End(nil)
}

// maxBusyPercent is how busy a cluster's nodes may be before anything is measured.
func (s *Suite) maxBusyPercent(cluster string) int {
	spec, err := s.spec.Cluster(cluster)
	if err != nil {
		return 0
	}
	return spec.MaxBusyPercent()
}

// cleanUp removes everything this run made in the clusters.
func (s *Suite) cleanUp(ctx context.Context) error {
	var errs []error
	for _, name := range sortedKeys(s.deployers) {
		if o := s.observers[name]; o != nil {
			o.Close()
		}
		errs = append(errs, s.deployers[name].Delete(ctx))
	}
	return errors.Join(errs...)
}

// cleanUpTimeout bounds what an interrupted run spends on removing its pods.
const cleanUpTimeout = 60 * time.Second

func pairSpec(arm Arm, c measure.Cell, cluster *testbed.Cluster, phase string) workload.Spec {
	name := arm.Name
	if c.Control {
		name += "-control"
	}
	if phase == journal.PhaseConfirm {
		name += "-confirm"
	}
	spec := workload.Spec{
		Name: name, Network: arm.Network, ServerNetwork: arm.ServerNetwork,
		ClientNode: cluster.ClientNode, ServerNode: cluster.ServerNode,
	}
	if c.Placement == "same-node" {
		spec.ServerNode = spec.ClientNode
	}
	return spec
}

// Plan is everything that decides what a run measures. Two runs with one plan
// hash are comparable, and one may resume the other.
type Plan struct {
	Profile    Profile            `json:"profile"`
	Catalogue  *Catalogue         `json:"catalogue"`
	Thresholds verdict.Thresholds `json:"thresholds"`
	Seed       uint64             `json:"seed"`
}

// Plan returns the run's plan as JSON and its SHA-256.
func (s *Suite) Plan() (json.RawMessage, string, error) {
	b, err := json.Marshal(Plan{s.Profile, s.Catalogue, s.Thresholds, s.Seed})
	if err != nil {
		return nil, "", fmt.Errorf("plan: %w", err)
	}
	sum := sha256.Sum256(b)
	return b, hex.EncodeToString(sum[:]), nil
}

// Outcome is the exit code of the run and what to say of it. Only the gates of
// the full comparisons count; a profile that does not judge passes when it
// measured everything.
func (s *Suite) Outcome() (int, string, error) {
	var measured []string
	var all []verdict.Comparison
	for _, name := range s.Profile.Comparisons {
		r, ok := s.results[name+"/"+journal.PhaseFull]
		if !ok || r.skipped != "" {
			continue
		}
		if r.err != nil {
			return verdict.ExitInfrastructure, r.err.Error(), nil
		}
		measured = append(measured, name)
		all = append(all, r.comparison)
	}
	if len(measured) == 0 {
		return verdict.ExitInfrastructure, "no full comparison was measured", nil
	}
	if !s.Profile.Judge {
		return verdict.ExitPass, fmt.Sprintf("profile %s: %d comparisons measured, none judged", s.Profile.Name, len(measured)), nil
	}
	// Two copies of an arm that differ in one comparison spoil all of them, so
	// the last word is had over the whole run.
	verdicts, err := verdict.Judge(s.Thresholds, s.Testbed.Provider(), all...)
	if err != nil {
		return verdict.ExitInfrastructure, "", err
	}
	for _, name := range measured {
		if err := s.revise(name, verdicts); err != nil {
			return verdict.ExitInfrastructure, "", err
		}
	}
	code := verdict.ExitCode(verdicts)
	return code, map[int]string{
		verdict.ExitPass:         "every gate passed",
		verdict.ExitFail:         "a gate failed",
		verdict.ExitInconclusive: "not every gate could be decided",
	}[code], nil
}

// revise records the verdicts about a comparison that the whole run changed.
func (s *Suite) revise(name string, final []verdict.Verdict) error {
	var changed []verdict.Verdict
	for _, was := range s.results[name+"/"+journal.PhaseFull].verdicts {
		i := slices.IndexFunc(final, func(v verdict.Verdict) bool { return v.Name == was.Name })
		if i >= 0 && final[i].Explanation != was.Explanation {
			changed = append(changed, final[i])
		}
	}
	return s.recordVerdicts(name, journal.PhaseFull, changed)
}
