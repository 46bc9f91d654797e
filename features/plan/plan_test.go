package plan

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
	"github.com/cniperf/cniperf/manifests"
)

// twoClusters is a lab with one network, so without a second subnet.
const twoClusters = `
apiVersion: cniperf.io/v1
kind: Lab
networks:
  - {name: lan, subnet: 10.1.0.0/24, gateway: 10.1.0.1}
clusters:
  - name: kube-proxy
    provider: kubeconfig
    cni: calico
    install: false
    podSubnet: 10.2.0.0/16
    serviceSubnet: 10.3.0.0/16
    kubeconfig: {path: /nowhere/admin.conf, context: admin, nodes: [n1, n2], images: {bench: registry.example/bench:v1}}
    interfaces: [{name: eth0, network: lan, pool: 10.1.0.64-10.1.0.127}]
  - name: ebpf
    provider: kubeconfig
    cni: cilium
    install: false
    podSubnet: 10.4.0.0/16
    serviceSubnet: 10.5.0.0/16
    kubeconfig: {path: /nowhere/admin.conf, context: other, nodes: [n3, n4], images: {bench: registry.example/bench:v1}}
    interfaces: [{name: eth0, network: lan, pool: 10.1.0.128-10.1.0.191}]
`

// smallPool is the same with 16 addresses in the first cluster.
var smallPool = strings.Replace(twoClusters, "10.1.0.64-10.1.0.127", "10.1.0.64-10.1.0.79", 1)

// without returns the lab file without the cluster of that name.
func without(t *testing.T, cluster string) string {
	t.Helper()
	head, second, found := strings.Cut(twoClusters, "  - name: ebpf\n")
	require.True(t, found)
	if cluster == "ebpf" {
		return head
	}
	head, _, found = strings.Cut(head, "  - name: kube-proxy\n")
	require.True(t, found)
	return head + "  - name: ebpf\n" + second
}

// inputs are those of a shipped profile on a lab; "" is the embedded one.
func inputs(t *testing.T, profile, labFile string) Inputs {
	t.Helper()
	in := Inputs{Catalogue: load(t), Seed: 7}
	var err error
	in.Profile, err = LoadProfile(manifests.Suite, profile, in.Catalogue)
	require.NoError(t, err)
	in.Thresholds, err = verdict.OpenThresholds(manifests.Suite, "thresholds/spiderpool.yaml")
	require.NoError(t, err)
	in.Lab, err = lab.Default()
	if labFile != "" {
		in.Lab, err = lab.Parse("lab.yaml", []byte(labFile))
	}
	require.NoError(t, err)
	return in
}

func planned(t *testing.T, in Inputs) Plan {
	t.Helper()
	p, err := New(in)
	require.NoError(t, err)
	return p
}

func elsewhereThan(profile, cluster string) record.Reason {
	return record.Reason{Code: record.OtherCluster, Profile: profile, Cluster: "ebpf", Clusters: []string{cluster}}
}

const oneCluster = "a profile may want one cluster"

func TestWhatALabAllowsOfAComparison(t *testing.T) {
	all := []string{"node", "calico", "cilium", "macvlan", "macvlan-cross-subnet"}
	both := []string{"kube-proxy", "ebpf"}
	for name, tc := range map[string]struct {
		profile, lab, comparison, phase string
		arms, clusters                  []string
		left                            map[string]record.Reason
	}{
		"the embedded lab has everything":         {"quick", "", "pod-ip-latency", journal.PhaseFull, all, both, nil},
		"a confirming batch is like the full one": {"quick", "", "pod-ip-latency", journal.PhaseConfirm, all, both, nil},
		"early arms have a phase of their own": {
			"quick", "", "pod-ip-latency", journal.PhaseFirst, []string{"node", "calico", "macvlan"}, both[:1], nil,
		},
		oneCluster: {
			"smoke", "", "pod-ip-latency", journal.PhaseFull,
			[]string{"node", "calico", "macvlan", "macvlan-cross-subnet"}, both[:1],
			map[string]record.Reason{"cilium": elsewhereThan("smoke", "kube-proxy")},
		},
		"no second network": {
			"quick", twoClusters, "pod-ip-latency", journal.PhaseFull, all[:4], both,
			map[string]record.Reason{"macvlan-cross-subnet": {Code: record.FewInterfaces, Profile: "quick", Cluster: "kube-proxy", Interfaces: 2}},
		},
		"one cluster": {
			"quick", without(t, "ebpf"), "cluster-ip-latency", journal.PhaseFull,
			[]string{"node", "calico", "macvlan-kube-proxy"}, both[:1],
			map[string]record.Reason{"cilium": {Code: record.NoCluster, Profile: "quick"}, "macvlan-ebpf": {Code: record.NoCluster, Profile: "quick"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, tc.profile, tc.lab)
			if name == oneCluster {
				in.Profile.MaxClusters = 1
			}
			d, err := planned(t, in).Of(tc.comparison, tc.phase)
			require.NoError(t, err)
			assert.Equal(t, tc.arms, d.Arms)
			assert.Equal(t, tc.clusters, d.Clusters)
			require.Len(t, d.LeftOut, len(tc.left))
			for _, l := range d.LeftOut {
				assert.Equal(t, tc.left[l.Arm], l.Reason, l.Arm)
			}
			require.Len(t, d.Cells, len(tc.arms)+1)
			for i, c := range d.Cells {
				assert.Equal(t, c.Cell.Arm, c.Arm.Name)
				assert.Equal(t, i == len(tc.arms), c.Cell.Control, "the control's second copy comes last")
			}
		})
	}
}

