package plan

import (
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// Comparison is arms measured together, round by round. In a catalogue its arms
// are names of datapaths, in a plan those of arms.
type Comparison struct {
	Name      string   `yaml:"name"`
	Title     string   `yaml:"title"`
	Benchmark string   `yaml:"benchmark"`
	Path      string   `yaml:"path"`
	Placement string   `yaml:"placement"`
	Arms      []string `yaml:"arms"`
	Control   string   `yaml:"control"`
	// Early are arms of one cluster, the control among them, that are also measured
	// while the other clusters are not ready.
	Early []string `yaml:"early"`
}

func (c *Catalogue) validateComparison(cmp Comparison, at []any) error {
	if !nameRE.MatchString(cmp.Name) {
		return wrong(append(at, "name"), "comparison %q: want lower-case letters, digits and dashes as its name", cmp.Name)
	}
	if _, err := c.Benchmark(cmp.Benchmark); err != nil {
		return wrong(append(at, "benchmark"), "comparison %s: %w", cmp.Name, err)
	}
	if cmp.Path != measure.PodIP && cmp.Path != measure.ClusterIP {
		return wrong(append(at, "path"), "comparison %s: path is %q, want %s or %s", cmp.Name, cmp.Path, measure.PodIP, measure.ClusterIP)
	}
	if cmp.Placement != measure.CrossNode && cmp.Placement != measure.SameNode {
		return wrong(append(at, "placement"), "comparison %s: placement is %q, want %s or %s", cmp.Name, cmp.Placement, measure.CrossNode, measure.SameNode)
	}
	for i, name := range cmp.Arms {
		p, _, err := c.Datapaths.named(c.Datapaths.expand([]string{name})[0])
		if err != nil {
			return wrong(append(at, "arms", i), "comparison %s: %w", cmp.Name, err)
		}
		if p.cell(name, cmp).Path == measure.ClusterIP && !p.Service {
			return wrong(append(at, "arms", i), "comparison %s: arm %s has no service, so it has no ClusterIP", cmp.Name, name)
		}
		if slices.Contains(cmp.Arms[:i], name) {
			return wrong(append(at, "arms", i), "comparison %s: arm %s is there a second time", cmp.Name, name)
		}
	}
	for i, a := range cmp.Early {
		if !slices.Contains(cmp.Arms, a) {
			return wrong(append(at, "early", i), "comparison %s: early arm %q is not one of its arms %v", cmp.Name, a, cmp.Arms)
		}
	}
	if len(cmp.Early) > 0 && !slices.Contains(cmp.Early, cmp.Control) {
		return wrong(append(at, "early"), "comparison %s: its control %s is not one of its early arms %v", cmp.Name, cmp.Control, cmp.Early)
	}
	if !slices.Contains(cmp.Arms, cmp.Control) {
		return wrong(append(at, "control"), "comparison %s: control %q is not one of its arms %v", cmp.Name, cmp.Control, cmp.Arms)
	}
	return nil
}
