// Package sockperf is the command line of sockperf's ping-pong and the parser
// of what it prints.
package sockperf

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/cniperf/cniperf/internal/output"
)

// Options are those of one pair of client and server.
type Options struct {
	Addr     netip.Addr    // of the server: what the client dials, what the server binds
	Port     int           // 1 to 65535
	UDP      bool          // TCP otherwise
	Duration time.Duration // whole seconds; of the client only
	Size     int           // bytes a message; 0 is sockperf's own 14
}

// Server is the argv of the server. It runs until it is interrupted.
func Server(o Options) ([]string, error) { return o.argv("server") }

// Client is the argv of the client. With TCP and no size it is what the
// published page ran: sockperf pp --tcp -i IP -p 12345 -t 30.
func Client(o Options) ([]string, error) {
	t, err := output.WholeSeconds(o.Duration)
	if err != nil {
		return nil, fmt.Errorf("sockperf client: %w", err)
	}
	// 14 bytes are the smallest message and the header; 65507 the largest datagram.
	if o.Size != 0 && (o.Size < 14 || o.Size > 65507) {
		return nil, fmt.Errorf("sockperf client: message size %d, want 14 to 65507 bytes", o.Size)
	}
	argv, err := o.argv("pp")
	if err != nil {
		return nil, err
	}
	argv = append(argv, "-t", t)
	if o.Size != 0 {
		argv = append(argv, "-m", strconv.Itoa(o.Size))
	}
	return argv, nil
}

func (o Options) argv(mode string) ([]string, error) {
	port, err := output.Endpoint(o.Addr, o.Port)
	if err != nil {
		return nil, fmt.Errorf("sockperf %s: %w", mode, err)
	}
	argv := []string{"sockperf", mode}
	if !o.UDP {
		argv = append(argv, "--tcp")
	}
	return append(argv, "-i", o.Addr.String(), "-p", port), nil
}
