package htmlreport

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/chart"
	"github.com/cniperf/cniperf/internal/journal"
)

// A page lists and draws no more than a reader can tell apart.
const (
	roundsListed = 500
	// barsDrawn is how many rounds a timeline draws. Of more, ordinary ones are drawn in
	// equal steps.
	barsDrawn = 2000
)

// timelineView is what became of the run's time.
type timelineView struct {
	Stages  []stageView
	Picture *chart.Picture
	Share   string
	// Affected is how many rounds were dropped or disturbed, Rounds are the first of
	// them with the numbers.
	Affected int
	Rounds   []roundView
}

type stageView struct {
	Name, Took, Error string
	Share             chart.Percent // of the longest
}

type roundView struct {
	Comparison, Word, Why, Numbers string
	Round, Attempt                 int
}

func (r *Report) timeline() timelineView {
	var v timelineView
	longest := time.Duration(1)
	for _, s := range r.run.Stages {
		longest = max(longest, s.Duration)
	}
	for _, s := range r.run.Stages {
		share := chart.Percent(100 * s.Duration.Seconds() / longest.Seconds())
		v.Stages = append(v.Stages, stageView{s.Name, duration(s.Duration), s.Error, share})
	}
	if m := analysis.TimeOf(r.run.Samples); m.Tools > 0 {
		v.Share = r.texts.Say("From the first sample to the end of the last it took %s. Benchmark tools ran for %.0f %% of that.", duration(m.Duration), 100*m.Share)
	}
	for _, rd := range r.run.Rounds {
		if rd.Valid && !rd.Disturbed {
			continue
		}
		if v.Affected++; v.Affected <= roundsListed {
			v.Rounds = append(v.Rounds, r.roundView(rd))
		}
	}
	if len(r.run.Samples) > 0 {
		p := r.timePicture()
		v.Picture = &p
	}
	return v
}

func (r *Report) roundView(rd journal.Round) roundView {
	v := roundView{Comparison: r.phaseWord(rd.Comparison, rd.Phase), Round: rd.Round, Attempt: rd.Attempt, Word: r.texts.Say("disturbed, counts")}
	if why, dropped := rd.Dropped(); dropped {
		v.Word, v.Why = r.texts.Say("dropped"), why.String()
	} else if rd.Kept {
		v.Why = r.texts.Say("beyond the limit, and kept: the profile lets no more be dropped")
	}
	var numbers []string
	for _, k := range sortedKeys(rd.Disturbance) {
		numbers = append(numbers, k+" "+short(rd.Disturbance[k]))
	}
	v.Numbers = strings.Join(numbers, ", ")
	return v
}

// short is a number with three digits, or all of those before the point.
func short(x float64) string {
	if math.Abs(x) >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

// block is one attempt at a round, from its first sample to the end of its last.
type block struct {
	comparison, phase string
	round, attempt    int
	from, to          time.Duration
}

func (r *Report) blocks() []block {
	at := map[closing]int{}
	var all []block
	for _, s := range r.run.Samples {
		k := closing{s.Comparison, s.Phase, s.Round, s.Attempt}
		i, ok := at[k]
		if !ok {
			i, at[k] = len(all), len(all)
			all = append(all, block{s.Comparison, s.Phase, s.Round, s.Attempt, s.StartedAt, 0})
		}
		all[i].from, all[i].to = min(all[i].from, s.StartedAt), max(all[i].to, s.StartedAt+s.Duration)
	}
	return all
}

// closing names the record that closes an attempt at a round.
type closing struct {
	comparison, phase string
	round, attempt    int
}

func (r *Report) closings() map[closing]journal.Round {
	all := map[closing]journal.Round{}
	for _, rd := range r.run.Rounds {
		all[closing{rd.Comparison, rd.Phase, rd.Round, rd.Attempt}] = rd
	}
	return all
}

// timePicture has a line for each comparison and a bar for each round on it.
func (r *Report) timePicture() chart.Picture {
	const height, line, bar, below = chart.Pixels(32), chart.Pixels(12), chart.Pixels(11), chart.Pixels(34)
	blocks, say := r.blocks(), r.texts.Say
	var lines []string
	dropped, disturbed := 0, 0
	p := chart.Picture{ID: "timeline-picture"}
	scale := chart.Scale{Low: 0, High: r.elapsed().Minutes()}
	closed := r.closings()
	every := 1 + (len(blocks)-1)/barsDrawn
	for n, b := range blocks {
		name := r.phaseWord(b.comparison, b.phase)
		i := slices.Index(lines, name)
		if i < 0 {
			i, lines = len(lines), append(lines, name)
			p.Label(0, chart.Pixels(i)*height+line, "start", "name", name)
		}
		class, word := "round", say("counts")
		rd, ok := closed[closing{b.comparison, b.phase, b.round, b.attempt}]
		if !ok { // runs of earlier versions don't tell the attempt
			rd, ok = closed[closing{b.comparison, b.phase, b.round, 0}]
		}
		switch {
		case !ok:
			class, word = "round open", say("not finished")
		case !rd.Valid:
			class, word = "round dropped", say("dropped")
			dropped++
		case rd.Disturbed:
			class, word = "round disturbed", say("disturbed, counts")
			disturbed++
		}
		if class == "round" && n%every != 0 {
			continue
		}
		tip := say("%s, round %d, attempt %d: %s", name, b.round, b.attempt, word)
		p.Bar(scale.At(b.from.Minutes()), scale.At(b.to.Minutes()), chart.Pixels(i)*height+line+4, bar, class, tip)
	}
	bottom := chart.Pixels(len(lines)) * height
	p.Height = bottom + below
	for _, t := range scale.Ticks(5) {
		p.Line(scale.At(t.Value), 0, scale.At(t.Value), bottom, "grid")
		p.Label(scale.At(t.Value), bottom+14, "middle", "tick", t.Text)
	}
	axis := say("minutes since the run began; each bar is one round")
	if every > 1 {
		axis = say("minutes since the run began; each bar is one round, of ordinary rounds one in %d is drawn", every)
	}
	p.Label(0, p.Height-3, "start", "axis", axis)
	p.Finding = say("%d rounds in %d comparisons over %s: %d were dropped and %d more were disturbed and count.",
		len(blocks), len(lines), duration(r.elapsed()), dropped, disturbed)
	return p
}
