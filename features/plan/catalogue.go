package plan

import (
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Catalogue is everything that can be compared.
type Catalogue struct {
	Benchmarks  []Benchmark  `yaml:"benchmarks"`
	Comparisons []Comparison `yaml:"comparisons"`
	Datapaths   *Datapaths   `yaml:"-"`
}

// LoadCatalogue reads catalogue.yaml and datapaths.yaml of fsys.
func LoadCatalogue(fsys fs.FS) (*Catalogue, error) {
	const name = "catalogue.yaml"
	datapaths, err := LoadDatapaths(fsys)
	if err != nil {
		return nil, err
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	defer f.Close()
	c := Catalogue{Datapaths: datapaths}
	if err := decodeStrict(f, &c, func() error { return c.validate(&Catalogue{}) }); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &c, nil
}

// Add reads more benchmarks and comparisons and returns the names of these. They
// may build upon those that are there, and replace none.
func (c *Catalogue) Add(r io.Reader) ([]string, error) {
	more := Catalogue{Datapaths: c.Datapaths}
	if err := decodeStrict(r, &more, func() error { return more.validate(c) }); err != nil {
		return nil, err
	}
	var names []string
	for _, cmp := range more.Comparisons {
		names = append(names, cmp.Name)
	}
	c.Benchmarks = append(c.Benchmarks, more.Benchmarks...)
	c.Comparisons = append(c.Comparisons, more.Comparisons...)
	return names, nil
}

// validate checks a catalogue that is to be added to another.
func (c *Catalogue) validate(to *Catalogue) error {
	all := Catalogue{Benchmarks: slices.Clone(to.Benchmarks), Comparisons: slices.Clone(to.Comparisons), Datapaths: c.Datapaths}
	for i, b := range c.Benchmarks {
		if err := validateBenchmark(b, []any{"benchmarks", i}); err != nil {
			return err
		}
		if slices.ContainsFunc(all.Benchmarks, func(o Benchmark) bool { return o.Name == b.Name }) {
			return wrong([]any{"benchmarks", i, "name"}, "benchmark %s: is there a second time", b.Name)
		}
		all.Benchmarks = append(all.Benchmarks, b)
	}
	for i, cmp := range c.Comparisons {
		if err := all.validateComparison(cmp, []any{"comparisons", i}); err != nil {
			return err
		}
		if slices.ContainsFunc(all.Comparisons, func(o Comparison) bool { return o.Name == cmp.Name }) {
			return wrong([]any{"comparisons", i, "name"}, "comparison %s: is there a second time", cmp.Name)
		}
		all.Comparisons = append(all.Comparisons, cmp)
	}
	return nil
}

// nameRE is what names may look like: they become parts of pods' names and of
// labels.
var nameRE = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

func validPort(p int) bool { return p >= 1 && p <= 65535 }

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
