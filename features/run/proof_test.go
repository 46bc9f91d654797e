package run

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/node"
	"github.com/cniperf/cniperf/internal/trailer"
	"github.com/cniperf/cniperf/manifests"
)

func load(t *testing.T) *plan.Catalogue {
	t.Helper()
	c, err := plan.LoadCatalogue(manifests.Suite)
	require.NoError(t, err)
	return c
}

// planned is the plan of the default profile on the embedded lab.
func planned(t *testing.T) plan.Plan {
	t.Helper()
	s, err := New(Options{})
	require.NoError(t, err)
	return s.plan
}

// hostLink is the index of the node's end of the client's interfaces.
const hostLink = 42

// hosted is what a node counted between two answers: bytes of interfaces, the
// first of which has the index hostLink, and new connections to the addresses
// of kube-proxy's rules.
func hosted(t *testing.T, first string, bytes map[string]uint64, rules ...string) (before, after node.Counts) {
	t.Helper()
	status, err := os.ReadFile("../../fixtures/cni/cilium/testdata/status.json")
	require.NoError(t, err)
	before = node.Counts{Interfaces: map[string]node.Interface{}, Services: map[string]uint64{}, Endpoints: map[string]uint64{}, Cilium: status}
	after = node.Counts{Interfaces: map[string]node.Interface{}, Services: map[string]uint64{}, Endpoints: map[string]uint64{}, Cilium: status}
	for name, n := range bytes {
		i := node.Interface{Index: 7, Counters: trailer.Counters{RxBytes: 900, TxBytes: 900}}
		if name == first {
			i.Index = hostLink
		}
		before.Interfaces[name] = i
		i.RxBytes += n / 2
		i.TxBytes += n / 2
		after.Interfaces[name] = i
	}
	for _, r := range rules {
		before.Services[r], after.Services[r] = 3, 4
		before.Endpoints[r], after.Endpoints[r] = 3, 4
	}
	return before, after
}

// counted is a trailer whose interfaces moved the given bytes, with the given
// peers of the tool's sockets.
func counted(bytes map[string]uint64, peers ...string) trailer.Trailer {
	t := trailer.Trailer{
		Peers:  peers,
		Before: trailer.Snapshot{Interfaces: map[string]trailer.Counters{}},
		After:  trailer.Snapshot{Interfaces: map[string]trailer.Counters{}},
	}
	for name, n := range bytes {
		t.Before.Interfaces[name] = trailer.Counters{RxBytes: 500, TxBytes: 500}
		t.After.Interfaces[name] = trailer.Counters{Link: hostLink, RxBytes: 500 + n/2, TxBytes: 500 + n/2}
	}
	return t
}

func TestProofCatchesAWrongPath(t *testing.T) {
	const (
		server  = "198.18.0.65"
		service = "198.19.130.1"
		toPod   = server + ":12345"
		toVIP   = service + ":12345"
	)
	c := planned(t)
	byEth0 := map[string]uint64{"eth0": 1 << 20, "veth0": 70, "lo": 0}
	byVeth0 := map[string]uint64{"eth0": 70, "veth0": 1 << 20}
	for name, tc := range map[string]struct {
		arm, path, dialled string
		trailer            trailer.Trailer
		ok                 bool
	}{
		"macvlan":                          {"macvlan", "pod-ip", server, counted(byEth0, toPod), true},
		"macvlan leaves through veth0":     {"macvlan", "pod-ip", server, counted(byVeth0, toPod), false},
		"nothing moved":                    {"macvlan", "pod-ip", server, counted(map[string]uint64{"eth0": 0, "lo": 1 << 20}, toPod), false},
		"no socket was seen":               {"macvlan", "pod-ip", server, counted(byEth0), false},
		"another server":                   {"macvlan", "pod-ip", server, counted(byEth0, "198.18.0.66:12345"), false},
		"node beside busy pods":            {"node", "host-ip", server, counted(map[string]uint64{"eth0": 1 << 20, "cali123": 1 << 22}, toPod), true},
		"node by another segment":          {"node", "host-ip", server, counted(map[string]uint64{"eth0": 1 << 10, "eth1": 1 << 20}, toPod), false},
		"calico, kube-proxy":               {"calico", "cluster-ip", service, counted(byEth0, toVIP), true},
		"calico dials the pod":             {"calico", "cluster-ip", server, counted(byEth0, toPod), false},
		"macvlan, kube-proxy":              {"macvlan-kube-proxy", "cluster-ip", service, counted(byVeth0, toVIP), true},
		"macvlan, kube-proxy left by eth0": {"macvlan-kube-proxy", "cluster-ip", service, counted(byEth0, toVIP), false},
		"cilium, socket-lb":                {"cilium", "cluster-ip", service, counted(byEth0, toPod), true},
		"cilium without socket-lb":         {"cilium", "cluster-ip", service, counted(byEth0, toVIP), false},
		"cilium dials the pod":             {"cilium", "cluster-ip", server, counted(byEth0, toPod), false},
	} {
		t.Run(name, func(t *testing.T) {
			arm, err := c.Arm(tc.arm)
			assert.NoError(t, err)
			ok := true
			p := proof{arm: arm, path: tc.path, argv: []string{"sockperf", "pp", "-i", tc.dialled}, server: server, clusterIP: service, port: 12345}
			p.before, p.after = hosted(t, arm.HostInterface+"abc", map[string]uint64{"eth0": 1 << 20, arm.HostInterface + "abc": 1 << 20}, toVIP+"/tcp", toPod+"/tcp")
			for _, check := range p.checks(tc.trailer) {
				t.Logf("%v: %s: %s", check.OK, check.Claim, check.Found)
				ok = ok && check.OK
			}
			assert.Equal(t, tc.ok, ok)
		})
	}
}

