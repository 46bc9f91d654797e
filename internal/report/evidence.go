package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/page"
)

// Evidence writes, sample by sample in the order they were taken, what was run,
// what it gave, and what proved the path; and whether the raw output is still
// what was recorded.
func (r *Report) Evidence(w io.Writer) error {
	p := &page.Page{}
	p.Heading("Evidence")
	for _, s := range r.run.Samples {
		state := "valid"
		if s.Invalid != "" {
			state = "INVALID: " + s.Invalid
		}
		lines := []string{
			fmt.Sprintf("at %s for %s: %s", s.StartedAt.Round(time.Millisecond), s.Duration.Round(time.Millisecond), commandLine(s.Command)),
			fmt.Sprintf("client %s on %s CPU %d, server %s on %s CPU %d", s.ClientPod, s.ClientNode, s.ClientCPU, s.ServerPod, s.ServerNode, s.ServerCPU),
		}
		for _, v := range s.Values {
			u := shown(v.Metric)
			lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s %s", v.Name, u.format(v.Value), u.unit), " 1"))
		}
		for _, c := range s.Checks {
			word := "proved"
			if !c.OK {
				word = "NOT PROVED"
			}
			lines = append(lines, fmt.Sprintf("%s: %s: %s", word, c.Claim, c.Found))
		}
		if s.Raw != "" {
			raw := fmt.Sprintf("raw output %s, %d bytes", s.Raw, s.RawBytes)
			if _, err := journal.Raw(r.run.Dir, s.Raw); err != nil {
				raw += ": " + err.Error()
			}
			lines = append(lines, raw)
		}
		p.Paragraph("%s, %s, round %d, attempt %d, place %d: %s: %s", s.Comparison, s.Phase, s.Round, s.Attempt, s.Order, s.Cell, state)
		p.List(lines)
	}
	return p.To(w)
}
