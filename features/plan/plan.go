// Package plan decides what a run measures: catalogue, profile, lab, thresholds
// and labels become a Plan. It asks no cluster and no clock, and reads no file
// but through an fs.FS.
package plan

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// Inputs are everything that decides a plan.
type Inputs struct {
	Catalogue  *Catalogue
	Profile    Profile
	Thresholds verdict.Thresholds
	Lab        *lab.Spec
	Seed       uint64              // of the random order
	Labels     map[string][]string // selects comparisons that have them
	// Only and But select comparisons by name. Nil selects all and leaves out none.
	// They are no part of the recorded plan: they choose what of it is run now.
	Only, But *regexp.Regexp
}

// Plan is what was decided for a run. It doesn't change once it is made.
type Plan struct {
	Profile    Profile // as the lab's clusters allow it
	Catalogue  *Catalogue
	Thresholds verdict.Thresholds
	Labels     map[string][]string
	Seed       uint64
	// LeftOut are the profile's comparisons that the lab can't measure.
	LeftOut []record.LeftOut

	full  []Decided // in the profile's order
	first []Decided // those that have a phase of their own for early arms
}

// Decided is what was decided of one comparison for one phase.
type Decided struct {
	Comparison // with the arms that the lab has, of those that the phase wants
	Bench      Benchmark
	Cells      []Cell   // of one round: every arm, then the control's second copy
	Clusters   []string // of the lab, in the order of the arms
	LeftOut    []record.LeftOut
	Assertions []verdict.Assertion // whose two cells the comparison has
	MaxRounds  int                 // valid ones, at most
	// Ceilings are the arms' shared limits by metric, in its unit.
	Ceilings map[string]float64

	selected bool
}

// Cell is a cell with its arm.
type Cell struct {
	Cell measure.Cell
	Arm  Arm
}

// New decides the plan. Its errors name what doesn't fit together.
func New(in Inputs) (Plan, error) {
	if err := in.Catalogue.CheckLabels(in.Labels); err != nil {
		return Plan{}, err
	}
	profile, left, err := in.Profile.on(in.Lab, in.Catalogue)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{
		Profile: profile, Catalogue: in.Catalogue, Thresholds: in.Thresholds,
		Labels: in.Labels, Seed: in.Seed, LeftOut: left,
	}
	for _, name := range profile.Comparisons {
		cmp, err := in.Catalogue.Comparison(name)
		if err != nil {
			return Plan{}, err
		}
		full, err := p.decide(in, cmp, cmp.Arms)
		if err != nil {
			return Plan{}, err
		}
		p.full = append(p.full, full)
		if len(cmp.Early) == 0 {
			continue
		}
		first, err := p.decide(in, cmp, cmp.Early)
		if err != nil {
			return Plan{}, err
		}
		p.first = append(p.first, first)
	}
	if err := p.checkRounds(); err != nil {
		return Plan{}, err
	}
	return p, p.checkAddresses(in.Lab)
}

// decide narrows the comparison to those of the wanted arms that the lab has, and
// gathers what follows from them.
func (p Plan) decide(in Inputs, cmp Comparison, wanted []string) (Decided, error) {
	d := Decided{Comparison: cmp}
	var err error
	if d.Bench, err = p.Catalogue.Benchmark(cmp.Benchmark); err != nil {
		return d, err
	}
	if d.Arms, d.LeftOut, err = p.narrow(in.Lab, cmp, wanted); err != nil {
		return d, err
	}
	cells, err := p.Catalogue.cells(d.Comparison)
	if err != nil {
		return d, err
	}
	for _, c := range cells {
		arm, err := p.Catalogue.Arm(c.Arm)
		if err != nil {
			return d, err
		}
		d.Cells = append(d.Cells, Cell{c, arm})
	}
	if d.Clusters, err = p.Catalogue.clusters(d.Comparison); err != nil {
		return d, err
	}
	if d.Ceilings, err = ceilings(in.Lab, cmp.Placement, d.Clusters); err != nil {
		return d, err
	}
	for _, a := range p.Thresholds.Assertions {
		x, y := a.Cells()
		if slices.Contains(cells, x) && slices.Contains(cells, y) {
			d.Assertions = append(d.Assertions, a)
		}
	}
	// What only informs gets fewer rounds than what a gate depends on.
	d.MaxRounds = p.Profile.InformRounds
	if slices.ContainsFunc(d.Assertions, gate) {
		d.MaxRounds = p.Profile.MaxRounds
	}
	d.selected = p.Catalogue.Selected(d.Comparison, in.Labels) &&
		(in.Only == nil || in.Only.MatchString(cmp.Name)) && (in.But == nil || !in.But.MatchString(cmp.Name))
	return d, nil
}

