package run

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/features/proof"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/node"
	"github.com/cniperf/cniperf/manifests"
)

// planned is the plan of the default profile on the embedded lab.
func planned(t *testing.T) plan.Plan {
	t.Helper()
	s, err := New(Options{})
	require.NoError(t, err)
	return s.plan
}

// load is the embedded catalogue.
func load(t *testing.T) *plan.Catalogue {
	t.Helper()
	c, err := plan.LoadCatalogue(manifests.Suite)
	require.NoError(t, err)
	return c
}

func TestTheCataloguesArmsClaimTheirPaths(t *testing.T) {
	for _, tc := range []struct {
		arm, path string
		want      proof.Arm
	}{
		{"node", measure.HostIP, proof.Arm{HostNetwork: true}},
		{"calico", measure.ClusterIP, proof.Arm{Interface: "eth0", HostInterface: "cali", Service: proof.KubeProxy}},
		{"macvlan-kube-proxy", measure.ClusterIP, proof.Arm{Interface: "veth0", Service: proof.KubeProxy}},
		{"macvlan-kube-proxy", measure.PodIP, proof.Arm{Interface: "eth0", Service: proof.KubeProxy}},
		{"cilium", measure.PodIP, proof.Arm{Interface: "eth0", HostInterface: "lxc", Service: proof.SocketLB, Cilium: true}},
		{"macvlan-ebpf", measure.ClusterIP, proof.Arm{Interface: "eth0", Service: proof.SocketLB, Cilium: true}},
		{"bypass-on", measure.PodIP, proof.Arm{Interface: "eth0", Accelerated: true}},
	} {
		arm, err := planned(t).Arm(tc.arm)
		require.NoError(t, err)
		assert.Equal(t, tc.want, claims(arm, tc.path), "%s by %s", tc.arm, tc.path)
	}
}

func TestAnAgentThatRoutesOtherwiseIsCaught(t *testing.T) {
	status, err := os.ReadFile("../../fixtures/cni/cilium/testdata/status.json")
	require.NoError(t, err)
	asked := node.Question{Cilium: true}
	arm, err := planned(t).Arm("cilium")
	require.NoError(t, err)
	a := agent(arm, asked, node.Counts{Cilium: status})
	require.NoError(t, a.Err)
	assert.NotEmpty(t, a.Found)
	legacy := bytes.Replace(status, []byte(`"BPF"`), []byte(`"Legacy"`), 1)
	assert.ErrorContains(t, agent(arm, asked, node.Counts{Cilium: legacy}).Err, "Legacy")
	assert.Error(t, agent(arm, asked, node.Counts{}).Err)
}
