package htmlreport

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/cniperf/cniperf/internal/journal"
)

// A browser has to hold what a page holds.
const (
	// pageable is up to which size in bytes of a journal its page has evidence at all.
	pageable = 64 << 20
	// rawBudget is how many bytes of raw output a page holds; the rest stays in the
	// run's folder and is named. rawMost is the same of one sample.
	rawBudget = 2 << 20
	rawMost   = 16 << 10
	// samplesListed are how many samples a page lists. Invalid ones it always lists.
	samplesListed = 4000
)

// Read reads the run in dir for its page: with the evidence of its samples, if a page
// can hold that.
func Read(dir string) (*journal.Run, error) {
	info, err := os.Stat(filepath.Join(dir, journal.FileName))
	if err == nil && info.Size() > pageable {
		return journal.ReadValues(dir)
	}
	return journal.Read(dir) // which says what is wrong, if anything is
}

// evidenceView is the samples of one comparison and phase.
type evidenceView struct {
	ID, Title string
	Samples   []sampleView
}

// sampleView is one run of a tool.
type sampleView struct {
	Title, Command, Ends, Values string
	Invalid                      string
	Checks                       []journal.Check
	Raw, RawNote                 string
}

// evidence is sample by sample what was run, what it gave and what proved the path; and
// how many samples are not listed.
func (r *Report) evidence() ([]evidenceView, int) {
	var groups []evidenceView
	at, ids, budget, left := map[[2]string]int{}, map[string]bool{}, rawBudget, 0
	for i, s := range r.run.Samples {
		if s.Invalid == "" && (i >= samplesListed || len(s.Command)+len(s.Checks) == 0) {
			left++
			continue
		}
		key := [2]string{s.Comparison, s.Phase}
		g, ok := at[key]
		if !ok {
			g, at[key] = len(groups), len(groups)
			groups = append(groups, evidenceView{
				ID: unique(ids, "e-"+slug(s.Comparison+phaseSuffix(s.Phase))), Title: r.phaseWord(s.Comparison, s.Phase),
			})
		}
		groups[g].Samples = append(groups[g].Samples, r.sample(s, &budget))
	}
	return groups, left
}

func (r *Report) sample(s journal.Sample, budget *int) sampleView {
	say := r.texts.Say
	arm := s.Cell.Arm
	if s.Cell.Control {
		arm = say("%s, second copy", arm)
	}
	v := sampleView{
		Title:   say("round %d, attempt %d, place %d: %s", s.Round, s.Attempt, s.Order, arm),
		Command: shellLine(s.Command), Invalid: s.Invalid, Checks: s.Checks,
		Ends: say("at %s for %s; client %s on %s CPU %d, server %s on %s CPU %d, dialled %s", s.StartedAt.Round(time.Millisecond),
			s.Duration.Round(time.Millisecond), s.ClientPod, s.ClientNode, s.ClientCPU, s.ServerPod, s.ServerNode, s.ServerCPU, s.Address),
	}
	var values []string
	for _, x := range s.Values {
		values = append(values, x.Name+" "+shown(x.Metric).of(x.Value))
	}
	v.Values = strings.Join(values, ", ")
	if s.Raw == "" {
		return v
	}
	raw, err := journal.Raw(r.run.Dir, s.Raw)
	v.RawNote = fmt.Sprintf("raw/%s, %d bytes", s.Raw, s.RawBytes)
	switch {
	case err != nil:
		v.RawNote += ": " + err.Error()
	case len(raw) > rawMost || len(raw) > *budget:
		v.RawNote += "; " + say("it is only in the run's folder, to keep this page small")
	default:
		*budget -= len(raw)
		v.Raw = printable(raw)
	}
	return v
}

// colour is how tools colour what they print for a terminal.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// printable is a tool's output without a terminal's colours; what else no page can
// show is replaced.
func printable(raw []byte) string {
	text := strings.ToValidUTF8(string(colour.ReplaceAll(raw, nil)), "\ufffd")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '\ufffd'
		}
		return r
	}, text)
}