func TestTheNodesProofCatchesAWrongPath(t *testing.T) {
	const (
		server  = "198.19.0.65"
		service = "198.19.130.1"
		toPod   = server + ":12345"
		toVIP   = service + ":12345"
	)
	whole := map[string]uint64{"eth0": 1 << 20, "cali1": 1 << 20}
	for name, tc := range map[string]struct {
		arm, path, end string
		bytes          map[string]uint64
		rules          []string
		broken         string // a word of the one claim that must fail
	}{
		"calico":                      {"calico", "pod-ip", "cali1", whole, nil, ""},
		"calico by another CNI's end": {"calico", "pod-ip", "lxc1", map[string]uint64{"lxc1": 1 << 20}, nil, "entered the node"},
		"calico's end moved nothing":  {"calico", "pod-ip", "cali1", map[string]uint64{"cali1": 70}, nil, "entered the node"},
		"the end is not there":        {"calico", "pod-ip", "cali9", whole, nil, "entered the node"},
		"calico in a tunnel":          {"calico", "pod-ip", "cali1", map[string]uint64{"cali1": 1 << 20, "vxlan.calico": 1 << 20}, nil, "tunnels"},
		"a tunnel's own keepalive":    {"calico", "pod-ip", "cali1", map[string]uint64{"cali1": 1 << 20, "vxlan.calico": 400}, nil, ""},
		"cilium in a tunnel":          {"cilium", "pod-ip", "lxc1", map[string]uint64{"lxc1": 1 << 20, "cilium_vxlan": 1 << 20}, nil, "tunnels"},
		"kube-proxy":                  {"calico", "cluster-ip", "cali1", whole, []string{toVIP + "/tcp", toPod + "/tcp"}, ""},
		"kube-proxy without the rule": {"calico", "cluster-ip", "cali1", whole, nil, "KUBE-S"},
		"kube-proxy to another pod":   {"calico", "cluster-ip", "cali1", whole, []string{toVIP + "/tcp"}, "KUBE-SEP"},
		"kube-proxy by UDP only":      {"calico", "cluster-ip", "cali1", whole, []string{toVIP + "/udp", toPod + "/udp"}, "KUBE-S"},
	} {
		t.Run(name, func(t *testing.T) {
			arm, err := planned(t).Arm(tc.arm)
			require.NoError(t, err)
			p := proof{arm: arm, path: tc.path, server: server, clusterIP: service, port: 12345}
			p.before, p.after = hosted(t, tc.end, tc.bytes, tc.rules...)
			for _, check := range p.hostChecks(counted(map[string]uint64{"eth0": 1 << 20})) {
				t.Logf("%v: %s: %s", check.OK, check.Claim, check.Found)
				assert.Equal(t, tc.broken == "" || !strings.Contains(check.Claim, tc.broken), check.OK, check.Claim)
			}
		})
	}
}

func TestAnAgentThatRoutesOtherwiseIsCaught(t *testing.T) {
	arm, err := planned(t).Arm("macvlan-ebpf")
	require.NoError(t, err)
	p := proof{arm: arm, path: "cluster-ip"}
	p.before, p.after = hosted(t, "", map[string]uint64{"eth0": 1})
	assert.True(t, p.agent().OK, p.agent().Found)
	p.after.Cilium = bytes.Replace(p.after.Cilium, []byte(`"BPF"`), []byte(`"Legacy"`), 1)
	assert.False(t, p.agent().OK)
	p.after.Cilium = nil
	assert.False(t, p.agent().OK)
}

func TestPacketsProveTheArchivedAccelerator(t *testing.T) {
	for name, tc := range map[string]struct {
		arm               string
		packets, messages uint64
		ok                bool
	}{
		"accelerated":             {"bypass-on", 40, 100_000, true},
		"not attached":            {"bypass-on", 200_010, 100_000, false},
		"plain":                   {"bypass-off", 200_010, 100_000, true},
		"plain, but accelerated":  {"bypass-off", 40, 100_000, false},
		"one way only":            {"bypass-off", 150_000, 100_000, false},
		"a tool that counts none": {"bypass-on", 40, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			arm, err := planned(t).Arm(tc.arm)
			require.NoError(t, err)
			p := proof{arm: arm, path: "pod-ip", bypassed: true, upstream: true, messages: float64(tc.messages)}
			after := counted(map[string]uint64{"eth0": 1 << 20})
			end := after.After.Interfaces["eth0"]
			end.TxPackets += tc.packets
			after.After.Interfaces["eth0"] = end
			check := p.checks(after)[1]
			assert.Contains(t, check.Claim, "as packets")
			assert.Equal(t, tc.ok, check.OK, check.Found)
		})
	}
}
