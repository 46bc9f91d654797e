// Package features holds what is measured: the catalogue of arms, benchmarks
// and comparisons as data, the loop that measures a comparison in interleaved
// rounds, and the builder that makes an e2e feature of it.
package features

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/features/tool/toolbox"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// Arm is one datapath under test.
type Arm struct {
	Name    string           `yaml:"name"`
	Cluster string           `yaml:"cluster"` // of the lab, where its pods run
	CNI     string           `yaml:"cni"`
	Network workload.Network `yaml:"network"`
	// ServerNetwork is the server's network, if it is another.
	ServerNetwork workload.Network `yaml:"serverNetwork"`
	Path          string           `yaml:"path"` // overrides the comparison's, for host-network arms
	// Service is what turns a ClusterIP into a pod's address: kube-proxy or
	// socket-lb. An arm without it is not measured by ClusterIP.
	Service string `yaml:"service"`
	// ServiceInterface is the client's interface towards ClusterIPs, if it is
	// another than towards pods.
	ServiceInterface string `yaml:"serviceInterface"`
	// HostInterface is how the names of the node's ends of the pods' interfaces
	// begin. An arm without it has no such end.
	HostInterface string `yaml:"hostInterface"`
	// Accelerated arms have the server's port accelerated by tcpip-bypass.
	Accelerated bool `yaml:"accelerated"`
	// Server and Port override the benchmark's.
	Server string `yaml:"server"`
	Port   int    `yaml:"port"`
}

// of returns the benchmark as the arm runs it.
func (a Arm) of(b Benchmark) Benchmark {
	if a.Server != "" {
		b.Server = a.Server
	}
	if a.Port != 0 {
		b.Port = a.Port
	}
	return b
}

// interfaceOn is the client's interface that the path's packets cross.
func (a Arm) interfaceOn(path string) string {
	if path == "cluster-ip" && a.ServiceInterface != "" {
		return a.ServiceInterface
	}
	return podInterface
}

// Benchmark is a tool with its parameters.
type Benchmark = tool.Benchmark

// Comparison is a set of arms measured together, round by round.
type Comparison struct {
	Name      string   `yaml:"name"`
	Title     string   `yaml:"title"`
	Benchmark string   `yaml:"benchmark"`
	Path      string   `yaml:"path"`
	Placement string   `yaml:"placement"`
	Arms      []string `yaml:"arms"`
	Control   string   `yaml:"control"`
	Early     []string `yaml:"early"` // arms of one cluster that are also measured while the others are not ready
}

// Catalogue is everything that can be measured.
type Catalogue struct {
	Arms        []Arm        `yaml:"arms"`
	Benchmarks  []Benchmark  `yaml:"benchmarks"`
	Comparisons []Comparison `yaml:"comparisons"`
}

//go:embed catalogue.yaml
var catalogueYAML []byte

// LoadCatalogue returns the embedded catalogue.
func LoadCatalogue() (*Catalogue, error) {
	var c Catalogue
	if err := decodeStrict(bytes.NewReader(catalogueYAML), &c, c.validate); err != nil {
		return nil, fmt.Errorf("catalogue.yaml: %w", err)
	}
	return &c, nil
}

func (c *Catalogue) validate() error {
	for i, a := range c.Arms {
		at := []any{"arms", i}
		switch {
		case !nameRE.MatchString(a.Name):
			return wrong(append(at, "name"), "arm %q: want lower-case letters, digits and dashes as its name", a.Name)
		case slices.ContainsFunc(c.Arms[:i], func(o Arm) bool { return o.Name == a.Name }):
			return wrong(append(at, "name"), "arm %s: is there a second time", a.Name)
		case a.Cluster == "" || a.CNI == "" || a.Network == "":
			return wrong(at, "arm %s: want a cluster, a cni and a network", a.Name)
		case a.Port != 0 && !validPort(a.Port):
			return wrong(append(at, "port"), "arm %s: port is %d, want 1 to 65535", a.Name, a.Port)
		}
	}
	for i, b := range c.Benchmarks {
		if err := validateBenchmark(b, []any{"benchmarks", i}); err != nil {
			return err
		}
		if slices.ContainsFunc(c.Benchmarks[:i], func(o Benchmark) bool { return o.Name == b.Name }) {
			return wrong([]any{"benchmarks", i, "name"}, "benchmark %s: is there a second time", b.Name)
		}
	}
	for i, cmp := range c.Comparisons {
		if err := c.validateComparison(cmp, []any{"comparisons", i}); err != nil {
			return err
		}
		if slices.ContainsFunc(c.Comparisons[:i], func(o Comparison) bool { return o.Name == cmp.Name }) {
			return wrong([]any{"comparisons", i, "name"}, "comparison %s: is there a second time", cmp.Name)
		}
	}
	return nil
}

// nameRE is what names may look like: they become parts of pods' names and of
// labels.
var nameRE = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

func validPort(p int) bool { return p >= 1 && p <= 65535 }

