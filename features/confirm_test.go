package features

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// A confirming batch has pods beside those of the first, except on the nodes'
// own network, where two servers would want the same ports.
func TestConfirmingPairsStandBesideTheFirstOnesWhereTheyCan(t *testing.T) {
	name := func(network workload.Network, control bool, phase string) string {
		return pairSpec(Arm{Name: "a", Network: network}, measure.Cell{Arm: "a", Control: control}, &testbed.Cluster{}, phase, Pin{}).Name
	}
	for _, network := range []workload.Network{workload.PodNetwork, "cniperf/cniperf-eth0"} {
		assert.Equal(t, "a", name(network, false, journal.PhaseFull))
		assert.Equal(t, "a-confirm", name(network, false, journal.PhaseConfirm))
		assert.Equal(t, "a-control-confirm", name(network, true, journal.PhaseConfirm))
	}
	assert.Equal(t, "a", name(workload.HostNetwork, false, journal.PhaseConfirm))
}
