package record

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/interference"
)

// testdata/plan.v1.json is what cb8fe70 recorded for nightly on two clusters with
// links of 10 Gbit/s, selected by two labels.
func oldPlan(t *testing.T) json.RawMessage {
	t.Helper()
	b, err := os.ReadFile("testdata/plan.v1.json")
	require.NoError(t, err)
	return b
}

func TestAPlanOfTheFirstVersionIsRead(t *testing.T) {
	p, err := DecodePlan(oldPlan(t))
	require.NoError(t, err)
	assert.Equal(t, 1, p.Version)
	assert.Equal(t, uint64(1<<63+5), p.Seed)
	assert.Equal(t, map[string][]string{"cni": {"spiderpool", "calico"}}, p.Labels)
	comparisons := p.Profile.Comparisons
	require.Len(t, comparisons, 18)
	assert.Equal(t, "pod-ip-latency", comparisons[0])
	p.Profile.Comparisons = nil
	assert.Equal(t, Profile{
		Name: "nightly", SampleSeconds: 3, BenchmarkSeconds: map[string]int{"netperf-tcp-crr": 1},
		Pin: Pin{Client: "last", Server: "last"}, PodSets: 2, MinRounds: 8, MaxRounds: 30, InformRounds: 20, BudgetMinutes: 120, Judge: true,
		Interference: interference.Rule{
			Mark: map[string]float64{"steal": .03, "other-cpus": .75, "throttled": .001},
			Drop: map[string]float64{"steal": .1, "other-cpus": .9}, MaxDropped: 4,
		},
	}, p.Profile)
	require.Len(t, p.Catalogue.Arms, 9)
	assert.Equal(t, Arm{Name: "macvlan-kube-proxy", Cluster: "kube-proxy", CNI: "spiderpool", Network: "cniperf/cniperf-eth0", Service: "kube-proxy", ServiceInterface: "veth0"}, p.Catalogue.Arms[4])
	assert.Equal(t, Arm{Name: "bypass-off", Cluster: "kube-proxy", CNI: "spiderpool", Network: "cniperf/cniperf-eth0", Server: "sockperf-plain", Port: 12346}, p.Catalogue.Arms[8])
	require.Len(t, p.Catalogue.Benchmarks, 9)
	assert.Equal(t, Benchmark{Name: "netperf-tcp-crr", Tool: "netperf", Server: "netperf", Metric: "transactions", Port: 12865, DataPort: 12866, Connect: true}, p.Catalogue.Benchmarks[3])
	assert.Equal(t, Benchmark{Name: "redis-set", Tool: "redis-benchmark", Server: "redis", Metric: "requests", Port: 6379, Test: "set", Requests: 25000, ValueBytes: 1000}, p.Catalogue.Benchmarks[8])
	require.Len(t, p.Catalogue.Comparisons, 18)
	assert.Equal(t, Comparison{
		Name: "pod-ip-latency", Title: "TCP latency by Pod IP across nodes", Benchmark: "sockperf-latency", Path: "pod-ip", Placement: "cross-node",
		Arms: []string{"node", "calico", "cilium", "macvlan", "macvlan-cross-subnet"}, Control: "macvlan", Early: []string{"node", "calico", "macvlan"},
	}, p.Catalogue.Comparisons[0])
	assert.Equal(t, "spiderpool", p.Thresholds.Name)
	require.NotEmpty(t, p.Thresholds.Assertions)
	assert.Equal(t, 20, p.Thresholds.Assertions[0].MaxRounds)
	assert.InEpsilon(t, 9.415e9, p.Ceilings("pod-ip-iperf3-p1")["throughput"], .001)
	assert.Empty(t, p.Ceilings("same-node-latency"))
}

// What is read of an old plan can be written and read as one of today.
func TestAnOldPlanInTodaysShape(t *testing.T) {
	p, err := DecodePlan(oldPlan(t))
	require.NoError(t, err)
	p.Version = PlanVersion
	b, err := json.Marshal(p)
	require.NoError(t, err)
	again, err := DecodePlan(b)
	require.NoError(t, err)
	assert.Equal(t, p, again)
}

func TestPlansThatCantBeRead(t *testing.T) {
	for plan, want := range map[string]string{
		`{"version": 3, "profil": {}}`:                    "plan: written by a newer cniperf: plan version 3, this one reads up to 2",
		`{"version": 2, "profile": {"rounds": 3}}`:        `plan of version 2: json: unknown field "rounds"`,
		`{"version": 1}`:                                  "plan: there is no plan version 1: versions are 2 to 2, or absent",
		`{"version": "2"}`:                                "plan: json: ",
		`{"profile": {"MinRounds": "two"}}`:               "plan of version 1: json: cannot unmarshal string",
		`{"version": 2, "profile": {"minRounds": "two"}}`: "plan of version 2: json: cannot unmarshal string",
		`[]`: "plan: json: ",
	} {
		_, err := DecodePlan(json.RawMessage(plan))
		assert.ErrorContains(t, err, want, plan)
	}
	none, err := DecodePlan(nil)
	require.NoError(t, err)
	assert.Equal(t, Plan{}, none)
}

func TestReasonsInWords(t *testing.T) {
	assert.Equal(t, "profile smoke measures only in kube-proxy, other; this arm is in ebpf",
		Reason{Code: OtherCluster, Profile: "smoke", Cluster: "ebpf", Clusters: []string{"kube-proxy", "other"}}.String())
	assert.Equal(t, "the lab file gives cluster kube-proxy fewer than 2 interfaces",
		Reason{Code: FewInterfaces, Cluster: "kube-proxy", Interfaces: 2}.String())
	assert.Equal(t, "the lab has no cluster of the kind that this arm needs", Reason{Code: NoCluster, Profile: "quick"}.String())
}
