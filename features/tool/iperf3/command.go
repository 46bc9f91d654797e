// Package iperf3 is the command line of iperf3's TCP stream test and the
// parser of the JSON that it prints.
package iperf3

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/cniperf/cniperf/internal/output"
)

// maxStreams is the most parallel connections that iperf3 takes.
const maxStreams = 128

// Options are the client's.
type Options struct {
	Addr     netip.Addr    // of the server
	Port     int           // 1 to 65535
	Duration time.Duration // whole seconds
	// Streams is the number of parallel connections, 1 to 128. One thread
	// serves all of them before iperf3 3.16.
	Streams int
}

// Client is the argv of the client.
func Client(o Options) ([]string, error) {
	port, err := output.Endpoint(o.Addr, o.Port)
	if err != nil {
		return nil, fmt.Errorf("iperf3 client: %w", err)
	}
	t, err := output.WholeSeconds(o.Duration)
	if err != nil {
		return nil, fmt.Errorf("iperf3 client: %w", err)
	}
	if o.Streams < 1 || o.Streams > maxStreams {
		return nil, fmt.Errorf("iperf3 client: %d streams, want 1 to %d", o.Streams, maxStreams)
	}
	return []string{"iperf3", "-c", o.Addr.String(), "-p", port, "-t", t, "-P", strconv.Itoa(o.Streams), "-J"}, nil
}
