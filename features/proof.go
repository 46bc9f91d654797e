package features

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/trailer"
)

// podInterface is the name of a pod's first interface, whatever made it, and of
// the kind node's.
const podInterface = "eth0"

// minShare is the part of a namespace's traffic that must have crossed the
// interface of the claimed path. Pods carry nothing else; on a node the agents
// and the API server talk too, but little against a benchmark.
const minShare = 0.9

// podSideChecks proves from the client's network namespace which interface the
// sample's bytes left by: the interface's own counters, read right before and
// after the tool ran.
func podSideChecks(arm Arm, t trailer.Trailer) []journal.Check {
	var ours, all uint64
	var moved []string
	for _, name := range sortedKeys(t.After.Interfaces) {
		d, _ := t.Delta(name)
		if name == "lo" || arm.Network == workload.HostNetwork && !physical(name) {
			continue
		}
		bytes := d.RxBytes + d.TxBytes
		all += bytes
		if name == podInterface {
			ours = bytes
		}
		if bytes > 0 {
			moved = append(moved, fmt.Sprintf("%s %d bytes in %d packets", name, bytes, d.RxPackets+d.TxPackets))
		}
	}
	if len(moved) == 0 {
		moved = []string{"no interface moved a byte"}
	}
	return []journal.Check{{
		Claim: fmt.Sprintf("at least %.0f %% of the bytes crossed the client's %s", minShare*100, podInterface),
		Found: strings.Join(moved, ", "),
		OK:    all > 0 && float64(ours) >= minShare*float64(all),
	}}
}

// physical tells whether a node's interface is one of its own and not the host
// end of some pod's, which carries the traffic of others.
func physical(name string) bool { return strings.HasPrefix(name, "eth") }

func splitLines(text []byte) []string {
	var lines []string
	for line := range bytes.Lines(text) {
		if s := strings.TrimSpace(string(line)); s != "" {
			lines = append(lines, s)
		}
	}
	return slices.Clip(lines)
}
