package run

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cniperf/cniperf/internal/measure"
)

func TestSetsOfPodsTakeTurns(t *testing.T) {
	two, one := measure.Cell{Arm: "two"}, measure.Cell{Arm: "node"}
	all := targets{two: {{serverCPU: 1}, {serverCPU: 2}}, one: {{serverCPU: 3}}}
	var seen []int
	for round := 1; round <= 4; round++ {
		seen = append(seen, all.turn(two, round).serverCPU, all.turn(one, round).serverCPU)
	}
	assert.Equal(t, []int{1, 3, 2, 3, 1, 3, 2, 3}, seen)
}
