package node

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/trailer"
)

func TestServiceChainFindsKubeProxysChain(t *testing.T) {
	save, err := os.ReadFile("testdata/nat.txt")
	require.NoError(t, err)
	rules, err := ParseRules(string(save), false)
	require.NoError(t, err)
	for service, chain := range map[string]string{
		"198.19.131.208:5720/tcp": "KUBE-SVC-TY6JFAY3M3QLSLO4",
		"198.19.131.208:5722/tcp": "KUBE-SVC-XO5GZIPXQGHXWCCY",
		"198.19.128.1:443/tcp":    "KUBE-SVC-NPX46M4PTMTKRN6Y",
		"198.19.128.1:443/udp":    "",
		"198.19.128.1:444/tcp":    "",
		"198.18.0.7:6443/tcp":     "",
	} {
		assert.Equal(t, chain, ServiceChain(rules, service), service)
	}
}

// Printed by iptables 1.8.9 (nf_tables) of Debian 12, -t nat -v -S CHAIN.
const chains = `-N KUBE-SVC-A
-A KUBE-SVC-A ! -s 198.19.0.0/18 -d 198.19.128.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -c 1 60 -j KUBE-MARK-MASQ
-A KUBE-SVC-A -m comment --comment "default/kubernetes:https -> 198.18.0.7:6443" -c 17 1020 -j KUBE-SEP-B
-N KUBE-SEP-B
-A KUBE-SEP-B -p tcp -m comment --comment "default/kubernetes:https" -m tcp -c 18 1080 -j DNAT --to-destination 198.18.0.7:6443
`

func TestParseRulesCounts(t *testing.T) {
	rules, err := ParseRules(chains, true)
	require.NoError(t, err)
	require.Len(t, rules, 3)
	assert.Equal(t, []string{"KUBE-MARK-MASQ", "KUBE-SEP-B", "DNAT"}, []string{rules[0].Jump, rules[1].Jump, rules[2].Jump})
	assert.Equal(t, []uint64{1, 17, 18}, []uint64{rules[0].Packets, rules[1].Packets, rules[2].Packets})
	assert.Equal(t, "198.18.0.7:6443/tcp", rules[2].Endpoint())
	assert.Empty(t, rules[1].Endpoint())
	for _, bad := range []string{"-A KUBE-SVC-A -j KUBE-SEP-B\n", "-A KUBE-SVC-A -c x 3 -j KUBE-SEP-B\n"} {
		_, err := ParseRules(bad, true)
		assert.ErrorContains(t, err, "counters of", bad)
	}
}

func FuzzParseRules(f *testing.F) {
	save, err := os.ReadFile("testdata/nat.txt")
	require.NoError(f, err)
	f.Add(string(save))
	f.Add(chains)
	f.Add("-A x")
	f.Fuzz(func(_ *testing.T, text string) {
		rules, err := ParseRules(text, len(text)%2 == 0)
		if err == nil {
			ServiceChain(rules, "198.19.128.1:443/tcp")
			for _, r := range rules {
				r.Endpoint()
			}
		}
	})
}

// The uplink is what the kernel's route says, whatever it is called.
func TestUplinksAreKnownByRouteNotByName(t *testing.T) {
	link := func(index int, kind string, addressed bool, below int) Interface {
		return Interface{Index: index, Kind: kind, Addressed: addressed, Counters: trailer.Counters{Link: below}}
	}
	for name, tc := range map[string]struct {
		via        string
		interfaces map[string]Interface
		want       []string
	}{
		"a bond of two cards": {"bond0", map[string]Interface{
			"lo": link(1, "", true, 0), "ens1f0": link(2, "", false, 0), "ens1f1": link(3, "", false, 0), "bond0": link(4, "bond", true, 0),
			"cali1": link(5, "veth", false, 2), "docker0": link(6, "bridge", true, 0),
		}, []string{"bond0"}},
		"a VLAN on a bond that has an address too": {"bond0.100", map[string]Interface{
			"bond0": link(4, "bond", true, 0), "bond0.100": link(7, "vlan", true, 4), "ens9": link(8, "", true, 0),
		}, []string{"bond0.100", "ens9"}},
		"kind's two segments": {"eth0", map[string]Interface{
			"eth0": link(42, "veth", true, 43), "eth1": link(44, "veth", true, 45), "cilium_host": link(3, "veth", false, 2),
			"flannel.1": link(9, "vxlan", true, 0), "wt0": link(10, "wireguard", true, 0),
		}, []string{"eth0", "eth1"}},
		"a bridge that holds the card": {"br0", map[string]Interface{
			"eno1": link(2, "", false, 0), "br0": link(3, "bridge", true, 0), "cni0": link(4, "bridge", true, 0),
		}, []string{"br0"}},
		"links in a circle":  {"a", map[string]Interface{"a": link(1, "vlan", true, 2), "b": link(2, "vlan", true, 1)}, []string{"a"}},
		"no way was told":    {"", map[string]Interface{"ens3": link(2, "", true, 0)}, []string{"ens3"}},
		"nothing was told":   {"", nil, nil},
		"a device that left": {"gone0", map[string]Interface{"ens3": link(2, "", true, 0)}, []string{"ens3"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, Counts{Via: tc.via, Interfaces: tc.interfaces}.Uplinks())
		})
	}
}
