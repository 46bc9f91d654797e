package htmlreport

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/cniperf/cniperf/internal/verdict"
)

// headView is what a reader sees first, and perhaps alone.
type headView struct {
	Outcome  outcomeView
	Sentence string
	Facts    []string // profile, seed, times
	Counts   []countView
	Gates    []claimView
	Going    bool // the run has no end
}

// countView is how many claims came to one outcome.
type countView struct {
	Outcome        outcomeView
	Gates, Informs int
}

func (r *Report) head() headView {
	h, say := r.run.Header, r.texts.Say
	v := headView{Going: r.run.End == nil}
	v.Facts = []string{say("profile %s", h.Profile), say("started %s", instant(h.Started))}
	for _, resumed := range r.run.Resumes {
		v.Facts = append(v.Facts, say("resumed %s", instant(resumed.Started)))
	}
	v.Outcome, v.Sentence = r.ending()
	if e := r.run.End; e != nil {
		v.Facts = append(v.Facts, say("took %s", duration(e.Duration)))
	}
	v.Facts = append(v.Facts, say("%d samples", len(r.run.Samples)), say("seed %s", formatSeed(h.Seed)))
	for _, o := range []verdict.Outcome{verdict.Pass, verdict.Fail, verdict.Inconclusive, verdict.Skipped} {
		c := countView{Outcome: outcomeOf(o)}
		for _, x := range r.verdicts {
			switch {
			case x.Outcome != o:
			case x.Role == verdict.Gate:
				c.Gates++
			default:
				c.Informs++
			}
		}
		v.Counts = append(v.Counts, c)
	}
	for _, x := range r.verdicts {
		if x.Role == verdict.Gate && x.Outcome != verdict.Skipped {
			v.Gates = append(v.Gates, r.claim(x))
		}
	}
	return v
}

// ending is the word and the sentence about the whole run.
func (r *Report) ending() (outcomeView, string) {
	say, e := r.texts.Say, r.run.End
	if e == nil {
		sentence := say("This run has recorded no end: it goes on, or it was cut off. What follows is what it holds so far.")
		if len(r.run.Samples) == 0 {
			sentence = say("This run has recorded no end and no sample: it goes on, or it was cut off before it measured anything.")
		}
		return outcomeView{"going", "…", say("NO END YET")}, sentence
	}
	said := map[int]string{
		verdict.ExitPass: say("every gate passed"), verdict.ExitFail: say("a gate failed"), verdict.ExitInconclusive: say("a gate could not be decided"),
		verdict.ExitInfrastructure: say("clusters, pods or tools kept the run from a verdict"),
	}
	return exitView(r.texts, e.ExitCode), cmp.Or(e.Reason, said[e.ExitCode], say("the run was interrupted; it can be resumed"))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// elapsed is the end of the run's measured time, never zero so that it can divide.
func (r *Report) elapsed() time.Duration { return max(r.run.Elapsed(), time.Second) }
