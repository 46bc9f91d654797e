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
	// Extra are comparisons to measure after the profile's, by name.
	Extra []string
	// Everywhere gives every cluster its own arm of each datapath, also of those
	// that one cluster of a lab is enough for: where clusters are compared.
	Everywhere bool
	Seed       uint64              // of the random order
	Labels     map[string][]string // selects comparisons that have them
	// Only and But select comparisons by name. Nil selects all and leaves out none.
	// They are no part of the recorded plan: they choose what of it is run now.
	Only, But *regexp.Regexp
}

// Plan is what was decided for a run. It doesn't change once it is made.
type Plan struct {
	Profile    Profile // with the clusters and comparisons that the lab has arms for
	Catalogue  *Catalogue
	Thresholds verdict.Thresholds
	Labels     map[string][]string
	Seed       uint64
	Arms       []Arm // of the lab
	// LeftOut are the profile's comparisons that the lab has no arm for.
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
	LeftOut    []LeftOut
	Labels     map[string][]string // of its e2e feature
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
	profile, on := in.Profile.on(in.Lab, in.Catalogue.Datapaths, in.Everywhere)
	if err := in.Catalogue.checkLabels(in.Labels, on); err != nil {
		return Plan{}, err
	}
	p := Plan{Profile: profile, Catalogue: in.Catalogue, Thresholds: in.Thresholds, Labels: in.Labels, Seed: in.Seed}
	for _, datapath := range in.Catalogue.Datapaths.all() {
		p.Arms = append(p.Arms, on.arms(datapath)...)
	}
	for _, name := range slices.Concat(in.Profile.Comparisons, in.Extra) {
		if err := p.add(in, on, name); err != nil {
			return Plan{}, err
		}
	}
	p.Profile.Comparisons = nil
	for _, d := range p.full {
		p.Profile.Comparisons = append(p.Profile.Comparisons, d.Name)
	}
	if len(p.full) == 0 {
		return Plan{}, fmt.Errorf("profile %s: the lab has an arm of none of its comparisons; of %s, %s", p.Profile.Name, p.LeftOut[0].Comparison, p.LeftOut[0].Reason)
	}
	if err := p.checkRounds(); err != nil {
		return Plan{}, err
	}
	return p, p.checkAddresses(in.Lab)
}

// add decides a comparison for its phases.
func (p *Plan) add(in Inputs, on site, name string) error {
	cmp, err := in.Catalogue.Comparison(name)
	if err != nil {
		return err
	}
	full, err := p.decide(in, on, cmp, cmp.Arms)
	if err != nil {
		return err
	}
	if len(full.Arms) == 0 {
		for _, l := range full.LeftOut {
			p.LeftOut = append(p.LeftOut, l.LeftOut)
		}
		return nil
	}
	p.full = append(p.full, full)
	// A first verdict without the control's two copies would be none.
	first, err := p.decide(in, on, cmp, cmp.Early)
	if err == nil && slices.Contains(first.Arms, full.Control) {
		p.first = append(p.first, first)
	}
	return err
}

// decide narrows the comparison to the lab's arms of the wanted datapaths, and
// gathers what follows from them.
func (p *Plan) decide(in Inputs, on site, cmp Comparison, wanted []string) (Decided, error) {
	d := Decided{Comparison: cmp}
	arms, left, err := on.resolve(cmp, wanted)
	d.LeftOut, d.Arms = left, nil
	if err != nil || len(arms) == 0 {
		return d, err
	}
	if d.Bench, err = p.Catalogue.Benchmark(cmp.Benchmark); err != nil {
		return d, err
	}
	for _, a := range arms {
		d.Arms = append(d.Arms, a.Name)
		d.Cells = append(d.Cells, Cell{a.cell(cmp), a})
		if !slices.Contains(d.Clusters, a.Cluster) {
			d.Clusters = append(d.Clusters, a.Cluster)
		}
	}
	control := controlOf(cmp.Control, arms)
	second := Cell{control.cell(cmp), control}
	second.Cell.Control = true
	d.Control, d.Cells = control.Name, append(d.Cells, second)
	if d.Ceilings, err = ceilings(in.Lab, cmp.Placement, d.Clusters); err != nil {
		return d, err
	}
	cells := d.Round()
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
	d.Labels = p.Catalogue.labels(cmp, arms)
	d.selected = selects(in.Labels, d.Labels) &&
		(in.Only == nil || in.Only.MatchString(cmp.Name)) && (in.But == nil || !in.But.MatchString(cmp.Name))
	return d, nil
}

func gate(a verdict.Assertion) bool { return a.Role == verdict.Gate }

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

// Arm returns the lab's arm of that name, or an error that lists those there are.
func (p Plan) Arm(name string) (Arm, error) {
	return byName("arm", p.Arms, func(a Arm) string { return a.Name }, name)
}
