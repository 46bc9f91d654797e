package features

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	for _, name := range []string{"smoke", "quick", "nightly"} {
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

func TestSelectionIsTheFrameworks(t *testing.T) {
	c := load(t)
	cmp, err := c.Comparison("cluster-ip-tcp-rr")
	require.NoError(t, err)
	assert.True(t, c.Selected(cmp, nil))
	assert.True(t, c.Selected(cmp, map[string][]string{"cni": {"flannel", "calico"}, "phase": {"full"}}))
	assert.False(t, c.Selected(cmp, map[string][]string{"cni": {"calico"}, "tool": {"iperf3"}}))
	assert.NoError(t, c.CheckLabels(map[string][]string{"phase": {"full"}}))
}

func TestBadProfilesAreRefused(t *testing.T) {
	c := load(t)
	const good = "apiVersion: cniperf.io/v1\nkind: Profile\nname: p\nsampleSeconds: 2\nminRounds: 1\nmaxRounds: 2\ninformRounds: 2\nbudgetMinutes: 5\ncomparisons: [pod-ip-latency]\n"
	for name, tc := range map[string]struct{ yaml, want string }{
		"unknown field":      {good + "rouns: 3\n", "line 10"},
		"unknown comparison": {good[:len(good)-len("[pod-ip-latency]\n")] + "[pod-ip]\n", "unknown comparison"},
		"out of bounds":      {"apiVersion: cniperf.io/v1\nkind: Profile\nname: p\nsampleSeconds: 0\nminRounds: 1\nmaxRounds: 2\ninformRounds: 2\nbudgetMinutes: 5\ncomparisons: [pod-ip-latency]\n", "sampleSeconds is 0"},
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
	assert.Equal(t, []string{"node", "calico", "macvlan", "macvlan-cross-subnet"}, early.Arms)
	require.Len(t, left, 1)
	assert.Equal(t, "cilium", left[0].Name)
}
