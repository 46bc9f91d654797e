package plan

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/manifests"
)

func armsOf(t *testing.T, in Inputs) map[string]Arm {
	t.Helper()
	arms := map[string]Arm{}
	for _, a := range planned(t, in).Arms {
		assert.NotContains(t, arms, a.Name)
		arms[a.Name] = a
	}
	return arms
}

// The arms that the catalogue named before they followed from the lab, as the plan
// of that time recorded them. Thresholds, history and published figures name them.
func TestTheEmbeddedLabHasTheArmsItAlwaysHad(t *testing.T) {
	old, err := os.ReadFile("../../internal/record/testdata/plan.v1.json")
	require.NoError(t, err)
	was, err := record.DecodePlan(old)
	require.NoError(t, err)
	arms := armsOf(t, inputs(t, "quick", ""))
	require.Len(t, arms, len(was.Catalogue.Arms))
	for _, want := range was.Catalogue.Arms {
		is := arms[want.Name].recorded()
		assert.NotEmpty(t, is.Proof, want.Name)
		assert.Equal(t, want.Name, is.Datapath)
		is.Datapath, is.Proof = "", nil
		assert.Equal(t, want, is)
	}
}

// Names of clusters are the user's own, and so are those of their interfaces.
func TestClustersOfAnyName(t *testing.T) {
	named := strings.NewReplacer("name: kube-proxy", "name: candidate", "name: ebpf", "name: other", "name: eth0", "name: ens1f0").Replace(twoClusters)
	for _, order := range []string{"as written", "the other first"} {
		in := inputs(t, "quick", named)
		if order != "as written" {
			slices.Reverse(in.Lab.Clusters)
		}
		arms := armsOf(t, in)
		clusters := map[string]string{}
		for name, a := range arms {
			clusters[name] = a.Cluster
		}
		assert.Equal(t, map[string]string{
			"node": "candidate", "calico": "candidate", "macvlan": "candidate", "macvlan-kube-proxy": "candidate",
			"bypass-on": "candidate", "bypass-off": "candidate", "cilium": "other", "macvlan-ebpf": "other",
		}, clusters, order)
		assert.Equal(t, "cniperf/cniperf-ens1f0", string(arms["macvlan"].Network))
		assert.Contains(t, armsOf(t, Inputs{Catalogue: in.Catalogue, Profile: in.Profile, Lab: in.Lab, Thresholds: in.Thresholds}), "macvlan")
	}
}

// twoOfAKind are two clusters with Calico.
func twoOfAKind() string {
	return strings.NewReplacer("name: kube-proxy", "name: baseline", "name: ebpf", "name: candidate", "cni: cilium", "cni: calico").Replace(twoClusters)
}

func TestTwoClustersOfAKindHaveTheirNamesInTheirArms(t *testing.T) {
	in := inputs(t, "quick", twoOfAKind())
	assert.Equal(t, []string{"bypass-off", "bypass-on", "calico@baseline", "calico@candidate", "macvlan", "macvlan-kube-proxy", "node"},
		slices.Sorted(maps.Keys(armsOf(t, in))), "no CNI has a part in macvlan, so one cluster is enough")
	d, err := planned(t, in).Of("pod-ip-latency", journal.PhaseFull)
	require.NoError(t, err)
	assert.Equal(t, []string{"node", "calico@baseline", "calico@candidate", "macvlan"}, d.Arms, "a datapath stands for all its arms")

	in.Everywhere = true
	for i := range in.Catalogue.Comparisons {
		in.Catalogue.Comparisons[i].Early = nil
	}
	in.Catalogue.Comparisons[0].Arms = []string{"node", "macvlan@candidate", "macvlan@nowhere", "macvlan"}
	in.Catalogue.Comparisons[0].Control = "macvlan@candidate"
	in.Profile.Comparisons = []string{"pod-ip-latency"}
	p := planned(t, in)
	d, err = p.Of("pod-ip-latency", journal.PhaseFull)
	require.NoError(t, err)
	assert.Equal(t, []string{"node@baseline", "node@candidate", "macvlan@candidate", "macvlan@baseline"}, d.Arms)
	assert.Equal(t, "macvlan@candidate", d.Control)
	require.Len(t, d.LeftOut, 1)
	assert.Equal(t, record.LeftOut{Comparison: "pod-ip-latency", Arm: "macvlan@nowhere", Reason: record.Reason{Code: record.NoCluster, Profile: "quick"}}, d.LeftOut[0].LeftOut)
	for _, c := range d.Cells {
		for _, pair := range Pairs(c.Arm, c.Cell, journal.PhaseFull, 2) {
			assert.NotContains(t, pair.Name, "@", "pods can't be named so")
		}
	}
}

