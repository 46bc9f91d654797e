package plan

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

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/manifests"
)

func load(t *testing.T) *Catalogue {
	t.Helper()
	c, err := LoadCatalogue(manifests.Suite)
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
	_, err = planned(t, inputs(t, "quick", "")).Arm("flannel")
	assert.ErrorContains(t, err, `unknown arm "flannel": known are node, calico`)
	for label, want := range map[string]string{"cin=calico": `unknown label "cin"`, "cni=flannel": "cni=flannel", "cni=calico": "", "arm=cilium": "", "tool=sockperf": "", "phase=full": ""} {
		in := inputs(t, "quick", without(t, "ebpf"))
		k, v, _ := strings.Cut(label, "=")
		in.Labels = map[string][]string{k: {v}}
		_, err := New(in)
		if want == "" {
			assert.NoError(t, err, label)
		} else {
			assert.ErrorContains(t, err, want)
		}
	}
}

func TestSelectionIsTheFrameworks(t *testing.T) {
	d, err := planned(t, inputs(t, "quick", "")).Of("cluster-ip-tcp-rr", journal.PhaseFull)
	require.NoError(t, err)
	assert.True(t, selects(nil, d.Labels))
	assert.True(t, selects(map[string][]string{"cni": {"flannel", "calico"}, "phase": {"full"}}, d.Labels))
	assert.False(t, selects(map[string][]string{"cni": {"calico"}, "tool": {"iperf3"}}, d.Labels))
}

