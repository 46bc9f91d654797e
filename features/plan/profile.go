package plan

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/interference"
)

// Profile is how much to measure.
type Profile struct {
	APIVersion    string `yaml:"apiVersion"`
	Kind          string `yaml:"kind"`
	Name          string `yaml:"name"`
	SampleSeconds int    `yaml:"sampleSeconds"` // of one sample
	// BenchmarkSeconds are the same for single benchmarks, by name, instead.
	BenchmarkSeconds map[string]int `yaml:"benchmarkSeconds"`
	// Published runs the published page's own command lines.
	Published bool `yaml:"published"`
	// Pin is where the tools run.
	Pin Pin `yaml:"pin"`
	// PodSets is how many pairs of pods every cell has. Rounds measure them in turn.
	PodSets       int      `yaml:"podSets"`
	MinRounds     int      `yaml:"minRounds"`
	MaxRounds     int      `yaml:"maxRounds"`     // valid ones, where a gate is at stake
	InformRounds  int      `yaml:"informRounds"`  // the same where claims only inform
	BudgetMinutes int      `yaml:"budgetMinutes"` // after which no further comparison begins
	Comparisons   []string `yaml:"comparisons"`
	MaxClusters   int      `yaml:"maxClusters"` // of the lab, the first ones; 0 for all
	Clusters      []string `yaml:"-"`           // their names, where that is not all
	Judge         bool     `yaml:"judge"`       // whether its rounds suffice for verdicts
	// Interference is which rounds are marked and which dropped because others
	// disturbed them.
	Interference interference.Rule `yaml:"interference"`
}

// Pin is the CPU that clients and servers are pinned to, each one CPU: lastCPU
// or a number. Where both ends are on one machine it had better be the same for
// both: with two, latency depends on what else runs on either.
type Pin struct {
	Client string `yaml:"client"`
	Server string `yaml:"server"`
}

// lastCPU is the last of the CPUs that a pod may use. The embedded lab keeps
// all else off it.
const lastCPU = "last"

// maxPodSets is how many pairs of pods of every cell a lab is expected to hold.
const maxPodSets = 4

// maxCPUs is the most CPUs that podrun can tell apart.
const maxCPUs = 1024

func (p Pin) validate() error {
	for _, end := range []struct{ name, cpu string }{{"client", p.Client}, {"server", p.Server}} {
		n, err := strconv.Atoi(end.cpu)
		if end.cpu != lastCPU && (err != nil || n < 0 || n >= maxCPUs) {
			return wrong([]any{"pin", end.name}, "pin.%s is %q, want %s or the number of a CPU below %d", end.name, end.cpu, lastCPU, maxCPUs)
		}
	}
	return nil
}

// LoadProfile reads the profile of that name from fsys (profiles/NAME.yaml).
func LoadProfile(fsys fs.FS, name string, c *Catalogue) (Profile, error) {
	f, err := fsys.Open(path.Join("profiles", name+".yaml"))
	if err != nil {
		known, globErr := fs.Glob(fsys, "profiles/*.yaml")
		if globErr != nil {
			return Profile{}, globErr
		}
		for i, k := range known {
			known[i] = strings.TrimSuffix(path.Base(k), ".yaml")
		}
		return Profile{}, fmt.Errorf("unknown profile %q: known are %s", name, strings.Join(known, ", "))
	}
	defer f.Close()
	var p Profile
	if err := decodeStrict(f, &p, func() error { return p.validate(c) }); err != nil {
		return Profile{}, fmt.Errorf("profile %s: %w", name, err)
	}
	return p, nil
}

// Length is how long one sample of a benchmark takes.
func (p Profile) Length(b Benchmark) time.Duration {
	seconds := p.SampleSeconds
	if s, ok := p.BenchmarkSeconds[b.Name]; ok {
		seconds = s
	}
	return time.Duration(seconds) * time.Second
}

func (p Profile) validate(c *Catalogue) error {
	if p.APIVersion != "cniperf.io/v1" || p.Kind != "Profile" {
		return wrong([]any{"apiVersion"}, "is %s %s, want cniperf.io/v1 Profile", p.APIVersion, p.Kind)
	}
	if err := within(p.SampleSeconds, 1, maxSampleSeconds, "sampleSeconds"); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(p.BenchmarkSeconds)) {
		if _, err := c.Benchmark(name); err != nil {
			return wrong([]any{"benchmarkSeconds", name}, "benchmarkSeconds: %w", err)
		}
		if err := within(p.BenchmarkSeconds[name], 1, maxSampleSeconds, "benchmarkSeconds", name); err != nil {
			return err
		}
	}
	if err := p.Pin.validate(); err != nil {
		return err
	}
	for _, n := range []struct {
		field        string
		v, low, high int
	}{
		{"podSets", p.PodSets, 1, maxPodSets},
		{"minRounds", p.MinRounds, 1, 1000},
		{"maxRounds", p.MaxRounds, p.MinRounds, 1000},
		{"informRounds", p.InformRounds, p.MinRounds, p.MaxRounds},
		{"budgetMinutes", p.BudgetMinutes, 1, 24 * 60},
		{"maxClusters", p.MaxClusters, 0, 100},
	} {
		if err := within(n.v, n.low, n.high, n.field); err != nil {
			return err
		}
	}
	if err := p.Interference.Validate(); err != nil {
		return fmt.Errorf("profile %s: %w", p.Name, err)
	}
	return p.validateNames(c)
}

// validateNames checks the comparisons that the profile names.
func (p Profile) validateNames(c *Catalogue) error {
	if len(p.Comparisons) == 0 {
		return wrong([]any{"comparisons"}, "no comparisons")
	}
	if len(p.Comparisons) > 1000 {
		return wrong([]any{"comparisons"}, "%d comparisons, want at most 1000", len(p.Comparisons))
	}
	for i, name := range p.Comparisons {
		if _, err := c.Comparison(name); err != nil {
			return wrong([]any{"comparisons", i}, "%w", err)
		}
		if slices.Contains(p.Comparisons[:i], name) {
			return wrong([]any{"comparisons", i}, "comparison %s: is there a second time", name)
		}
	}
	return nil
}

// maxSampleSeconds bounds the length of one sample.
const maxSampleSeconds = 300

// within bounds the number of the field at a path.
func within(v, low, high int, at ...any) error {
	if v < low || v > high {
		return wrong(at, "%s is %d, want %d to %d", at[len(at)-1], v, low, high)
	}
	return nil
}

// on returns the profile with the clusters of a lab that it measures in, and where
// its arms can be.
func (p Profile) on(spec *lab.Spec, datapaths *Datapaths, everywhere bool) (Profile, site) {
	s := site{datapaths: datapaths, lab: spec.Clusters, within: spec.Clusters, profile: p.Name, everywhere: everywhere}
	if p.MaxClusters > 0 && p.MaxClusters < len(spec.Clusters) {
		s.within = spec.Clusters[:p.MaxClusters]
		for _, c := range s.within {
			p.Clusters = append(p.Clusters, c.Name)
		}
	}
	return p, s
}
