package plan

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// Every set of pods and a confirming batch have pods beside those of the others,
// except on the nodes' own network, where two servers would want the same ports.
func TestPairsStandBesideEachOtherWhereTheyCan(t *testing.T) {
	names := func(network workload.Network, control bool, phase string) (names []string) {
		for _, pair := range Pairs(Arm{Name: "a@b", Datapath: "a", Network: network}, measure.Cell{Arm: "a", Control: control}, phase, 2) {
			names = append(names, pair.Name)
		}
		return names
	}
	for _, network := range []workload.Network{workload.PodNetwork, "cniperf/cniperf-eth0"} {
		assert.Equal(t, []string{"a", "a-set2"}, names(network, false, journal.PhaseFull))
		assert.Equal(t, []string{"a-confirm", "a-confirm-set2"}, names(network, false, journal.PhaseConfirm))
		assert.Equal(t, []string{"a-control-confirm", "a-control-confirm-set2"}, names(network, true, journal.PhaseConfirm))
	}
	assert.Equal(t, []string{"a"}, names(workload.HostNetwork, false, journal.PhaseConfirm))
}

// A server that no comparison of an arm uses is not started.
func TestServersAreThoseThatTheArmIsMeasuredBy(t *testing.T) {
	p := planned(t, inputs(t, "quick", ""))
	for _, tc := range []struct {
		arm     string
		control bool
		want    []string
	}{
		{"macvlan", true, []string{"iperf3", "netperf", "redis", "sockperf"}},
		{"node", false, []string{"iperf3", "netperf", "sockperf"}},
		{"bypass-on", false, []string{"sockperf"}},
		{"bypass-off", true, []string{"sockperf-plain"}},
	} {
		arm, err := p.Arm(tc.arm)
		require.NoError(t, err)
		assert.Equal(t, tc.want, p.Servers(arm, tc.control), tc.arm)
	}
}
