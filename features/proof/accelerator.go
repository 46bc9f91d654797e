package proof

import (
	"fmt"

	"github.com/cniperf/cniperf/internal/counter"
	"github.com/cniperf/cniperf/internal/journal"
)

// manyMessages is fewer than any benchmark sends in a second, and more than
// anything but a benchmark sends to its port.
const manyMessages = 1000

// Accelerator is what tcpip-bypass counted. The zero value is a node without it.
type Accelerator struct {
	Present bool // there is one on the node
	Silent  bool // and it is the archived one, which counts nothing
	// Before and After are the messages that it had moved, around the sample.
	Before, After uint64
}

// moved proves by the accelerator's own counter whether the sample's messages
// went through it.
func (e evidence) moved() journal.Check {
	n, err := e.Accelerator.moved()
	found := fmt.Sprintf("%d messages", n)
	if e.Accelerated {
		return claim(fmt.Sprintf("tcpip-bypass moved at least %d messages", manyMessages), found, n >= manyMessages, err)
	}
	return claim("tcpip-bypass moved none of the messages", found, n == 0, err)
}

// moved is how many messages the accelerator moved during the sample.
func (a Accelerator) moved() (uint64, error) {
	return counter.Delta("messages of tcpip-bypass", a.Before, a.After)
}

// skipped proves that an accelerated sample's messages were not packets: fewer
// crossed the client's interface than the accelerator moved messages.
func (e evidence) skipped() journal.Check {
	text := fmt.Sprintf("less than a tenth of the messages crossed the client's %s as packets", PodInterface)
	messages, err := e.Accelerator.moved()
	if err != nil {
		return claim(text, "", false, err)
	}
	packets, err := e.packets()
	return claim(text, fmt.Sprintf("%d packets, %d messages moved", packets, messages), packets*10 < messages, err)
}

// asPackets proves without the accelerator's help whether a sample's messages were
// packets: each that was answered is at least two on the client's interface, one
// out and one in.
func (e evidence) asPackets() journal.Check {
	n, err := e.packets()
	packets := float64(n)
	found := fmt.Sprintf("%.0f packets, %.0f messages answered", packets, e.Answered)
	many := e.Answered >= manyMessages
	if e.Accelerated {
		text := fmt.Sprintf("less than a tenth of the messages crossed the client's %s as packets", PodInterface)
		return claim(text, found, many && packets*10 < e.Answered, err)
	}
	return claim(fmt.Sprintf("every message crossed the client's %s as packets", PodInterface), found, many && packets >= 2*e.Answered, err)
}

// packets are those that crossed the client's first interface, either way.
func (e evidence) packets() (uint64, error) {
	d, err := e.Trailer.Delta(PodInterface)
	return d.RxPackets + d.TxPackets, err
}
