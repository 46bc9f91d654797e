package report

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cniperf/cniperf/internal/journal"
)

func TestDisturbedRoundsAreOneLineWithTheWorst(t *testing.T) {
	round := func(n int, kept bool, steal, load float64) journal.Round {
		return journal.Round{Round: n, Disturbed: true, Kept: kept, Disturbance: map[string]float64{"steal": steal, "load": load}}
	}
	c := Comparison{Disturbed: []journal.Round{round(1, false, 0.02, 3), round(4, false, 0.05, 2), round(5, true, 0.5, 9)}}
	assert.Equal(t, []string{
		"rounds 1, 4 disturbed: load 3, steal 0.05",
		"round 5 disturbed beyond the limit and counted: the profile lets no more be dropped: load 9, steal 0.5",
	}, c.notes())
	assert.Empty(t, Comparison{}.notes())
}