func TestBadProfilesAreRefused(t *testing.T) {
	c := load(t)
	const good = "apiVersion: cniperf.io/v1\nkind: Profile\nname: p\nsampleSeconds: 2\npin: {client: last, server: last}\npodSets: 1\nminRounds: 1\nmaxRounds: 2\ninformRounds: 2\nbudgetMinutes: 5\ncomparisons: [pod-ip-latency]\n"
	for name, tc := range map[string]struct{ yaml, want string }{
		"unknown field":      {good + "rouns: 3\n", "line 12"},
		"unknown comparison": {good[:len(good)-len("[pod-ip-latency]\n")] + "[pod-ip]\n", "line 11: unknown comparison"},
		"comparison twice":   {good[:len(good)-len("[pod-ip-latency]\n")] + "\n  - pod-ip-latency\n  - pod-ip-latency\n", "line 13: comparison pod-ip-latency: is there a second time"},
		"clusters by name":   {good + "clusters: [lab]\n", "line 12"},
		"too many clusters":  {good + "maxClusters: 101\n", "line 12: maxClusters is 101, want 0 to 100"},
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
	c := load(t)
	data, err := fs.ReadFile(manifests.Suite, "catalogue.yaml")
	require.NoError(t, err)
	good := string(data)
	for name, tc := range map[string]struct{ old, new, want string }{
		"port":            {"metric: latency, port: 12345}", "metric: latency, port: 70000}", "port is 70000, want 1 to 65535 for sockperf"},
		"streams":         {"streams: 2}", "streams: 1000}", "streams is 1000, want 1 to 128 for iperf3"},
		"another tool's":  {"metric: latency, port: 12345}", "metric: latency, port: 12345, streams: 2}", "streams is 2, but sockperf takes none"},
		"another's flag":  {"metric: latency, port: 12345}", "metric: latency, port: 12345, connect: true}", "connect is true, but sockperf takes none"},
		"tool":            {"tool: iperf3, server: iperf3, metric: throughput, port: 5201, streams: 1", "tool: iperf4, server: iperf3, metric: throughput, port: 5201, streams: 1", `tool is "iperf4"`},
		"metric":          {"metric: transactions", "metric: transaction", "is not measured"},
		"arm twice":       {"arms: [bypass-on, bypass-off]", "arms: [bypass-on, bypass-off, bypass-on]", "arm bypass-on is there a second time"},
		"no ClusterIP":    {"arms: &cluster-ip [node, calico,", "arms: &cluster-ip [node, macvlan, calico,", "arm macvlan has no service, so it has no ClusterIP"},
		"unknown arm":     {"arms: [bypass-on, bypass-off]", "arms: [bypass-on, bypass]", `unknown datapath "bypass"`},
		"path":            {"path: cluster-ip\n", "path: nodeport\n", `path is "nodeport"`},
		"early control":   {"early: [node, calico, macvlan]", "early: [node, calico]", "its control macvlan is not one of its early arms [node calico]"},
		"name of a shell": {"name: pod-ip-latency", "name: $(reboot)", "want lower-case letters"},
	} {
		t.Run(name, func(t *testing.T) {
			at := strings.Index(good, tc.old)
			require.Positive(t, at)
			bad := strings.Replace(good, tc.old, tc.new, 1)
			_, err := (&Catalogue{Datapaths: c.Datapaths}).Add(strings.NewReader(bad))
			assert.ErrorContains(t, err, tc.want)
			assert.ErrorContains(t, err, fmt.Sprintf("line %d: ", strings.Count(good[:at], "\n")+1))
		})
	}
}

func TestRoundHasEveryArmAndTheControl(t *testing.T) {
	d, err := planned(t, inputs(t, "quick", "")).Of("pod-ip-latency", journal.PhaseFull)
	require.NoError(t, err)
	cells := d.Round()
	assert.Len(t, cells, len(d.Arms)+1)
	assert.Equal(t, "macvlan#control/pod-ip/cross-node/sockperf-latency", cells[len(cells)-1].String())
	assert.Equal(t, "node/host-ip/cross-node/sockperf-latency", cells[0].String())
}

// A user's comparison needs no recompiling, and can't replace one of ours.
func TestComparisonsOfAUser(t *testing.T) {
	const own = `comparisons:
  - {name: two-sizes, title: two, benchmark: redis-large, path: pod-ip, placement: cross-node, arms: [macvlan, calico], control: macvlan}
benchmarks:
  - {name: redis-large, tool: redis-benchmark, server: redis, metric: requests, port: 6379, test: get, requests: 100, valueBytes: 100000}
`
	in := inputs(t, "quick", "")
	var err error
	in.Extra, err = in.Catalogue.Add(strings.NewReader(own))
	require.NoError(t, err)
	p := planned(t, in)
	d, err := p.Of("two-sizes", journal.PhaseFull)
	require.NoError(t, err)
	assert.Equal(t, []string{"macvlan", "calico"}, d.Arms)
	assert.Equal(t, "two-sizes", p.Profile.Comparisons[len(p.Profile.Comparisons)-1])
	_, err = in.Catalogue.Add(strings.NewReader(own))
	assert.ErrorContains(t, err, "line 4: benchmark redis-large: is there a second time")
	_, err = in.Catalogue.Add(strings.NewReader("arms: []\n"))
	assert.ErrorContains(t, err, "line 1")
}

func FuzzProfile(f *testing.F) {
	shipped, err := fs.Glob(manifests.Suite, "profiles/*.yaml")
	require.NoError(f, err)
	for _, name := range shipped {
		data, err := fs.ReadFile(manifests.Suite, name)
		require.NoError(f, err)
		f.Add(data)
	}
	c, err := LoadCatalogue(manifests.Suite)
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
	shipped, err := fs.ReadFile(manifests.Suite, "catalogue.yaml")
	require.NoError(f, err)
	f.Add(shipped)
	datapaths, err := LoadDatapaths(manifests.Suite)
	require.NoError(f, err)
	spec, err := lab.Default()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		c := Catalogue{Datapaths: datapaths}
		names, err := c.Add(bytes.NewReader(data))
		if err != nil || len(names) == 0 {
			return
		}
		p, err := New(Inputs{Catalogue: &c, Extra: names, Lab: spec})
		if err != nil {
			return
		}
		for _, d := range p.In(journal.PhaseFull) {
			assert.Len(t, d.Cells, len(d.Arms)+1)
			assert.Contains(t, d.Arms, d.Control)
		}
	})
}
