package features

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"sigs.k8s.io/e2e-framework/pkg/types"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/images"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/owned"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/internal/report"
	"github.com/cniperf/cniperf/internal/verdict"
	"github.com/cniperf/cniperf/manifests"
)

// Options are what a user chooses about one run.
type Options struct {
	Profile    string // name of the profile; empty for quick, or that of the run to resume
	Lab        string // path of a lab file, empty for the embedded lab
	Catalogue  string // path of a file with comparisons to measure after the profile's, empty for none
	Thresholds string // path of a thresholds file, empty for the embedded one
	RunDir     string // the run's folder, empty for one named after time and profile
	Resume     string // folder of the run to go on with, or latest; empty for a new run
	Seed       uint64 // of the random order; 0 draws one
	DryRun     bool
	Gate       bool          // whether verdicts decide the exit code
	Timeout    time.Duration // go test's own, 0 for none

	// The framework's selection of features, whose names are the comparisons'.
	Labels               map[string][]string
	Feature, SkipFeature *regexp.Regexp
}

// ErrInterrupted is the cause of a context that a signal ended.
var ErrInterrupted = errors.New("interrupted")

// ExitInterrupted is the exit code of a run that a signal ended.
const ExitInterrupted = 130

// cleanUpMargin is kept free before go test's timeout, whose panic would leave
// everything behind.
const cleanUpMargin = 90 * time.Second

const defaultProfile = "quick"

// NewSuite checks everything the user chose. It touches no machine and no
// cluster: Begin does.
func NewSuite(o Options) (*Suite, error) {
	s := &Suite{options: o, Started: time.Now(), past: &journal.Run{}}
	var err error
	if o.Resume != "" {
		err = s.recall(o.Resume)
	}
	if err != nil {
		return nil, err
	}
	in := plan.Inputs{Seed: s.options.Seed, Labels: o.Labels, Only: o.Feature, But: o.SkipFeature}
	if in.Seed == 0 {
		in.Seed = rand.Uint64()
	}
	if in.Catalogue, err = plan.LoadCatalogue(manifests.Suite); err != nil {
		return nil, err
	}
	if o.Catalogue != "" {
		if in.Extra, err = addCatalogue(in.Catalogue, o.Catalogue); err != nil {
			return nil, err
		}
	}
	if in.Profile, err = plan.LoadProfile(manifests.Suite, cmp.Or(s.options.Profile, defaultProfile), in.Catalogue); err != nil {
		return nil, err
	}
	thresholds, file := fs.FS(manifests.Suite), "thresholds/spiderpool.yaml"
	if o.Thresholds != "" {
		thresholds, file = os.DirFS(filepath.Dir(o.Thresholds)), filepath.Base(o.Thresholds)
	}
	if in.Thresholds, err = verdict.OpenThresholds(thresholds, file); err != nil {
		return nil, err
	}
	if s.spec, err = lab.Default(); o.Lab != "" {
		s.spec, err = lab.Load(o.Lab)
	}
	if err != nil {
		return nil, err
	}
	in.Lab = s.spec
	s.Plan, err = plan.New(in)
	return s, err
}

// addCatalogue adds a user's file to the catalogue and returns the names of its
// comparisons.
func addCatalogue(c *plan.Catalogue, file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	defer f.Close()
	names, err := c.Add(f)
	if err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", file, err)
	}
	return names, nil
}

// Bounded ends ctx early enough before go test's timeout to clean up.
func (s *Suite) Bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.options.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	deadline := s.Started.Add(s.options.Timeout - cleanUpMargin)
	cause := fmt.Errorf("%w: go test's -timeout of %s would come in %s", context.DeadlineExceeded, s.options.Timeout, cleanUpMargin)
	return context.WithDeadlineCause(ctx, deadline, cause)
}

// Begin finds engine, images and lab, checks that the run fits go test's
// timeout, and opens the journal. Calls after the first return its answer.
func (s *Suite) Begin(ctx context.Context) error {
	if !s.begun {
		s.begun = true
		s.beginErr = s.begin(ctx)
	}
	return s.beginErr
}