func gate(a verdict.Assertion) bool { return a.Role == verdict.Gate }

// narrow tells which of the wanted arms can be measured, and why the others can't.
func (p Plan) narrow(spec *lab.Spec, cmp Comparison, wanted []string) (arms []string, left []record.LeftOut, err error) {
	for _, name := range wanted {
		arm, err := p.Catalogue.Arm(name)
		if err != nil {
			return nil, nil, err
		}
		why, err := p.missing(spec, arm)
		switch {
		case err != nil:
			return nil, nil, err
		case why == nil:
			arms = append(arms, name)
		case name == cmp.Control:
			return nil, nil, fmt.Errorf("comparison %s: its control %s can't be measured: %s", cmp.Name, name, why)
		default:
			left = append(left, record.LeftOut{Arm: name, Comparison: cmp.Name, Reason: *why})
		}
	}
	return arms, left, nil
}

// missing is why the arm can't be measured, nil if it can.
func (p Plan) missing(spec *lab.Spec, arm Arm) (*record.Reason, error) {
	if len(p.Profile.Clusters) > 0 && !slices.Contains(p.Profile.Clusters, arm.Cluster) {
		why := elsewhere(p.Profile.Name, p.Profile.Clusters, arm)
		return &why, nil
	}
	cluster, err := spec.Cluster(arm.Cluster)
	if err != nil {
		return nil, err
	}
	return arm.missing(cluster), nil
}

// checkRounds refuses rounds that no comparison can reach: where every gate has
// ended by the thresholds, more rounds are never measured.
func (p Plan) checkRounds() error {
	if !p.Profile.Judge {
		return nil
	}
	var longest verdict.Assertion
	for _, d := range p.full {
		for _, a := range d.Assertions {
			if gate(a) && a.MaxRounds > longest.MaxRounds {
				longest = a
			}
		}
	}
	if longest.MaxRounds == 0 || p.Profile.MaxRounds <= longest.MaxRounds {
		return nil
	}
	return fmt.Errorf("profile %s: maxRounds is %d, but no gate of thresholds %s is tested for more than %d rounds (maxRounds of %s): lower the profile's maxRounds, or raise the gate's",
		p.Profile.Name, p.Profile.MaxRounds, p.Thresholds.Name, longest.MaxRounds, longest.Name)
}

// Of returns what was decided of a comparison. A confirming batch measures what
// the full one did.
func (p Plan) Of(name, phase string) (Decided, error) {
	for _, d := range p.In(phase) {
		if d.Name == name {
			return d, nil
		}
	}
	return Decided{}, fmt.Errorf("profile %s has no comparison %q in the phase %s", p.Profile.Name, name, phase)
}

// In lists what was decided for a phase, in the profile's order.
func (p Plan) In(phase string) []Decided {
	if phase == journal.PhaseFirst {
		return slices.Clone(p.first)
	}
	return slices.Clone(p.full)
}

// Selected are the full comparisons that labels and names select.
func (p Plan) Selected() []Decided {
	return slices.DeleteFunc(slices.Clone(p.full), func(d Decided) bool { return !d.selected })
}

// In lists the decided cells of a cluster.
func (d Decided) In(cluster string) []Cell {
	return slices.DeleteFunc(slices.Clone(d.Cells), func(c Cell) bool { return c.Arm.Cluster != cluster })
}

// Round lists the cells that one round measures.
func (d Decided) Round() []measure.Cell {
	cells := make([]measure.Cell, len(d.Cells))
	for i, c := range d.Cells {
		cells[i] = c.Cell
	}
	return cells
}

// LeftOutCell is the cell that an arm would have if it were not left out.
func (p Plan) LeftOutCell(d Decided, l record.LeftOut) (measure.Cell, error) {
	arm, err := p.Catalogue.Arm(l.Arm)
	return arm.cell(d.Comparison), err
}
