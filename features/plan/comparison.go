package plan

import (
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// Comparison is a set of arms measured together, round by round.
type Comparison struct {
	Name      string   `yaml:"name"`
	Title     string   `yaml:"title"`
	Benchmark string   `yaml:"benchmark"`
	Path      string   `yaml:"path"`
	Placement string   `yaml:"placement"`
	Arms      []string `yaml:"arms"`
	Control   string   `yaml:"control"`
	Early     []string `yaml:"early"` // arms of one cluster, the control among them, that are also measured while the others are not ready
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
	for i, a := range cmp.Arms {
		arm, err := c.Arm(a)
		if err != nil {
			return wrong(append(at, "arms", i), "comparison %s: %w", cmp.Name, err)
		}
		if arm.cell(cmp).Path == measure.ClusterIP && arm.Service != KubeProxy && arm.Service != SocketLB {
			return wrong(append(at, "arms", i), "comparison %s: arm %s has service %q, want %s or %s", cmp.Name, a, arm.Service, KubeProxy, SocketLB)
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

// cells are those of one round: every arm, then the control's second copy.
func (c *Catalogue) cells(cmp Comparison) ([]measure.Cell, error) {
	var cells []measure.Cell
	for _, name := range cmp.Arms {
		arm, err := c.Arm(name)
		if err != nil {
			return nil, err
		}
		cells = append(cells, arm.cell(cmp))
	}
	arm, err := c.Arm(cmp.Control)
	if err != nil {
		return nil, err
	}
	control := arm.cell(cmp)
	control.Control = true
	return append(cells, control), nil
}

// clusters are the lab's that the comparison needs, in the order of its arms.
func (c *Catalogue) clusters(cmp Comparison) ([]string, error) {
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
