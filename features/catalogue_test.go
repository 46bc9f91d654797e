package features

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/trailer"
	"github.com/cniperf/cniperf/manifests"
)

func load(t *testing.T) *Catalogue {
	t.Helper()
	c, err := LoadCatalogue()
	require.NoError(t, err)
	return c
}

func TestShippedProfilesLoad(t *testing.T) {
	c := load(t)
	for _, name := range []string{"smoke", "quick"} {
		p, err := LoadProfile(manifests.Suite, name, c)
		require.NoError(t, err)
		assert.Equal(t, name, p.Name)
	}
}

func TestUnknownNamesListTheKnownOnes(t *testing.T) {
	c := load(t)
	_, err := LoadProfile(manifests.Suite, "qiuck", c)
	assert.ErrorContains(t, err, `unknown profile "qiuck": known are`)
	_, err = c.Arm("flannel")
	assert.ErrorContains(t, err, `unknown arm "flannel": known are node, calico`)
	assert.ErrorContains(t, c.CheckLabels(map[string][]string{"cin": {"calico"}}), `unknown label "cin"`)
	assert.ErrorContains(t, c.CheckLabels(map[string][]string{"cni": {"flannel"}}), "cni=flannel")
	assert.NoError(t, c.CheckLabels(map[string][]string{"cni": {"spiderpool"}, "tool": {"sockperf"}}))
}

func TestBadProfilesAreRefused(t *testing.T) {
	c := load(t)
	const good = "apiVersion: cniperf.io/v1\nkind: Profile\nname: p\nsampleSeconds: 2\nminRounds: 1\nmaxRounds: 2\ncomparisons: [pod-ip-latency]\n"
	for name, tc := range map[string]struct{ yaml, want string }{
		"unknown field":      {good + "rouns: 3\n", "line 8"},
		"unknown comparison": {good[:len(good)-len("[pod-ip-latency]\n")] + "[pod-ip]\n", "unknown comparison"},
		"out of bounds":      {"apiVersion: cniperf.io/v1\nkind: Profile\nname: p\nsampleSeconds: 0\nminRounds: 1\nmaxRounds: 2\ncomparisons: [pod-ip-latency]\n", "sampleSeconds is 0"},
		"other kind":         {"apiVersion: v2\n", "want cniperf.io/v1 Profile"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadProfile(fstest.MapFS{"profiles/p.yaml": {Data: []byte(tc.yaml)}}, "p", c)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestRoundHasEveryArmAndTheControl(t *testing.T) {
	c := load(t)
	cmp, err := c.Comparison("pod-ip-latency")
	require.NoError(t, err)
	cells, err := c.Cells(cmp)
	require.NoError(t, err)
	assert.Len(t, cells, len(cmp.Arms)+1)
	assert.Equal(t, "macvlan#control/pod-ip/cross-node/sockperf-latency", cells[len(cells)-1].String())
	assert.Equal(t, "node/host-ip/cross-node/sockperf-latency", cells[0].String())

	early, left, err := c.Within(cmp, []string{"kube-proxy"})
	require.NoError(t, err)
	assert.Equal(t, []string{"node", "calico", "macvlan"}, early.Arms)
	require.Len(t, left, 1)
	assert.Equal(t, "cilium", left[0].Name)
}

func TestPodSideProofCatchesAnotherInterface(t *testing.T) {
	counted := func(bytes map[string]uint64) trailer.Trailer {
		tr := trailer.Trailer{Before: trailer.Snapshot{Interfaces: map[string]trailer.Counters{}}, After: trailer.Snapshot{Interfaces: map[string]trailer.Counters{}}}
		for name, n := range bytes {
			tr.Before.Interfaces[name] = trailer.Counters{RxBytes: 500, TxBytes: 500}
			tr.After.Interfaces[name] = trailer.Counters{RxBytes: 500 + n/2, TxBytes: 500 + n/2}
		}
		return tr
	}
	macvlan := Arm{Name: "macvlan", Network: "cniperf/cniperf-eth0"}
	node := Arm{Name: "node", Network: "host"}
	for name, tc := range map[string]struct {
		arm   Arm
		bytes map[string]uint64
		ok    bool
	}{
		"macvlan":                 {macvlan, map[string]uint64{"eth0": 1 << 20, "veth0": 0, "lo": 0}, true},
		"leaves through veth0":    {macvlan, map[string]uint64{"eth0": 100, "veth0": 1 << 20}, false},
		"nothing moved":           {macvlan, map[string]uint64{"eth0": 0, "lo": 1 << 20}, false},
		"node beside busy pods":   {node, map[string]uint64{"eth0": 1 << 20, "cali123": 1 << 22}, true},
		"node by another segment": {node, map[string]uint64{"eth0": 1 << 10, "eth1": 1 << 20}, false},
	} {
		t.Run(name, func(t *testing.T) {
			checks := podSideChecks(tc.arm, counted(tc.bytes))
			require.Len(t, checks, 1)
			assert.Equal(t, tc.ok, checks[0].OK, checks[0].Found)
		})
	}
}