func validateBenchmark(b Benchmark, at []any) error {
	if !nameRE.MatchString(b.Name) {
		return wrong(append(at, "name"), "benchmark %q: want lower-case letters, digits and dashes as its name", b.Name)
	}
	err := toolbox.Validate(b)
	if field := (*tool.FieldError)(nil); errors.As(err, &field) {
		return wrong(append(at, field.Field), "%w", err)
	}
	return err
}

func (c *Catalogue) validateComparison(cmp Comparison, at []any) error {
	if !nameRE.MatchString(cmp.Name) {
		return wrong(append(at, "name"), "comparison %q: want lower-case letters, digits and dashes as its name", cmp.Name)
	}
	if _, err := c.Benchmark(cmp.Benchmark); err != nil {
		return wrong(append(at, "benchmark"), "comparison %s: %w", cmp.Name, err)
	}
	if cmp.Path != "pod-ip" && cmp.Path != "cluster-ip" {
		return wrong(append(at, "path"), "comparison %s: path is %q, want pod-ip or cluster-ip", cmp.Name, cmp.Path)
	}
	if cmp.Placement != "cross-node" && cmp.Placement != "same-node" {
		return wrong(append(at, "placement"), "comparison %s: placement is %q, want cross-node or same-node", cmp.Name, cmp.Placement)
	}
	for i, a := range cmp.Arms {
		arm, err := c.Arm(a)
		if err != nil {
			return wrong(append(at, "arms", i), "comparison %s: %w", cmp.Name, err)
		}
		if cell(cmp, arm).Path == "cluster-ip" && arm.Service != kubeProxy && arm.Service != socketLB {
			return wrong(append(at, "arms", i), "comparison %s: arm %s has service %q, want %s or %s", cmp.Name, a, arm.Service, kubeProxy, socketLB)
		}
	}
	for i, a := range cmp.Early {
		if !slices.Contains(cmp.Arms, a) {
			return wrong(append(at, "early", i), "comparison %s: early arm %q is not one of its arms %v", cmp.Name, a, cmp.Arms)
		}
	}
	if !slices.Contains(cmp.Arms, cmp.Control) {
		return wrong(append(at, "control"), "comparison %s: control %q is not one of its arms %v", cmp.Name, cmp.Control, cmp.Arms)
	}
	return nil
}

// Arm returns the arm of that name, or an error that lists the known ones.
func (c *Catalogue) Arm(name string) (Arm, error) {
	return byName("arm", c.Arms, func(a Arm) string { return a.Name }, name)
}

// Benchmark returns the benchmark of that name, or an error that lists the
// known ones.
func (c *Catalogue) Benchmark(name string) (Benchmark, error) {
	return byName("benchmark", c.Benchmarks, func(b Benchmark) string { return b.Name }, name)
}

// Comparison returns the comparison of that name, or an error that lists the
// known ones.
func (c *Catalogue) Comparison(name string) (Comparison, error) {
	return byName("comparison", c.Comparisons, func(c Comparison) string { return c.Name }, name)
}

func byName[T any](kind string, all []T, nameOf func(T) string, name string) (T, error) {
	names := make([]string, len(all))
	for i, v := range all {
		if names[i] = nameOf(v); names[i] == name {
			return v, nil
		}
	}
	var none T
	return none, fmt.Errorf("unknown %s %q: known are %s", kind, name, strings.Join(names, ", "))
}

// Cells returns the cells of one round: every arm, then the control's copy.
func (c *Catalogue) Cells(cmp Comparison) ([]measure.Cell, error) {
	var cells []measure.Cell
	for _, name := range cmp.Arms {
		arm, err := c.Arm(name)
		if err != nil {
			return nil, err
		}
		cells = append(cells, cell(cmp, arm))
	}
	arm, err := c.Arm(cmp.Control)
	if err != nil {
		return nil, err
	}
	control := cell(cmp, arm)
	control.Control = true
	return append(cells, control), nil
}

func cell(cmp Comparison, arm Arm) measure.Cell {
	p := cmp.Path
	if arm.Path != "" {
		p = arm.Path
	}
	return measure.Cell{Arm: arm.Name, Path: p, Placement: cmp.Placement, Benchmark: cmp.Benchmark}
}

