package proof

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/node"
	"github.com/cniperf/cniperf/internal/trailer"
)

// Each counter goes back alone. Unsigned subtraction takes that for 1.8e19, which
// proves anything.
func TestACounterThatWentBackProvesNothing(t *testing.T) {
	client := func(change func(*trailer.Counters)) func(*Observed) {
		return func(o *Observed) {
			c := o.Trailer.After.Interfaces[PodInterface]
			change(&c)
			o.Trailer.After.Interfaces[PodInterface] = c
		}
	}
	host := func(name string, change func(*node.Interface)) func(*Observed) {
		return func(o *Observed) {
			i := o.After.Interfaces[name]
			change(&i)
			o.After.Interfaces[name] = i
		}
	}
	const (
		tunnel = "tunnels and IPsec of the node moved"
		fewer  = "less than a tenth of the messages"
	)
	crossed := []string{"of the bytes crossed the client's eth0", tunnel}
	for name, tc := range map[string]struct {
		arm, path, counter string
		back               func(*Observed)
		broken             []string
	}{
		"the client's bytes": {"macvlan", measure.PodIP, "rx_bytes of the client's eth0 went back from 500 to 499",
			client(func(c *trailer.Counters) { c.RxBytes = 499 }), crossed},
		"its packets": {"macvlan", measure.PodIP, "tx_packets of the client's eth0", func(o *Observed) {
			o.Trailer.Before.Interfaces[PodInterface] = trailer.Counters{TxPackets: 1}
		}, crossed},
		"the node's end": {"calico", measure.PodIP, "rx_bytes of the node's caliabc went back from 900 to 12",
			host("caliabc", func(i *node.Interface) { i.RxBytes = 12 }), []string{"entered the node by the cali"}},
		"a tunnel received": {"calico", measure.PodIP, "rx_bytes of the node's vxlan.calico",
			host("vxlan.calico", func(i *node.Interface) { i.RxBytes = 899 }), []string{tunnel}},
		// One counter back by as much as another went on: nothing moved, by their sum.
		"a tunnel sent": {"calico", measure.PodIP, "tx_bytes of the node's vxlan.calico",
			host("vxlan.calico", func(i *node.Interface) { i.RxBytes, i.TxBytes = 1000, 800 }), []string{tunnel}},
		"kube-proxy's service": {"calico", measure.ClusterIP, "KUBE-SVC of " + toVIP + "/tcp went back from 3 to 2",
			func(o *Observed) { o.After.Services[toVIP+"/tcp"] = 2 }, []string{"KUBE-SVC"}},
		"kube-proxy's endpoint": {"calico", measure.ClusterIP, "KUBE-SEP of " + toPod + "/tcp went back from 3 to 0",
			func(o *Observed) { o.After.Endpoints[toPod+"/tcp"] = 0 }, []string{"KUBE-SEP"}},
		"the accelerator's": {"bypass-on", measure.PodIP, "messages of tcpip-bypass went back from 50 to 49",
			func(o *Observed) { o.Accelerator.After = 49 }, []string{fewer, "tcpip-bypass moved at least"}},
		"the accelerator's, plain": {"bypass-off", measure.PodIP, "messages of tcpip-bypass went back from 50 to 49",
			func(o *Observed) { o.Accelerator = Accelerator{Present: true, Before: 50, After: 49} }, []string{"tcpip-bypass moved none"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := good(arms[tc.arm], tc.path)
			if arms[tc.arm].Accelerated {
				s, o = bypassed(arms[tc.arm], 40, 200_000)
			}
			require.Empty(t, failed(t, Checks(arms[tc.arm], s, o)), "before any counter goes back")
			tc.back(&o)
			checks := Checks(arms[tc.arm], s, o)
			assertFailed(t, checks, tc.broken...)
			for _, c := range checks {
				if !c.OK {
					assert.Contains(t, c.Found, tc.counter)
				}
			}
		})
	}
}

// What an interface counted is gone with it.
func TestAnInterfaceThatIsGoneProvesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		arm    string
		gone   func(*Observed)
		broken []string
		found  string
	}{
		"the client's other one": {"macvlan", func(o *Observed) { delete(o.Trailer.After.Interfaces, "veth0") },
			[]string{"of the bytes crossed the client's eth0", "tunnels and IPsec of the node moved"}, "no interface veth0"},
		"a tunnel": {"calico", func(o *Observed) { delete(o.After.Interfaces, "vxlan.calico") },
			[]string{"tunnels and IPsec of the node moved"}, "vxlan.calico is gone"},
		"an accelerated client's": {"bypass-on", func(o *Observed) { delete(o.Trailer.After.Interfaces, PodInterface) },
			[]string{"less than a tenth of the messages", "tunnels and IPsec of the node moved", "the client's eth0 has the MTU"}, "no interface eth0"},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := good(arms[tc.arm], measure.PodIP)
			if arms[tc.arm].Accelerated {
				s, o = bypassed(arms[tc.arm], 40, 200_000)
			}
			tc.gone(&o)
			checks := Checks(arms[tc.arm], s, o)
			assertFailed(t, checks, tc.broken...)
			var found string
			for _, c := range checks {
				if !c.OK {
					found += c.Found
				}
			}
			assert.Contains(t, found, tc.found)
		})
	}
}
