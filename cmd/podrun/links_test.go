package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/links"
	"github.com/cniperf/cniperf/internal/node"
)

// inNamespace makes a network namespace of the thread's own for the test, which never
// gives the thread back. It is not the process' first thread, whose namespace
// /proc/net shows.
func inNamespace(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes a network namespace")
	}
	if err := onThread(func() error {
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		if err == nil {
			f()
		}
		return err
	}); errors.Is(err, syscall.EPERM) {
		t.Skipf("may not make a network namespace: %v", err)
	} else {
		require.NoError(t, err)
	}
}

// onThread calls f on a thread that ends with it.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if syscall.Gettid() == syscall.Getpid() {
			defer runtime.UnlockOSThread()
			done <- onThread(f) // on another, while this one is held
			return
		}
		done <- f()
	}()
	return <-done
}

// runs runs a command in the namespace; false if this kernel or machine can't.
func runs(t *testing.T, command string) bool {
	words := strings.Fields(command)
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Logf("%s: %v: %s", command, err, out)
	}
	return err == nil
}

// The kernel itself is asked: whatever the links are called, their kinds tell what
// they are, and routes which of them are the node's.
func TestLinksOfThisKernel(t *testing.T) {
	inNamespace(t, func() {
		if !runs(t, "ip link add ens3 type veth peer name pod0") {
			t.Skip("needs iproute2 and veth")
		}
		for _, command := range []string{
			"ip link set ens3 mtu 1400", "ip link set ens3 up", "ip link set pod0 up", "ip link set lo up",
			"ip addr add 198.18.7.1/24 dev ens3", "ip addr add 198.18.8.1/32 dev pod0",
		} {
			assert.True(t, runs(t, command), command)
		}
		tunnels := []string{}
		for name, command := range map[string]string{
			"genev_x": "ip link add genev_x type vxlan id 3 dstport 4789 dev ens3", "eth1": "ip link add eth1 type geneve id 3 remote 198.18.7.2",
			"eth2": "ip link add eth2 type gretap local 198.18.7.1 remote 198.18.7.2", "eth3": "ip link add eth3 type wireguard",
			"eth4": "ip link add eth4 type ipip local 198.18.7.1 remote 198.18.7.2", "eth5": "ip link add eth5 type sit local 198.18.7.1 remote 198.18.7.2",
			"eth6": "ip tuntap add dev eth6 mode tun",
		} {
			if runs(t, command) {
				tunnels = append(tunnels, name)
			}
		}
		runs(t, "ip link add vxlan0 link ens3 type macvlan mode bridge")
		all, err := readLinks()
		if !assert.NoError(t, err) {
			return
		}
		t.Logf("%+v; tunnels %v", all, tunnels)
		var found []string
		for name, l := range all {
			if links.IsTunnel(l.Kind) && !strings.HasSuffix(name, "0") { // tunl0 and its like come by themselves
				found = append(found, name)
			}
		}
		assert.ElementsMatch(t, tunnels, found)
		assert.Equal(t, []any{"veth", 1400, true}, []any{all["ens3"].Kind, all["ens3"].MTU, all["ens3"].Addressed})
		assert.False(t, all["pod0"].Addressed, "an address of its own alone")
		assert.Empty(t, all["lo"].Kind)
		via, err := way("198.18.7.9", all)
		assert.NoError(t, err)
		assert.Equal(t, "ens3", via)
		via, err = way("203.0.113.1", all)
		assert.NoError(t, err, "no route is no error")
		assert.Empty(t, via)
		assert.Equal(t, []string{"ens3"}, node.Counts{Interfaces: all, Via: "ens3"}.Uplinks())
	})
}

func TestIPsecOfThisKernel(t *testing.T) {
	inNamespace(t, func() {
		state := "ip xfrm state add src 198.18.7.1 dst 198.18.7.2 proto esp spi 0x3 mode tunnel enc cbc(aes) 0x00112233445566778899aabbccddeeff auth hmac(sha1) 0x00112233445566778899aabbccddeeff00112233"
		made := runs(t, state)
		moved, err := readIPsec()
		assert.NoError(t, err)
		if made {
			assert.Equal(t, map[string]uint64{"IPsec SPI 0x3 to 198.18.7.2": 0}, moved)
		} else {
			t.Logf("this kernel has no IPsec: %v", moved)
			assert.Empty(t, moved)
		}
	})
}

func TestRulesOfThisKernel(t *testing.T) {
	inNamespace(t, func() {
		for _, command := range []string{
			"iptables-nft -t nat -N KUBE-SERVICES", "iptables-nft -t nat -N KUBE-SVC-A", "iptables-nft -t nat -N KUBE-SEP-B",
			"iptables-nft -t nat -A KUBE-SERVICES -d 198.19.128.1/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-A",
			"iptables-nft -t nat -A KUBE-SVC-A -j KUBE-SEP-B",
			"iptables-nft -t nat -A KUBE-SEP-B -p tcp -m tcp -j DNAT --to-destination 198.18.0.7:6443",
			"iptables-nft -t nat -A OUTPUT -j KUBE-SERVICES",
			"ip link set lo up", "ip route add default dev lo",
		} {
			if !runs(t, command) {
				t.Skip("needs iptables-nft with NAT")
			}
		}
		var r ruleReader
		const service = "198.19.128.1:443/tcp"
		services, endpoints, err := r.read(t.Context(), service)
		assert.NoError(t, err)
		assert.Equal(t, map[string]uint64{service: 0}, services)
		assert.Equal(t, map[string]uint64{"198.18.0.7:6443/tcp": 0}, endpoints)
		runs(t, "timeout 1 bash -c echo>/dev/tcp/198.19.128.1/443")
		services, endpoints, err = r.read(t.Context(), service)
		assert.NoError(t, err)
		assert.Equal(t, map[string]uint64{service: 1}, services)
		assert.Equal(t, map[string]uint64{"198.18.0.7:6443/tcp": 1}, endpoints)
		services, _, err = r.read(t.Context(), "198.19.128.9:443/tcp")
		assert.NoError(t, err)
		assert.Empty(t, services)
		// The Service was made anew: its old chain is not asked for ever.
		for _, command := range []string{
			"iptables-nft -t nat -F KUBE-SERVICES", "iptables-nft -t nat -F KUBE-SVC-A", "iptables-nft -t nat -X KUBE-SVC-A",
		} {
			assert.True(t, runs(t, command))
		}
		_, _, err = r.read(t.Context(), service)
		assert.ErrorContains(t, err, "KUBE-SVC-A")
		services, _, err = r.read(t.Context(), service)
		assert.NoError(t, err)
		assert.Empty(t, services)
	})
}
