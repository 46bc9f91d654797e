package htmlreport

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/chart"
	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/verdict"
)

// nightsListed are how many nights of a series a page lists one by one; its pictures
// have them all.
const nightsListed = 40

type historyBody struct {
	Title    string
	Outcome  outcomeView
	Sentence string
	Rule     string
	Counts   []statusCount
	Filter   filterView
	Cells    []seriesView
	Missing  []string
	Alone    []string
	LeftOut  []leftOutView
	Runs     []history.RunInfo
}

type statusCount struct {
	Outcome outcomeView
	Cells   int
}

// seriesView is one cell through the nights.
type seriesView struct {
	ID, Title  string
	Row        string // the title without the arm
	Arm        armView
	Path       string
	Outcome    outcomeView
	Better     string
	Why, Since string
	Changed    []string
	Pictures   []captioned
	Nights     []nightView
	Total      int
}

type captioned struct {
	Caption string
	Picture chart.Picture
}

type nightView struct{ Run, Ratio, Low, High string }

type leftOutView struct{ Runs, Reasons []string }

// History writes the page of what many runs say of the newest. home is where a server
// shows its runs, else empty.
func History(w io.Writer, h *history.History, texts Texts, home string) error {
	say, arms := texts.Say, &palette{}
	b := historyBody{Title: say("cniperf history: profile %s", h.Profile), Runs: h.Runs, Alone: h.Alone}
	ids := map[string]bool{}
	for _, s := range h.Cells {
		b.Cells = append(b.Cells, seriesOf(texts, arms, h, s, ids))
	}
	b.Outcome, b.Sentence = historyEnding(texts, h)
	b.Rule = say("Slower means: worse than the worst of %d nights for %d nights in a row. The chance that this is said of any of the %d cells in a night when nothing changed is at most %.2g %%.",
		h.Rule.Window, h.Rule.InARow, len(h.Cells), 100*h.FalseAlarm)
	for _, c := range b.Cells {
		b.count(c)
	}
	slices.SortFunc(b.Filter.Arms, func(x, y armView) int { return x.Key - y.Key })
	for _, c := range h.Missing {
		b.Missing = append(b.Missing, c.Table+": "+c.Cell.Arm)
	}
	b.LeftOut = leftOut(h.LeftOut)
	return write(w, texts, "history.html", b.Title, home, b)
}

// count adds a cell to the counts and to what the filters offer.
func (b *historyBody) count(c seriesView) {
	i := slices.IndexFunc(b.Counts, func(s statusCount) bool { return s.Outcome == c.Outcome })
	if i < 0 {
		i = len(b.Counts)
		b.Counts = append(b.Counts, statusCount{Outcome: c.Outcome})
		b.Filter.Outcomes = append(b.Filter.Outcomes, c.Outcome)
	}
	b.Counts[i].Cells++
	if !slices.Contains(b.Filter.Arms, c.Arm) {
		b.Filter.Arms = append(b.Filter.Arms, c.Arm)
	}
	if !slices.Contains(b.Filter.Paths, c.Path) {
		b.Filter.Paths = append(b.Filter.Paths, c.Path)
	}
}

// tooFew is the status of a cell without enough comparable nights: nobody looked, which
// is not the same as having looked and not being sure.
func tooFew(texts Texts) outcomeView {
	return outcomeView{"few", "…", texts.Say("NOT ENOUGH COMPARABLE NIGHTS")}
}

func nightly(texts Texts, v verdict.NightlyVerdict) outcomeView {
	if v.Worst == nil {
		return tooFew(texts)
	}
	return outcomeOf(v.Outcome)
}

