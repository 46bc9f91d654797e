package features

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

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
		if err := s.recordSkip(journal.Skip{Cell: cell(cmp, arm), Comparison: name, Phase: phase, Reason: reason}); err != nil {
			return err
		}
	}
	if skipped, err := s.overBudget(cmp, phase); skipped != "" || err != nil {
		r.skipped = skipped
		return err
	}
	rounds, dropped, err := s.batch(ctx, cmp, phase)
	r.comparison = verdict.Comparison{Rounds: rounds, Dropped: dropped}
	if err == nil {
		r.comparison.Ceilings, err = s.ceilings(cmp)
	}
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
func (s *Suite) overBudget(cmp Comparison, phase string) (string, error) {
	cells, err := s.Catalogue.Cells(cmp)
	if err != nil {
		return "", err
	}
	for _, skip := range s.past.Skips {
		if skip.Comparison == cmp.Name && skip.Phase == phase && skip.Cell == cells[0] {
			return skip.Reason, nil
		}
	}
	budget := time.Duration(s.Profile.BudgetMinutes) * time.Minute
	if s.measuring == 0 || s.elapsed()-s.measuring <= budget || len(s.past.Blocks(cmp.Name, phase)) > 0 {
		return "", nil
	}
	reason := fmt.Sprintf("the %s that profile %s has for measuring were over", budget, s.Profile.Name)
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
func (s *Suite) batch(ctx context.Context, cmp Comparison, phase string) ([]measure.Round, map[measure.Cell]int, error) {
	bench, err := s.Catalogue.Benchmark(cmp.Benchmark)
	if err != nil {
		return nil, nil, err
	}
	cells, err := s.Catalogue.Cells(cmp)
	if err != nil {
		return nil, nil, err
	}
	limit, err := s.maxRounds(cmp)
	if err != nil {
		return nil, nil, err
	}
	rounds := &Rounds{
		Comparison: cmp.Name, Phase: phase, Cells: cells, Seed: s.Seed,
		Min: s.Profile.MinRounds, Max: limit,
		Past:   s.past.Blocks(cmp.Name, phase),
		Record: s.Journal.Append,
	}
	rounds.Decided = func(valid []measure.Round) bool { return s.decided(cmp, valid, rounds.Dropped) }
	if rounds.Complete() {
		s.Progress.Printf("measured before: %s", cmp.Title)
		valid, err := rounds.Measure(ctx)
		return valid, rounds.Dropped, err
	}
	clusters, err := s.clusters(ctx, cmp)
	if err != nil {
		return nil, nil, err
	}
	ctx, release := s.Testbed.Held(ctx)
	defer release()
	length := s.Profile.length(bench.Tool)
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
		published: s.Profile.Published,
		pin:       s.Profile.Pin,
		targets:   targets,
		store:     s.Journal.StoreRaw,
		now:       s.elapsed,
		watch:     &interference.Watch{Rule: s.Profile.Interference, Dropped: disturbed(s.past, cmp.Name, phase)},
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
	if c.Ceilings, err = s.ceilings(cmp); err != nil {
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
		if s.saidBefore(comparison, phase, v) {
			continue
		}
		evidence, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("verdict %s: %w", v.Name, err)
		}
		record := journal.Verdict{
			Comparison: comparison, Phase: phase, Assertion: v.Name, Outcome: string(v.Outcome),
			Sentence: v.Explanation, Gate: v.Role == verdict.Gate, Verdict: evidence,
		}
		if err := s.Journal.Append(record); err != nil {
			return err
		}
		s.past.Verdicts = append(s.past.Verdicts, record)
	}
	return nil
}

// saidBefore tells that the last word about an assertion was the same.
func (s *Suite) saidBefore(comparison, phase string, v verdict.Verdict) bool {
	for _, past := range slices.Backward(s.past.Verdicts) {
		if past.Comparison == comparison && past.Phase == phase && past.Assertion == v.Name {
			return past.Outcome == string(v.Outcome) && past.Sentence == v.Explanation
		}
	}
	return false
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
		if err := s.sameCluster(ctx, c); err != nil {
			return nil, err
		}
		for _, f := range c.Facts {
			fact := journal.Fact{Cluster: name, Subject: f.Subject, Claim: f.Claim, Found: f.Found}
			if slices.Contains(s.past.Facts, fact) {
				continue
			}
			if err := s.Journal.Append(fact); err != nil {
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
	servers, err := s.servers()
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
			spec := pairSpec(arm, cl, clusters[name], phase, s.Profile.Pin)
			spec.Servers = servers
			wanted[cl] = spec
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
			targets[cl], err = newTarget(ctx, arm, s.pairs[name+"/"+spec.Name], s.observers[name], bench, cl, s.Profile.Pin)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
			}
		}
	}
	return targets, nil
}

