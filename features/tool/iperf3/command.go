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

// Options are those of one pair of client and server.
type Options struct {
	Addr     netip.Addr    // of the server
	Port     int           // 1 to 65535
	Duration time.Duration // whole seconds
	// Streams is the number of parallel connections, 1 to 128. One thread
	// serves all of them before iperf3 3.16.
	Streams int
}

// Server is the argv of the server. It serves one client at a time and tells
// the others that it is busy.
func Server(o Options) ([]string, error) {
	port, err := output.Endpoint(o.Addr, o.Port)
	if err != nil {
		return nil, fmt.Errorf("iperf3 server: %w", err)
	}
	return []string{"iperf3", "-s", "-B", o.Addr.String(), "-p", port}, nil
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
	if o.Streams < 1 || o.Streams > 128 {
		return nil, fmt.Errorf("iperf3 client: %d streams, want 1 to 128", o.Streams)
	}
	return []string{"iperf3", "-c", o.Addr.String(), "-p", port, "-t", t, "-P", strconv.Itoa(o.Streams), "-J"}, nil
}

// Published is what the published page says it ran, for reports. It is never
// run: its -d is debug output, which floods standard output.
func Published(o Options) []string {
	return []string{"iperf3", "-c", o.Addr.String(), "-d", "-P", strconv.Itoa(o.Streams)}
}
