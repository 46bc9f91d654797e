package htmlreport

import (
	"fmt"
	"slices"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/chart"
	"github.com/cniperf/cniperf/internal/measure"
)

// colours is how many colours page.css has for arms: prime to chart.Shapes, so that
// only the forty-sixth arm looks like the first.
const colours = 9

// known are the arms of the embedded lab. They come first, so that each has its
// colour in every page, whatever else a run measured.
var known = [...]string{
	analysis.HostArm, "calico", "cilium", "macvlan", "macvlan-cross-subnet", "macvlan-kube-proxy", "macvlan-ebpf",
	"bypass-on", "bypass-off",
}

// palette gives each arm one colour and one shape throughout a page.
type palette []string

// add gives an arm that has none yet the next place.
func (p *palette) add(arm string) {
	if len(*p) == 0 {
		*p = append(*p, known[:]...)
	}
	if arm != "" && !slices.Contains(*p, arm) {
		*p = append(*p, arm)
	}
}

func (p *palette) place(arm string) int {
	p.add(arm)
	return max(0, slices.Index(*p, arm))
}

// class is the CSS class of an arm's colour.
func (p *palette) class(arm string) string { return fmt.Sprintf("arm-%d", p.place(arm)%colours) }

// shape is that of an arm's points.
func (p *palette) shape(arm string) int { return p.place(arm) % chart.Shapes }

// armView is an arm as a template shows it: Key sets it apart in the filters.
type armView struct {
	Name  string
	Key   int
	Class string
	Shape int
}

func (p *palette) view(arm string) armView {
	return armView{arm, p.place(arm), p.class(arm), p.shape(arm)}
}

// armsOf are the arms of cells, each once, in the palette's order.
func (p *palette) armsOf(cells []measure.Cell) []armView {
	var views []armView
	for _, c := range cells {
		if v := p.view(c.Arm); c.Arm != "" && !slices.Contains(views, v) {
			views = append(views, v)
		}
	}
	slices.SortFunc(views, func(a, b armView) int { return a.Key - b.Key })
	return views
}
