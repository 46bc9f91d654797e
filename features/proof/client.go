package proof

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// clientChecks are the proofs from the client's side.
func (e evidence) clientChecks() []journal.Check {
	var checks []journal.Check
	switch {
	case e.Accelerator.Present && e.Accelerator.Silent:
		checks = append(checks, e.crossed(), e.asPackets())
	case e.Accelerated:
		checks = append(checks, e.skipped(), e.moved())
	case e.Accelerator.Present:
		checks = append(checks, e.crossed(), e.moved())
	default:
		checks = append(checks, e.crossed())
	}
	// An unconnected UDP socket has no peer to look at.
	if !e.UDP {
		checks = append(checks, e.peer())
	}
	if e.Path == measure.ClusterIP {
		checks = append(checks, e.dialled())
	}
	return checks
}

// crossed proves from the client's network namespace which interface the
// sample's bytes left by: the interface's own counters, read right before and
// after the tool ran.
func (e evidence) crossed() journal.Check {
	text := fmt.Sprintf("at least %.0f %% of the bytes crossed the client's %s", minShare*100, cmp.Or(e.crossing(), "interface towards the server"))
	var ours, all uint64
	var found []string
	for _, name := range e.own() {
		d, err := e.Trailer.Delta(name)
		if err != nil {
			return claim(text, "", false, err)
		}
		bytes := d.RxBytes + d.TxBytes
		all += bytes
		if name == e.crossing() {
			ours = bytes
		}
		if bytes > 0 {
			found = append(found, fmt.Sprintf("%s %d bytes in %d packets", name, bytes, d.RxPackets+d.TxPackets))
		}
	}
	if len(found) == 0 {
		found = []string{"no interface moved a byte"}
	}
	return claim(text, strings.Join(found, ", "), all > 0 && float64(ours) >= minShare*float64(all), nil)
}

// peer proves where the client's socket was connected to, as the kernel has it:
// to the pod, unless iptables on the host translates the ClusterIP later.
func (e evidence) peer() journal.Check {
	address := e.Server
	text := "the client's socket is connected to the server itself, "
	if e.Path == measure.ClusterIP && e.Service == KubeProxy {
		address = e.ClusterIP
		text = "the client's socket is connected to the ClusterIP, translated on the host, "
	} else if e.Path == measure.ClusterIP {
		text = "the client's socket is connected to the server, translated at connect time, "
	}
	want := net.JoinHostPort(address, strconv.Itoa(e.Port))
	found := "no such socket seen"
	if len(e.Trailer.Peers) > 0 {
		found = strings.Join(e.Trailer.Peers, ", ")
	}
	// On a node other pods' agents have sockets too, but none to this port.
	return claim(text+want, found, slices.Equal(e.Trailer.Peers, []string{want}), nil)
}

// dialled proves that the tool was told the Service's address.
func (e evidence) dialled() journal.Check {
	return claim(fmt.Sprintf("the client dialled the Service's ClusterIP %s", e.ClusterIP), strings.Join(e.Argv, " "),
		slices.Contains(e.Argv, e.ClusterIP) && !slices.Contains(e.Argv, e.Server), nil)
}
