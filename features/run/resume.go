package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/rounds"
)

// recall reads the run that is to be resumed: its folder, or the newest one's
// for journal.Latest. A relative path is one of the working directory.
func (s *Session) recall(name string) error {
	runs, err := runsFolder()
	if err != nil {
		return err
	}
	if s.runDir, err = journal.Find(runs, name); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if s.runDir, err = filepath.Abs(s.runDir); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if s.book.past, err = journal.ReadValues(s.runDir); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	h := s.book.past.Header
	switch {
	case s.options.Profile != "" && s.options.Profile != h.Profile:
		return fmt.Errorf("resume %s: its profile is %s, not %s", s.runDir, h.Profile, s.options.Profile)
	case s.options.Seed != 0 && s.options.Seed != h.Seed:
		return fmt.Errorf("resume %s: its seed is %d, not %d", s.runDir, h.Seed, s.options.Seed)
	case s.options.RunDir != "":
		return fmt.Errorf("resume %s: it has its folder already, so -run-dir can't choose another", s.runDir)
	}
	s.options.Profile, s.options.Seed, s.runID = h.Profile, h.Seed, h.RunID
	return nil
}

// reopen continues the journal of the run that is resumed, if what would be
// measured now is what was measured then. A journal it refuses stays as it was.
func (s *Session) reopen(now journal.Header) error {
	w, past, err := journal.Open(s.runDir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	if err := sameRun(past.Header, now); err != nil {
		w.Close()
		return fmt.Errorf("%w: resume %s: %w", ErrInfrastructure, s.runDir, err)
	}
	s.book.writer = w
	s.before = past.Elapsed()
	if err := w.Append(journal.Resume{Started: s.started, Command: os.Args, Warnings: past.Warnings}); err != nil {
		return err
	}
	s.book.past, err = w.Settle(past, func(comparison, phase string) *interference.Watch {
		return &interference.Watch{
			Rule: s.plan.Profile.Interference, Dropped: rounds.Disturbed(past, comparison, phase), Reserved: s.lab.ReserveMeasuringCPU,
		}
	})
	return err
}

// sameRun refuses to mix what was measured by another plan, another cniperf or
// on another machine, and names each difference.
func sameRun(was, now journal.Header) error {
	found := differences(was.Fingerprint, now.Fingerprint)
	if was.Version != now.Version {
		found = append(found, fmt.Sprintf("cniperf: was %s, is %s", was.Version, now.Version))
	}
	if was.PlanHash != now.PlanHash {
		before, err := leaves(was.Plan)
		if err != nil {
			return fmt.Errorf("what the run recorded: %w", err)
		}
		after, err := leaves(now.Plan)
		if err != nil {
			return err
		}
		plan := differences(before, after)
		if len(plan) == 0 {
			plan = []string{fmt.Sprintf("plan hash: was %s, is %s", was.PlanHash, now.PlanHash)}
		}
		found = append(found, plan...)
	}
	return refusal(found)
}

// refusal is nil without differences. Of very many it names the first.
func refusal(differences []string) error {
	const most = 10
	if len(differences) == 0 {
		return nil
	}
	more := ""
	if n := len(differences) - most; n > 0 {
		differences, more = differences[:most], fmt.Sprintf("; and %d more", n)
	}
	return fmt.Errorf("what it measured can't be mixed with what would be measured now: %s%s; start a new run instead", strings.Join(differences, "; "), more)
}

// differences names every key whose value isn't the same, in the order of the
// keys.
func differences(was, is map[string]string) []string {
	all := maps.Clone(was)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, is)
	var found []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		before, had := was[key]
		after, has := is[key]
		if before == after && had == has {
			continue
		}
		if !had {
			before = "absent"
		}
		if !has {
			after = "absent"
		}
		found = append(found, fmt.Sprintf("%s: was %s, is %s", key, before, after))
	}
	return found
}

// leaves are the values of a recorded plan by path, such as profile.minRounds, in
// the names of the present version.
func leaves(recorded json.RawMessage) (map[string]string, error) {
	p, err := record.DecodePlan(recorded)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return flatten(b)
}

// flatten turns JSON into its leaves by path.
func flatten(data json.RawMessage) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // a seed doesn't fit a float
	var root any
	if err := d.Decode(&root); err != nil {
		return nil, err
	}
	leaves := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, child := range v {
				walk(strings.TrimPrefix(path+"."+k, "."), child)
			}
		case []any:
			for i, child := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), child)
			}
		default:
			leaves[path] = fmt.Sprint(v)
		}
	}
	walk("", root)
	return leaves, nil
}