// servers are the servers that the comparisons of this run need: each takes its
// time to start.
func (s *Suite) servers() ([]string, error) {
	needed := map[string]bool{}
	for _, name := range s.Profile.Comparisons {
		cmp, err := s.Catalogue.Comparison(name)
		if err != nil {
			return nil, err
		}
		if !s.Catalogue.Selected(cmp, s.options.Labels) {
			continue
		}
		bench, err := s.Catalogue.Benchmark(cmp.Benchmark)
		if err != nil {
			return nil, err
		}
		for _, a := range cmp.Arms {
			arm, err := s.Catalogue.Arm(a)
			if err != nil {
				return nil, err
			}
			needed[arm.of(bench).Server] = true
		}
	}
	return sortedKeys(needed), nil
}

// repair makes the pods of the broken sample's cell anew, and those of any other
// that aren't ready, once the clusters and their nodes answer again. Pods in
// which the tool ran to its end are not what is broken, unless they fail again.
func (s *Suite) repair(ctx context.Context, cmp Comparison, phase string, clusters map[string]*testbed.Cluster, targets map[measure.Cell]*target, broken journal.Sample, again bool) error {
	for _, name := range sortedKeys(clusters) {
		if err := s.deployers[name].Recover(ctx, clusters[name].ServerNode, clusters[name].ClientNode); err != nil {
			return fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
	}
	for cl, t := range targets {
		why := "its sample was invalid"
		if cl != broken.Cell || broken.ToolDone && !again {
			var err error
			if why, err = t.pair.Ready(ctx); err != nil {
				return fmt.Errorf("%w: %w", ErrInfrastructure, err)
			}
		}
		if why == "" {
			continue
		}
		s.Progress.Printf("new pods for %s: %s", cl, why)
		pair, err := s.deployers[t.arm.Cluster].Replace(ctx, t.pair.Spec)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
		s.pairs[t.arm.Cluster+"/"+pair.Name] = pair
	}
	fresh, err := s.deploy(ctx, cmp, phase, clusters)
	maps.Copy(targets, fresh)
	return err
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
	swept, err := d.Sweep(ctx)
	if err != nil {
		return nil, err
	}
	accelerators, err := bypass.Sweep(ctx, c.Target)
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

func pairSpec(arm Arm, c measure.Cell, cluster *testbed.Cluster, phase string, pin Pin) workload.Spec {
	name := arm.Name
	if c.Control {
		name += "-control"
	}
	// Two servers on a node's own network would want the same ports.
	if phase == journal.PhaseConfirm && arm.Network != workload.HostNetwork {
		name += "-confirm"
	}
	spec := workload.Spec{
		Name: name, Network: arm.Network, ServerNetwork: arm.ServerNetwork,
		ClientNode: cluster.ClientNode, ServerNode: cluster.ServerNode, ServerCPU: pin.Server,
	}
	if c.Placement == "same-node" {
		spec.ServerNode = spec.ClientNode
	}
	return spec
}

// Plan is everything that decides what a run measures. Two runs with one plan
// hash are comparable, and one may resume the other.
type Plan struct {
	Profile    Profile             `json:"profile"`
	Catalogue  *Catalogue          `json:"catalogue"`
	Thresholds verdict.Thresholds  `json:"thresholds"`
	Labels     map[string][]string `json:"labels,omitempty"`
	// Ceilings are the arms' shared limits, by comparison and metric.
	Ceilings map[string]map[string]float64 `json:"ceilings,omitempty"`
	Seed     uint64                        `json:"seed"`
}

// Plan returns the run's plan as JSON and its SHA-256.
func (s *Suite) Plan() (json.RawMessage, string, error) {
	shared := map[string]map[string]float64{}
	for _, name := range s.Profile.Comparisons {
		cmp, _, err := s.narrowed(name, journal.PhaseFull)
		if err != nil {
			return nil, "", err
		}
		limits, err := s.ceilings(cmp)
		if err != nil {
			return nil, "", err
		}
		if len(limits) > 0 {
			shared[name] = limits
		}
	}
	b, err := json.Marshal(Plan{s.Profile, s.Catalogue, s.Thresholds, s.options.Labels, shared, s.Seed})
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