func historyEnding(texts Texts, h *history.History) (outcomeView, string) {
	say := texts.Say
	first, last := h.Runs[0].ID, h.Runs[len(h.Runs)-1].ID
	if len(h.Cells) == 0 {
		return tooFew(texts), say("The last run, %s, has no whole table with a %s arm: there is nothing to compare.", last, analysis.HostArm)
	}
	slower, few := 0, 0
	for _, s := range h.Cells {
		switch {
		case s.Verdict.Worst == nil:
			few++
		case s.Verdict.Outcome == verdict.Fail:
			slower++
		}
	}
	across := say("%s of profile %s, %s to %s, each arm as a ratio to %s in the same run.", plural(len(h.Runs), "run", "runs"), h.Profile, first, last, analysis.HostArm)
	switch o := h.Outcome(); {
	case o == verdict.Fail:
		return outcomeOf(o), say("%s got slower. %s", plural(slower, "cell", "cells"), across)
	case o == verdict.Inconclusive && few == len(h.Cells):
		return tooFew(texts), say("No cell has the %d nights that it takes. %s", h.Rule.Window+1, across)
	case o == verdict.Inconclusive:
		return outcomeOf(o), say("Nothing is shown to be slower, but not every cell could be decided. %s", across)
	default:
		return outcomeOf(o), say("No cell got slower. %s", across)
	}
}

func seriesOf(texts Texts, arms *palette, h *history.History, s history.Series, ids map[string]bool) seriesView {
	say := texts.Say
	v := seriesView{
		ID: unique(ids, "s-"+slug(s.Table+"-"+s.Cell.Cell.Arm)), Title: say("%s: %s, %s", s.Cell.Cell.Arm, s.Table, s.Metric.Name),
		Row: say("%s, %s", s.Table, s.Metric.Name), Arm: arms.view(s.Cell.Cell.Arm), Path: s.Cell.Cell.Path, Outcome: nightly(texts, s.Verdict), Better: better(texts, s.Metric),
		Why: s.Verdict.Explanation, Since: s.Since, Changed: s.Changed, Total: len(s.Nights),
	}
	finding := seriesFinding(texts, s)
	zoom := max(2*h.Rule.Window, nightsListed)
	v.Pictures = []captioned{{say("All %d nights: the median of each night's rounds, in the band of its lowest and highest. %s", len(s.Nights), v.Better),
		nightsPicture(texts, v.ID+"-all", finding, s, 0, v.Arm)}}
	if len(s.Nights) > zoom {
		v.Pictures = append(v.Pictures, captioned{say("The last %d of them. %s", zoom, v.Better), nightsPicture(texts, v.ID+"-last", finding, s, len(s.Nights)-zoom, v.Arm)})
	}
	for _, n := range slices.Backward(s.Nights[max(0, len(s.Nights)-nightsListed):]) {
		v.Nights = append(v.Nights, nightView{n.Run, ratioText(n.Ratio), ratioText(n.Low), ratioText(n.High)})
	}
	return v
}

func ratioText(x float64) string { return fmt.Sprintf("%.3f", x) }

// seriesFinding is what the picture of a series says, in words.
func seriesFinding(texts Texts, s history.Series) string {
	say := texts.Say
	last := s.Nights[len(s.Nights)-1].Ratio
	text := say("%s as a ratio to %s over %s, %s is better: the last is %s", s.Metric.Name, analysis.HostArm,
		plural(len(s.Nights), "night", "nights"), string(s.Metric.Better), ratioText(last))
	if v := s.Verdict; v.Median != nil && v.Worst != nil {
		text += say("; the %d nights it is compared with have the median %s and the worst %s", v.Window, ratioText(costRatio(s.Metric, *v.Median)), ratioText(costRatio(s.Metric, *v.Worst)))
	}
	text += ". " + nightly(texts, s.Verdict).Word + ": " + s.Verdict.Explanation + "."
	if s.Since != "" {
		text += say(" It began with %s.", s.Since)
	}
	return text
}

// costRatio turns a log cost ratio into the ratio of values that it came from.
func costRatio(m measure.Metric, cost float64) float64 {
	if m.Better == measure.HigherIsBetter {
		cost = -cost
	}
	return math.Exp(cost)
}

// leftOut puts runs that were left out for the same reasons together.
func leftOut(all []history.LeftOut) []leftOutView {
	var views []leftOutView
	at := map[string]int{}
	for _, l := range all {
		key := strings.Join(l.Reasons, "\n")
		i, ok := at[key]
		if !ok {
			i, at[key] = len(views), len(views)
			views = append(views, leftOutView{Reasons: l.Reasons})
		}
		views[i].Runs = append(views[i].Runs, l.Run)
	}
	return views
}
