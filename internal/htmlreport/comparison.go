package htmlreport

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/chart"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// comparisonView is a comparison with its picture, its table and its claims.
type comparisonView struct {
	ID, Title, Subtitle  string
	Path, Placement      string
	Benchmark, Name      string
	Confirms             bool
	Outcome              verdict.Outcome
	Mark                 outcomeView
	Arms                 []armView
	Rounds               *chart.Picture
	Differences          *chart.Picture
	Metric, Unit, Better string
	Rows                 []rowView
	Others               []string // the metrics beside the table's
	Notes                []string
	Claims               []claimView
	Unjudged             []claimView // skipped, each with its reason
	analysed             analysis.Comparison
}

// rowView is an arm's line in a table. Raw numbers are what a column sorts by.
type rowView struct {
	Arm                             armView
	Control                         bool
	Rounds                          int
	Median, Spread, Ratio           string
	RawMedian, RawSpread, RawRatio  float64
	Published, PublishedRatio       string
	RawPublished, RawPublishedRatio float64
	Others                          []string
}

func (r *Report) comparison(c analysis.Comparison, ids map[string]bool) comparisonView {
	v := comparisonView{
		Path: c.Path, Placement: c.Placement, Benchmark: c.Benchmark, Name: c.Name, Confirms: c.Phase == journal.PhaseConfirm, analysed: c,
	}
	v.Title, v.Subtitle = r.title(c)
	v.ID = unique(ids, "c-"+slug(c.Name+phaseSuffix(c.Phase)))
	var cells []measure.Cell
	for _, arm := range c.Arms {
		cells = append(cells, arm.Cell)
	}
	for _, s := range c.Skipped {
		cells = append(cells, s.Cell)
	}
	v.Arms = r.palette.armsOf(cells)
	var outcomes []verdict.Outcome
	var about []verdict.Verdict
	for _, x := range r.verdicts {
		if x.Comparison == c.Name && !v.Confirms {
			about, outcomes = append(about, x), append(outcomes, x.Outcome)
			if x.Outcome == verdict.Skipped {
				v.Unjudged = append(v.Unjudged, r.claim(x))
			} else {
				v.Claims = append(v.Claims, r.claim(x))
			}
		}
	}
	v.Outcome = worst(outcomes)
	v.Mark = outcomeOf(v.Outcome)
	v.Notes = r.notes(c)
	if c.Metric == nil {
		return v
	}
	v.Metric, v.Unit, v.Better = c.Metric.Name, shown(*c.Metric).unit, better(r.texts, *c.Metric)
	v.Others = otherMetrics(c)
	for _, arm := range c.Arms {
		v.Rows = append(v.Rows, r.row(c, arm, v.Others))
	}
	rounds := r.roundsPicture(v, about)
	v.Rounds = &rounds
	v.Differences = r.differencesPicture(v, about)
	return v
}

// title is what the catalogue calls a comparison, and what it is exactly.
func (r *Report) title(c analysis.Comparison) (string, string) {
	exact := strings.Join(slices.DeleteFunc([]string{c.Benchmark, c.Path, c.Placement}, func(s string) bool { return s == "" }), ", ")
	title := c.Name
	i := slices.IndexFunc(r.plan.Catalogue.Comparisons, func(o record.Comparison) bool { return o.Name == c.Name })
	switch {
	case i >= 0 && r.plan.Catalogue.Comparisons[i].Title != "":
		title = r.plan.Catalogue.Comparisons[i].Title
	case exact != "":
		title = exact
	case title == "":
		title = r.texts.Say("Across comparisons")
	}
	switch c.Phase {
	case journal.PhaseFirst:
		title = r.texts.Say("%s: the first comparison, of the arms that were ready", title)
	case journal.PhaseConfirm:
		title = r.texts.Say("%s: second batch, on fresh pods, to confirm a fail", title)
	}
	return title, exact
}

func phaseSuffix(phase string) string {
	if phase == journal.PhaseFull {
		return ""
	}
	return "-" + phase
}

// unique is a name that no other element of the page has.
func unique(ids map[string]bool, id string) string {
	for n := 2; ids[id]; n++ {
		if next := fmt.Sprintf("%s-%d", id, n); !ids[next] {
			id = next
		}
	}
	ids[id] = true
	return id
}

func (r *Report) row(c analysis.Comparison, arm analysis.Arm, others []string) rowView {
	q, s := shown(*c.Metric), arm.Metrics[0]
	v := rowView{
		Arm: r.palette.view(arm.Cell.Arm), Rounds: len(s.Values), Median: q.number(s.Median), RawMedian: s.Median,
		Spread: "–", Ratio: "–", Published: "–", PublishedRatio: "–",
	}
	if s.Spread != nil {
		v.Spread, v.RawSpread = percent(*s.Spread), *s.Spread
	}
	if arm.Ratio != nil {
		v.Ratio, v.RawRatio = factor(arm.Ratio.Median), arm.Ratio.Median
	}
	host := r.published(measure.Cell{Arm: analysis.HostArm, Path: c.Path, Placement: c.Placement, Benchmark: c.Benchmark}, c)
	if f := r.published(arm.Cell, c); f != nil {
		v.Published, v.RawPublished = q.published(*f), *f
		if host != nil {
			v.RawPublishedRatio = *f / *host
			v.PublishedRatio = factor(v.RawPublishedRatio)
		}
	}
	for _, name := range others {
		text := "–"
		if i := slices.IndexFunc(arm.Metrics[1:], func(s analysis.Summary) bool { return s.Name == name }); i >= 0 {
			text = shown(arm.Metrics[1+i].Metric).of(arm.Metrics[1+i].Median)
		}
		v.Others = append(v.Others, text)
	}
	return v
}

// published is the page's figure for a cell: it shows the host arm in the table of
// every path, where our cell says host-ip.
func (r *Report) published(cell measure.Cell, c analysis.Comparison) *float64 {
	for _, path := range []string{cell.Path, c.Path} {
		cell.Path, cell.Control = path, false
		if f, ok := r.figures[cell]; ok && f.Metric == *c.Metric {
			return &f.Value
		}
	}
	return nil
}

func otherMetrics(c analysis.Comparison) []string {
	var names []string
	for _, arm := range c.Arms {
		for _, s := range arm.Metrics[1:] {
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

// notes say what stands behind a table and what isn't in it.
func (r *Report) notes(c analysis.Comparison) []string {
	say := r.texts.Say
	var notes []string
	if k := c.Control; k != nil {
		notes = append(notes, say("A/A control: %s against its own second copy %.3f, rounds from %.3f to %.3f. So far do two equal things differ here.",
			k.Arm.Cell.Arm, k.Ratio.Median, k.Ratio.Min, k.Ratio.Max))
	}
	for _, s := range c.Skipped {
		if s.Cell.Arm == "" {
			notes = append(notes, say("Not measured: %s", s.Text()))
		} else {
			notes = append(notes, say("%s was left out: %s", s.Cell.Arm, s.Text()))
		}
	}
	for _, d := range c.Dropped {
		notes = append(notes, r.dropped(d))
	}
	return notes
}

// dropped says of a round why it doesn't count.
func (r *Report) dropped(d analysis.Dropped) string {
	say, why := r.texts.Say, ""
	switch d.Code {
	case analysis.Lacking:
		why = say("it lacks a valid sample of some cell")
	case analysis.Unfinished:
		why = say("it was not finished")
	default:
		cause, _ := d.Closing.Dropped()
		why = cause.String()
	}
	if d.Repeated {
		return say("Round %d was dropped and measured again: %s", d.Round, why)
	}
	return say("Round %d was dropped: %s", d.Round, why)
}
