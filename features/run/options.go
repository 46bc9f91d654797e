package run

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/images"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/journal"
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
	// Source is the folder of cniperf's own source, which its programs in pods are
	// compiled from; empty: it is looked for.
	Source   string
	Registry images.Registry // how images are come by
	Gate     bool            // whether verdicts decide the exit code
	Timeout  time.Duration   // go test's own, 0 for none

	// The framework's selection of features, whose names are the comparisons'.
	Labels               map[string][]string
	Feature, SkipFeature *regexp.Regexp
}

const defaultProfile = "quick"

// New checks everything the user chose. It touches no machine and no cluster:
// Begin does.
func New(o Options) (*Session, error) {
	s := &Session{options: o, started: time.Now(), book: &book{past: &journal.Run{}}}
	if o.Resume != "" {
		if err := s.recall(o.Resume); err != nil {
			return nil, err
		}
	}
	if err := o.Registry.Check(); err != nil {
		return nil, err
	}
	var err error
	if s.lab, err = lab.Default(); o.Lab != "" {
		s.lab, err = lab.Load(o.Lab)
	}
	if err != nil {
		return nil, err
	}
	in := plan.Inputs{Lab: s.lab, Seed: s.options.Seed, Labels: o.Labels, Only: o.Feature, But: o.SkipFeature}
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
	if in.Thresholds, err = o.thresholds(); err != nil {
		return nil, err
	}
	s.plan, err = plan.New(in)
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

func (o Options) thresholds() (verdict.Thresholds, error) {
	if o.Thresholds == "" {
		return verdict.OpenThresholds(manifests.Suite, "thresholds/spiderpool.yaml")
	}
	return verdict.OpenThresholds(os.DirFS(filepath.Dir(o.Thresholds)), filepath.Base(o.Thresholds))
}
