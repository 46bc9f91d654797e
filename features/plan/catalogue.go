package plan

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

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
		if err := b.validate([]any{"benchmarks", i}); err != nil {
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