// Clusters returns the lab's clusters that the comparison needs, in the order
// of its arms.
func (c *Catalogue) Clusters(cmp Comparison) ([]string, error) {
	var clusters []string
	for _, name := range cmp.Arms {
		arm, err := c.Arm(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(clusters, arm.Cluster) {
			clusters = append(clusters, arm.Cluster)
		}
	}
	return clusters, nil
}

// Within returns the comparison narrowed to the arms of the given clusters, and
// the arms left out.
func (c *Catalogue) Within(cmp Comparison, clusters []string) (Comparison, []Arm, error) {
	var left []Arm
	narrowed := cmp
	narrowed.Arms = nil
	for _, name := range cmp.Arms {
		arm, err := c.Arm(name)
		if err != nil {
			return cmp, nil, err
		}
		if slices.Contains(clusters, arm.Cluster) {
			narrowed.Arms = append(narrowed.Arms, name)
		} else {
			left = append(left, arm)
		}
	}
	if !slices.Contains(narrowed.Arms, cmp.Control) {
		return cmp, nil, fmt.Errorf("comparison %s: its control %s is in none of the clusters %v", cmp.Name, cmp.Control, clusters)
	}
	return narrowed, left, nil
}

// Labels returns the e2e labels of a comparison and their values.
func (c *Catalogue) Labels(cmp Comparison) map[string][]string {
	labels := map[string][]string{
		"comparison": {cmp.Name},
		"benchmark":  {cmp.Benchmark},
		"path":       {cmp.Path},
		"placement":  {cmp.Placement},
		"arm":        slices.Clone(cmp.Arms),
	}
	if b, err := c.Benchmark(cmp.Benchmark); err == nil {
		labels["tool"] = []string{b.Tool}
	}
	for _, name := range cmp.Arms {
		if arm, err := c.Arm(name); err == nil && !slices.Contains(labels["cni"], arm.CNI) {
			labels["cni"] = append(labels["cni"], arm.CNI)
		}
	}
	return labels
}

// Selected tells whether the framework's -labels choose the comparison: it has
// one of the values asked for of every label. The phase is not the comparison's.
func (c *Catalogue) Selected(cmp Comparison, asked map[string][]string) bool {
	labels := c.Labels(cmp)
	for k, vs := range asked {
		if k != phaseLabel && !slices.ContainsFunc(vs, func(v string) bool { return slices.Contains(labels[k], v) }) {
			return false
		}
	}
	return true
}

// phaseLabel tells a feature's phase, first or full.
const phaseLabel = "phase"

// CheckLabels refuses a label or value that no comparison has, since the
// framework would silently select nothing.
func (c *Catalogue) CheckLabels(asked map[string][]string) error {
	known := map[string][]string{phaseLabel: {journal.PhaseFirst, journal.PhaseFull}}
	for _, cmp := range c.Comparisons {
		for k, vs := range c.Labels(cmp) {
			for _, v := range vs {
				if !slices.Contains(known[k], v) {
					known[k] = append(known[k], v)
				}
			}
		}
	}
	for k, vs := range asked {
		values, ok := known[k]
		if !ok {
			return fmt.Errorf("unknown label %q: known are %s", k, strings.Join(sortedKeys(known), ", "))
		}
		for _, v := range vs {
			if !slices.Contains(values, v) {
				return fmt.Errorf("no comparison has the label %s=%s: known values are %s", k, v, strings.Join(values, ", "))
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

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
	Clusters      []string `yaml:"clusters"` // only the arms of these, if any are named
	Judge         bool     `yaml:"judge"`    // whether its rounds suffice for verdicts
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

// length is how long one sample of a benchmark takes.
func (p Profile) length(b Benchmark) time.Duration {
	seconds := p.SampleSeconds
	if s, ok := p.BenchmarkSeconds[b.Name]; ok {
		seconds = s
	}
	return time.Duration(seconds) * time.Second
}

func (p Profile) validate(c *Catalogue) error {
	check := func(v, low, high int, at ...any) error {
		if v < low || v > high {
			return wrong(at, "%s is %d, want %d to %d", at[len(at)-1], v, low, high)
		}
		return nil
	}
	if p.APIVersion != "cniperf.io/v1" || p.Kind != "Profile" {
		return wrong([]any{"apiVersion"}, "is %s %s, want cniperf.io/v1 Profile", p.APIVersion, p.Kind)
	}
	if err := check(p.SampleSeconds, 1, 300, "sampleSeconds"); err != nil {
		return err
	}
	for _, name := range sortedKeys(p.BenchmarkSeconds) {
		if _, err := c.Benchmark(name); err != nil {
			return wrong([]any{"benchmarkSeconds", name}, "benchmarkSeconds: %w", err)
		}
		if err := check(p.BenchmarkSeconds[name], 1, 300, "benchmarkSeconds", name); err != nil {
			return err
		}
	}
	if err := p.Pin.validate(); err != nil {
		return err
	}
	if err := check(p.PodSets, 1, maxPodSets, "podSets"); err != nil {
		return err
	}
	if err := check(p.MinRounds, 1, 1000, "minRounds"); err != nil {
		return err
	}
	if err := check(p.MaxRounds, p.MinRounds, 1000, "maxRounds"); err != nil {
		return err
	}
	if err := check(p.InformRounds, p.MinRounds, p.MaxRounds, "informRounds"); err != nil {
		return err
	}
	if err := check(p.BudgetMinutes, 1, 24*60, "budgetMinutes"); err != nil {
		return err
	}
	if err := p.Interference.Validate(); err != nil {
		return fmt.Errorf("profile %s: %w", p.Name, err)
	}
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
	for i, name := range p.Clusters {
		if !slices.ContainsFunc(c.Arms, func(a Arm) bool { return a.Cluster == name }) {
			return wrong([]any{"clusters", i}, "no arm is in a cluster %q", name)
		}
	}
	return nil
}