// A lab of Cilium alone has no kube-proxy: what needs it is left out, and another
// arm is measured twice where the control is missing.
func TestALabWithCiliumAlone(t *testing.T) {
	p := planned(t, inputs(t, "quick", without(t, "kube-proxy")))
	d, err := p.Of("pod-ip-latency", journal.PhaseFull)
	require.NoError(t, err)
	assert.Equal(t, []string{"node", "cilium", "macvlan"}, d.Arms)
	assert.Equal(t, "macvlan", d.Control)
	d, err = p.Of("cluster-ip-latency", journal.PhaseFull)
	require.NoError(t, err)
	assert.Equal(t, []string{"node", "cilium", "macvlan-ebpf"}, d.Arms)
	assert.Equal(t, "cilium", d.Control)
	require.Len(t, p.LeftOut, 2)
	for i, arm := range []string{"bypass-on", "bypass-off"} {
		assert.Equal(t, record.LeftOut{Comparison: "same-node-latency", Arm: arm, Reason: record.Reason{Code: record.NoCluster, Profile: "quick"}}, p.LeftOut[i])
	}
	assert.NotContains(t, p.Profile.Comparisons, "same-node-latency")
	_, err = p.Of("same-node-latency", journal.PhaseFull)
	assert.EqualError(t, err, `profile quick has no comparison "same-node-latency" in the phase full`)
}

func TestRoundsGoByWhatIsAtStake(t *testing.T) {
	in := inputs(t, "quick", "")
	in.Profile.MaxRounds, in.Profile.InformRounds = 19, 9
	p := planned(t, in)
	for _, tc := range []struct {
		comparison string
		want       int
		assertion  string // one of them
	}{
		{"pod-ip-latency", 19, "latency-macvlan-over-calico"},
		{"pod-ip-redis-get", 9, "redis-get-macvlan-over-calico"},
	} {
		d, err := p.Of(tc.comparison, journal.PhaseFull)
		require.NoError(t, err)
		assert.Equal(t, tc.want, d.MaxRounds, tc.comparison)
		var names []string
		for _, a := range d.Assertions {
			names = append(names, a.Name)
		}
		assert.Contains(t, names, tc.assertion)
		assert.Less(t, len(names), len(p.Thresholds.Assertions)/2, "those of other comparisons are not its own")
	}
}

func TestSelection(t *testing.T) {
	names := func(in Inputs) (names []string) {
		for _, d := range planned(t, in).Selected() {
			names = append(names, d.Name)
		}
		return names
	}
	in := inputs(t, "quick", "")
	assert.Equal(t, in.Profile.Comparisons, names(in))
	in.Labels = map[string][]string{"tool": {"sockperf"}, "path": {"pod-ip"}}
	assert.Equal(t, []string{"pod-ip-latency", "same-node-latency"}, names(in))
	in.Only = regexp.MustCompile("same-node")
	assert.Equal(t, []string{"same-node-latency"}, names(in))
	in.Only, in.But = nil, regexp.MustCompile("same-node")
	assert.Equal(t, []string{"pod-ip-latency"}, names(in))
}

func TestWhatDoesNotFitTogetherIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		profile, lab string
		change       func(*Inputs)
		want         string
	}{
		"no arm": {"quick", without(t, "kube-proxy"), func(in *Inputs) { in.Profile.Comparisons = []string{"same-node-latency"} },
			"profile quick: the lab has an arm of none of its comparisons; of same-node-latency, the lab has no cluster of the kind that this arm needs"},
		"unknown label": {"quick", "", func(in *Inputs) { in.Labels = map[string][]string{"cin": {"calico"}} },
			`unknown label "cin"`},
		"rounds that can't be reached": {"nightly", "", func(in *Inputs) { in.Profile.MaxRounds = 30 },
			"profile nightly: maxRounds is 30, but no gate of thresholds spiderpool is tested for more than 20 rounds"},
		"small pool": {"quick", smallPool, func(*Inputs) {},
			"lab: cluster kube-proxy: profile quick may have 56 pods on eth0 at once and its pool 10.1.0.64-10.1.0.79 has 16 addresses"},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, tc.profile, tc.lab)
			tc.change(&in)
			_, err := New(in)
			assert.ErrorContains(t, err, tc.want)
		})
	}
	planned(t, inputs(t, "smoke", smallPool)) // its pods are few
}

// Rounds are out of reach only where a gate ends them: what has none is measured
// for as many as the profile says.
func TestRoundsWithoutAGateAreTheProfiles(t *testing.T) {
	in := inputs(t, "nightly", "")
	in.Profile.MaxRounds, in.Profile.InformRounds = 30, 30
	for i := range in.Thresholds.Assertions {
		in.Thresholds.Assertions[i].Role = verdict.Inform
	}
	d, err := planned(t, in).Of("pod-ip-latency", journal.PhaseFull)
	require.NoError(t, err)
	assert.Equal(t, 30, d.MaxRounds)
}

func TestShippedProfilesFitTheEmbeddedLabAndThresholds(t *testing.T) {
	for _, profile := range []string{"smoke", "quick", "nightly", "published"} {
		planned(t, inputs(t, profile, ""))
	}
}