func (s *Suite) begin(ctx context.Context) error {
	s.Progress = progress.New(terminalOrStdout())
	root, err := projectRoot()
	if err != nil {
		return err
	}
	if s.RunID == "" {
		s.RunID = strings.ToLower(s.Started.UTC().Format("20060102T150405Z")) + "-" + s.Plan.Profile.Name
		s.RunDir = cmp.Or(s.options.RunDir, filepath.Join(root, "runs", s.RunID))
	}
	var engine string
	if s.spec.NeedsEngine() {
		if engine, err = machine.Engine(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrInfrastructure, err)
		}
	}
	if s.Testbed, err = s.newTestbed(root, engine); err != nil {
		return err
	}
	if err := s.fits(ctx); err != nil {
		return err
	}
	fingerprint, err := s.fingerprint(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	recorded, hash, err := s.Plan.Record()
	if err != nil {
		return err
	}
	version, err := version(root)
	if err != nil {
		return err
	}
	header := journal.Header{
		RunID: s.RunID, Seed: s.Plan.Seed, Profile: s.Plan.Profile.Name, Plan: recorded, PlanHash: hash,
		Fingerprint: fingerprint, Started: s.Started, Version: version, Command: os.Args,
	}
	if s.options.Resume != "" {
		if err := s.reopen(header); err != nil {
			return err
		}
		s.Progress.Printf("run %s, seed %d, goes on in %s after %s", s.RunID, s.Plan.Seed, s.RunDir, progress.Round(s.before))
		return nil
	}
	if s.Journal, err = journal.Create(s.RunDir, header); err != nil {
		return fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	s.Progress.Printf("run %s, seed %d, recorded in %s", s.RunID, s.Plan.Seed, s.RunDir)
	return nil
}

// fingerprint is the machine's, and the lab that was asked for. What a cluster
// is, is known and compared once it stands.
func (s *Suite) fingerprint(ctx context.Context) (map[string]string, error) {
	print, err := machine.Fingerprint(ctx)
	if err != nil {
		return nil, err
	}
	file, err := json.Marshal(s.spec)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	sum := sha256.Sum256(file)
	print["lab"], print["provider"] = hex.EncodeToString(sum[:8]), s.Testbed.Provider()
	return print, nil
}

// elapsed is how long the run has been at work, by the monotonic clock; a pause
// before it was resumed doesn't count.
func (s *Suite) elapsed() time.Duration { return s.before + time.Since(s.Started) }

func (s *Suite) newTestbed(root, engine string) (*testbed.Testbed, error) {
	cache, err := machine.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	return &testbed.Testbed{
		Spec:     s.spec,
		Lab:      lab.New(s.spec, lab.Options{Engine: engine, Dir: filepath.Join(cache, "lab"), Progress: s.Progress}),
		Images:   &images.Builder{Root: root, CacheDir: cache, Engine: engine},
		Progress: s.Progress,
		RunID:    s.RunID,
	}, nil
}

// run marks what the run makes in its clusters.
func (s *Suite) run() owned.Run {
	return owned.Run{ID: s.RunID, Expires: s.Started.Add(leftoverTTL)}
}

// labUp is how long a cluster takes from its images to its proof, as measured
// on two cores; it only feeds estimates.
const labUp = 2 * time.Minute

// Expected estimates the run: images and clusters that are missing, and all the
// rounds the profile allows.
func (s *Suite) Expected(ctx context.Context) (time.Duration, error) {
	var total, measuring time.Duration
	seen, up := map[string]bool{}, map[string]bool{}
	clusters, err := s.Testbed.Lab.Status(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	for _, c := range clusters {
		up[c.Cluster] = c.State == lab.Running
	}
	for _, cmp := range s.Plan.Selected() {
		for _, c := range cmp.Clusters {
			if seen[c] {
				continue
			}
			seen[c] = true
			_, build, err := s.Testbed.Missing(ctx, c)
			if err != nil {
				return 0, err
			}
			total += build
			if !up[c] {
				total += labUp
			}
		}
		sample := s.Plan.Profile.Length(cmp.Bench) + sampleOverhead
		measuring += time.Duration(cmp.MaxRounds*len(cmp.Cells)) * sample
	}
	budget := time.Duration(s.Plan.Profile.BudgetMinutes) * time.Minute
	return total + min(measuring, budget), nil
}

// fits compares what the run needs with what go test allows.
func (s *Suite) fits(ctx context.Context) error {
	need, err := s.Expected(ctx)
	if err != nil {
		return err
	}
	s.Progress.Printf("profile %s: at most about %s, of which little is left once it was run before", s.Plan.Profile.Name, progress.Round(need))
	left := time.Until(s.Started.Add(s.options.Timeout)) - cleanUpMargin
	if s.options.Timeout == 0 || need <= left {
		return nil
	}
	minutes := int((need+cleanUpMargin).Minutes()*1.25) + 1
	return fmt.Errorf("%w: this run may take %s and go test ends it after %s: pass -timeout %dm",
		ErrInfrastructure, progress.Round(need), s.options.Timeout, minutes)
}

// Features are those of the profile in a phase. An empty list of the first
// phase comes with the reason.
func (s *Suite) Features(ctx context.Context, phase string) ([]types.Feature, string, error) {
	var list []types.Feature
	var why []string
	for _, cmp := range s.Plan.In(phase) {
		name := cmp.Name
		if phase == journal.PhaseFirst && !s.options.DryRun {
			if err := s.Begin(ctx); err != nil {
				return nil, "", err
			}
			early, reason, err := s.Early(ctx, name)
			if err != nil {
				return nil, "", err
			}
			if !early {
				why = append(why, name+": "+reason)
				continue
			}
		}
		f, err := s.Feature(name, phase)
		if err != nil {
			return nil, "", err
		}
		list = append(list, f)
	}
	return list, strings.Join(why, "; "), nil
}

// Finish ends the run: it lets go of the lab, records the outcome, writes and
// prints the report, and returns the exit code. tests is that of the tests.
func (s *Suite) Finish(ctx context.Context, tests int) int {
	if s.options.DryRun {
		if err := s.printPlan(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "cniperf:", err)
			return verdict.ExitInfrastructure
		}
		return tests
	}
	if !s.begun {
		if len(s.options.Labels) > 0 {
			fmt.Fprintf(os.Stderr, "cniperf: the labels %v together select nothing\n", s.options.Labels)
			return verdict.ExitInfrastructure
		}
		return tests
	}
	defer s.Progress.Close()
	code, reason, err := s.Outcome()
	switch {
	case err != nil:
		code, reason = verdict.ExitInfrastructure, err.Error()
	case errors.Is(context.Cause(ctx), ErrInterrupted):
		code, reason = ExitInterrupted, context.Cause(ctx).Error()
	case s.beginErr != nil:
		code, reason = verdict.ExitInfrastructure, s.beginErr.Error()
	case code == verdict.ExitPass && tests != 0:
		code, reason = verdict.ExitInfrastructure, "a test step failed without a verdict"
	}
	word := outcomeWords[code]
	code, reason = s.options.gated(code, reason)
	if err := s.conclude(context.WithoutCancel(ctx), word, code, reason); err != nil {
		fmt.Fprintln(os.Stderr, "cniperf:", err)
		if code == verdict.ExitPass {
			code = verdict.ExitInfrastructure
		}
	}
	if s.diagnostics != "" {
		fmt.Println("cniperf:", s.diagnostics)
	}
	fmt.Printf("cniperf: %s (exit code %d)\n", reason, code)
	return code
}

// outcomeWords are how the journal calls a run's end.
var outcomeWords = map[int]string{
	verdict.ExitPass: "pass", verdict.ExitFail: "fail", verdict.ExitInconclusive: "inconclusive",
	verdict.ExitInfrastructure: "infrastructure", ExitInterrupted: "interrupted",
}

// gated is the exit code that the user wants for an outcome: without the gate a
// verdict only informs, while a run that broke still says so.
func (o Options) gated(code int, reason string) (int, string) {
	if !o.Gate && (code == verdict.ExitFail || code == verdict.ExitInconclusive) {
		return verdict.ExitPass, reason + "; with -gate=false that only informs"
	}
	return code, reason
}

func (s *Suite) conclude(ctx context.Context, outcome string, code int, reason string) error {
	if s.Journal == nil {
		return nil
	}
	s.diagnostics = s.diagnose(ctx, code, reason)
	ctx, cancel := context.WithTimeout(ctx, cleanUpTimeout)
	defer cancel()
	s.Progress.Printf("removing the run's pods")
	err := errors.Join(
		s.cleanUp(ctx),
		s.Testbed.Release(ctx),
		s.Journal.Append(journal.End{Outcome: outcome, ExitCode: code, Reason: reason, Duration: s.elapsed()}),
		s.Journal.Close(),
	)
	return errors.Join(err, s.PrintReport())
}

// PrintReport writes the reports of what the journal holds so far and prints
// the tables.
func (s *Suite) PrintReport() error {
	run, err := journal.Read(s.RunDir)
	if err != nil {
		return err
	}
	f, err := manifests.Suite.Open("published.yaml")
	if err != nil {
		return err
	}
	defer f.Close()
	published, err := report.DecodePublished(f)
	if err != nil {
		return fmt.Errorf("published.yaml: %w", err)
	}
	if err := report.Write(s.RunDir, run, published); err != nil {
		return err
	}
	return report.New(run, published).Text(os.Stdout)
}

// projectRoot is the folder that holds this module's recipes: the working
// directory or the nearest one above it with a go.mod.
func projectRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no go.mod in %s or above: run cniperf in its source tree, where the image recipes are", dir)
		}
	}
}

// terminalOrStdout is the terminal if there is one, since go test keeps a
// test's own output back until it ends.
func terminalOrStdout() *os.File {
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		return tty
	}
	return os.Stdout
}
