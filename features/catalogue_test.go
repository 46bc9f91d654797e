package features

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"
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
	shipped, err := fs.Glob(manifests.Suite, "profiles/*.yaml")
	require.NoError(t, err)
	assert.Greater(t, len(shipped), 3)
	for _, file := range shipped {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
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
	const good = "apiVersion: cniperf.io/v1\nkind: Profile\nname: p\nsampleSeconds: 2\npin: {client: last, server: last}\npodSets: 1\nminRounds: 1\nmaxRounds: 2\ninformRounds: 2\nbudgetMinutes: 5\ncomparisons: [pod-ip-latency]\n"
	for name, tc := range map[string]struct{ yaml, want string }{
		"unknown field":      {good + "rouns: 3\n", "line 12"},
		"unknown comparison": {good[:len(good)-len("[pod-ip-latency]\n")] + "[pod-ip]\n", "line 11: unknown comparison"},
		"comparison twice":   {good[:len(good)-len("[pod-ip-latency]\n")] + "\n  - pod-ip-latency\n  - pod-ip-latency\n", "line 13: comparison pod-ip-latency: is there a second time"},
		"unknown cluster":    {good + "clusters: [lab]\n", `line 12: no arm is in a cluster "lab"`},
		"unknown benchmark":  {good + "benchmarkSeconds: {ping: 1}\n", "line 12: benchmarkSeconds: unknown benchmark"},
		"its bounds":         {good + "benchmarkSeconds:\n  redis-get: 301\n", "line 13: redis-get is 301"},
		"two documents":      {good + "---\n" + good, "more than one YAML document"},
		"empty":              {"", "empty"},
		"out of bounds":      {"apiVersion: cniperf.io/v1\nkind: Profile\nname: p\nsampleSeconds: 0\nminRounds: 1\nmaxRounds: 2\ninformRounds: 2\nbudgetMinutes: 5\ncomparisons: [pod-ip-latency]\n", "line 4: sampleSeconds is 0"},
		"no pin":             {strings.Replace(good, "pin: {client: last, server: last}\n", "", 1), `pin.client is "", want last or the number of a CPU`},
		"pin to many":        {strings.Replace(good, "server: last", "server: 0-3", 1), `line 5: pin.server is "0-3"`},
		"pin beyond":         {strings.Replace(good, "client: last", `client: "1024"`, 1), `line 5: pin.client is "1024"`},
		"no pods":            {strings.Replace(good, "podSets: 1\n", "", 1), "podSets is 0, want 1 to 4"},
		"other kind":         {"apiVersion: v2\n", "line 1: is v2 , want cniperf.io/v1 Profile"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadProfile(fstest.MapFS{"profiles/p.yaml": {Data: []byte(tc.yaml)}}, "p", c)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestBadCataloguesAreRefusedWithTheirLine(t *testing.T) {
	good := string(catalogueYAML)
	for name, tc := range map[string]struct{ old, new, want string }{
		"port":            {"metric: latency, port: 12345}", "metric: latency, port: 70000}", "port is 70000, want 1 to 65535 for sockperf"},
		"streams":         {"streams: 2}", "streams: 1000}", "streams is 1000, want 1 to 128 for iperf3"},
		"another tool's":  {"metric: latency, port: 12345}", "metric: latency, port: 12345, streams: 2}", "streams is 2, but sockperf takes none"},
		"another's flag":  {"metric: latency, port: 12345}", "metric: latency, port: 12345, connect: true}", "connect is true, but sockperf takes none"},
		"tool":            {"tool: iperf3, server: iperf3, metric: throughput, port: 5201, streams: 1", "tool: iperf4, server: iperf3, metric: throughput, port: 5201, streams: 1", `tool is "iperf4"`},
		"metric":          {"metric: transactions", "metric: transaction", "is not measured"},
		"arm's port":      {"port: 12346}", "port: -1}", "arm bypass-off: port is -1"},
		"arm twice":       {"name: cilium,", "name: calico,", "arm calico: is there a second time"},
		"unknown arm":     {"arms: [bypass-on, bypass-off]", "arms: [bypass-on, bypass]", `unknown arm "bypass"`},
		"path":            {"path: cluster-ip\n", "path: nodeport\n", `path is "nodeport"`},
		"name of a shell": {"name: pod-ip-latency", "name: $(reboot)", "want lower-case letters"},
	} {
		t.Run(name, func(t *testing.T) {
			at := strings.Index(good, tc.old)
			require.Positive(t, at)
			bad := strings.Replace(good, tc.old, tc.new, 1)
			var c Catalogue
			err := decodeStrict(strings.NewReader(bad), &c, c.validate)
			assert.ErrorContains(t, err, tc.want)
			assert.ErrorContains(t, err, fmt.Sprintf("line %d: ", strings.Count(good[:at], "\n")+1))
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

func FuzzProfile(f *testing.F) {
	shipped, err := fs.Glob(manifests.Suite, "profiles/*.yaml")
	require.NoError(f, err)
	for _, name := range shipped {
		data, err := fs.ReadFile(manifests.Suite, name)
		require.NoError(f, err)
		f.Add(data)
	}
	c, err := LoadCatalogue()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := LoadProfile(fstest.MapFS{"profiles/p.yaml": {Data: data}}, "p", c)
		if err == nil {
			assert.NoError(t, p.validate(c))
			assert.LessOrEqual(t, p.MinRounds, p.MaxRounds)
		}
	})
}

func FuzzCatalogue(f *testing.F) {
	f.Add(catalogueYAML)
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Catalogue
		if err := decodeStrict(bytes.NewReader(data), &c, c.validate); err == nil {
			for _, cmp := range c.Comparisons {
				_, err := c.Cells(cmp)
				assert.NoError(t, err)
			}
		}
	})
}
