package features

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cniperf/cniperf/internal/trailer"
)

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
		t.After.Interfaces[name] = trailer.Counters{RxBytes: 500 + n/2, TxBytes: 500 + n/2}
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
	c := load(t)
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
			for _, check := range (proof{arm: arm, path: tc.path, argv: []string{"sockperf", "pp", "-i", tc.dialled}, server: server, clusterIP: service, port: 12345}).checks(tc.trailer) {
				t.Logf("%v: %s: %s", check.OK, check.Claim, check.Found)
				ok = ok && check.OK
			}
			assert.Equal(t, tc.ok, ok)
		})
	}
}
