package htmlreport

import (
	"io"
	"slices"
	"time"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/verdict"
)

// Listed is a run in a list.
type Listed struct {
	Name, Link, Profile string
	Started             time.Time
	End                 *journal.End
	Damage              string // why it can't be read
}

type indexBody struct {
	Title, Runs string
	Rows        []indexRow
	Readable    []Listed
	Profiles    []string
}

type indexRow struct {
	Listed
	At      string
	Outcome outcomeView
	Reason  string
}

// Index writes the list of the runs of a folder, with a way to each, to two side by
// side and to their history.
func Index(w io.Writer, runs string, list []Listed, texts Texts) error {
	b := indexBody{Title: texts.Say("cniperf runs in %s", runs), Runs: runs}
	for _, l := range list {
		row := indexRow{Listed: l, At: instant(l.Started)}
		switch {
		case l.Damage != "":
			row.Outcome, row.Reason = outcomeView{"broken", "!", texts.Say("CAN'T BE READ")}, l.Damage
		case l.End == nil:
			row.Outcome = outcomeView{"going", "…", texts.Say("NO END YET")}
		default:
			row.Outcome, row.Reason = exitView(texts, l.End.ExitCode), l.End.Reason
		}
		b.Rows = append(b.Rows, row)
		if l.Damage != "" {
			continue
		}
		b.Readable = append(b.Readable, l)
		if !slices.Contains(b.Profiles, l.Profile) {
			b.Profiles = append(b.Profiles, l.Profile)
		}
	}
	return write(w, texts, "index.html", b.Title, top, b)
}

// exitView is how a run ended, by its exit code.
func exitView(texts Texts, code int) outcomeView {
	switch code {
	case verdict.ExitPass:
		return outcomeOf(verdict.Pass)
	case verdict.ExitFail:
		return outcomeOf(verdict.Fail)
	case verdict.ExitInconclusive:
		return outcomeOf(verdict.Inconclusive)
	case verdict.ExitInfrastructure:
		return outcomeView{"broken", "!", texts.Say("INFRASTRUCTURE")}
	}
	return outcomeView{"broken", "!", texts.Say("INTERRUPTED")}
}

// Sorry writes the page of an error.
func Sorry(w io.Writer, what error, texts Texts, home string) error {
	return write(w, texts, "sorry.html", texts.Say("cniperf can't show this"), home, what.Error())
}