// A cluster's name after @ chooses it also where the arm's own name is short.
func TestAnArmByItsCluster(t *testing.T) {
	in := inputs(t, "quick", "")
	in.Catalogue.Comparisons[0].Arms = []string{"macvlan@kube-proxy", "cilium@ebpf", "cilium@kube-proxy"}
	in.Catalogue.Comparisons[0].Control, in.Catalogue.Comparisons[0].Early = "macvlan@kube-proxy", nil
	d, err := planned(t, in).Of("pod-ip-latency", journal.PhaseFull)
	require.NoError(t, err)
	assert.Equal(t, []string{"macvlan", "cilium"}, d.Arms)
	assert.Equal(t, "macvlan", d.Control)
	assert.Equal(t, "cilium@kube-proxy", d.LeftOut[0].Arm)
}

// A lab of variants: one arm for each, a tunnel is proven where one is claimed, and what
// nothing could prove is left out.
func TestVariantsHaveArmsOfTheirOwn(t *testing.T) {
	const head = "apiVersion: cniperf.io/v1\nkind: Lab\nclusters:\n"
	in := inputs(t, "variants", head+"  - {name: a, variant: calico-iptables}\n  - {name: b, variant: calico-vxlan}\n"+
		"  - {name: c, variant: cilium-vxlan, spiderpool: false}\n  - {name: d, variant: calico-nftables}\n")
	p := planned(t, in)
	d, err := p.Of("variants-latency", journal.PhaseFull)
	require.NoError(t, err)
	assert.Equal(t, []string{"node", "calico", "calico-nftables", "calico-vxlan", "cilium-vxlan", "macvlan"}, d.Arms)
	assert.Empty(t, d.LeftOut, "variants that the lab hasn't are not missed")
	for name, tunnelled := range map[string]bool{"calico": false, "calico-vxlan": true, "cilium-vxlan": true, "macvlan": false, "node": false} {
		arm, err := p.Arm(name)
		require.NoError(t, err)
		assert.Equal(t, tunnelled, slices.Contains(arm.Proof, Tunnel), name)
		assert.Equal(t, !tunnelled, slices.Contains(arm.Proof, NoTunnel), name)
	}

	in.Catalogue.Comparisons[1].Arms, in.Catalogue.Comparisons[1].Control = []string{"pod", "macvlan-ebpf"}, "pod"
	in.Profile.Comparisons = []string{"cluster-ip-latency"}
	d, err = planned(t, in).Of("cluster-ip-latency", journal.PhaseFull)
	require.NoError(t, err)
	assert.Equal(t, []string{"calico", "calico-vxlan", "cilium-vxlan"}, d.Arms)
	var left []record.Code
	for _, l := range d.LeftOut {
		left = append(left, l.Reason.Code)
	}
	assert.Equal(t, []record.Code{record.NoCounter, record.NoCluster}, left, "nftables count nothing; no macvlan without Spiderpool")
}

func TestBadDatapathsAreRefusedWithTheirLine(t *testing.T) {
	const head = "# A comment.\ndatapaths:\n"
	for name, tc := range map[string]struct{ yaml, want string }{
		"twice":         {head + "  - {name: node, cni: none, network: host, proof: [peer]}\n  - {name: node, cni: none, network: host, proof: [peer]}\n", "line 4: datapath node: is there a second time"},
		"named a CNI":   {head + "  - {name: calico, cni: none, network: host, proof: [peer]}\n", "line 3: datapath calico: is there a second time"},
		"network":       {head + "  - {name: a, cni: none, network: ipvlan, proof: [peer]}\n", `line 3: datapath a: network is "ipvlan"`},
		"no proof":      {head + "  - {name: a, cni: none, network: host}\n", "line 3: datapath a: want the proof"},
		"unknown proof": {head + "  - {name: a, cni: none, network: host, proof: [hope]}\n", `line 3: datapath a: unknown proof "hope"`},
		"accelerated":   {head + "  - {name: a, cni: spiderpool, network: macvlan, accelerated: true, proof: [peer]}\n", "accelerator is the proof of accelerated datapaths"},
		"in":            {head + "  - {name: a, cni: none, network: host, in: [ipvs], proof: [peer]}\n", `line 3: datapath a: unknown services "ipvs"`},
		"interface":     {head + "  - {name: a, cni: none, network: macvlan, serverInterface: 1, proof: [peer]}\n", "line 3: datapath a: serverInterface is 1"},
		"no cni":        {head + "  - {name: a, network: host, proof: [peer]}\n", "line 3: datapath a: want a cni"},
		"unknown field": {head + "  - {name: a, cluster: ebpf}\n", "line 3"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadDatapaths(fstest.MapFS{"datapaths.yaml": {Data: []byte(tc.yaml)}})
			assert.ErrorContains(t, err, tc.want)
		})
	}
	shipped, err := LoadDatapaths(manifests.Suite)
	require.NoError(t, err)
	for _, cni := range []string{lab.CNICalico, lab.CNICilium} {
		assert.True(t, shipped.podArm(cni), "every CNI that a lab file may name")
	}
}
