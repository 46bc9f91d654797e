package analysis

import (
	"slices"

	"github.com/cniperf/cniperf/internal/journal"
)

// Dropped is a round, or an attempt at one, that doesn't count.
type Dropped struct {
	Round    int
	Code     DropCode
	Closing  journal.Round // its own record, for Recorded
	Repeated bool          // and has a valid attempt
}

// DropCode says why a round doesn't count.
type DropCode string

const (
	Recorded   DropCode = "recorded"   // the run dropped it and recorded why
	Lacking    DropCode = "lacking"    // called valid, but it lacks a valid sample of some cell
	Unfinished DropCode = "unfinished" // begun and never closed
)

// account tells of each round that was begun and doesn't count why, and which
// of the others were disturbed.
func (c *Comparison) account(part *journal.Run) {
	counts := map[int]bool{}
	for _, v := range c.Valid {
		counts[v.Index] = true
	}
	closed := map[int]bool{}
	for _, r := range part.Rounds {
		closed[r.Round] = true
		switch {
		case !r.Valid:
			c.Dropped = append(c.Dropped, Dropped{r.Round, Recorded, r, counts[r.Round]})
		case !counts[r.Round]:
			c.Dropped = append(c.Dropped, Dropped{r.Round, Lacking, r, false})
		case r.Disturbed:
			c.Disturbed = append(c.Disturbed, r)
		}
	}
	for _, s := range part.Samples {
		if !closed[s.Round] {
			closed[s.Round] = true
			c.Dropped = append(c.Dropped, Dropped{Round: s.Round, Code: Unfinished})
		}
	}
	slices.SortStableFunc(c.Dropped, func(a, b Dropped) int { return a.Round - b.Round })
}
