// Package sockperf is the command line of sockperf's ping-pong and the parser
// of what it prints.
package sockperf

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/cniperf/cniperf/internal/output"
)

// Options are the client's.
type Options struct {
	Addr     netip.Addr    // of the server: what the client dials
	Port     int           // 1 to 65535
	UDP      bool          // TCP otherwise
	Duration time.Duration // whole seconds
}

// Client is the argv of the client. With TCP it is what the published page ran:
// sockperf pp --tcp -i IP -p 12345 -t 30.
func Client(o Options) ([]string, error) {
	t, err := output.WholeSeconds(o.Duration)
	if err != nil {
		return nil, fmt.Errorf("sockperf client: %w", err)
	}
	port, err := output.Endpoint(o.Addr, o.Port)
	if err != nil {
		return nil, fmt.Errorf("sockperf client: %w", err)
	}
	argv := []string{"sockperf", "pp"}
	if !o.UDP {
		argv = append(argv, "--tcp")
	}
	return append(argv, "-i", o.Addr.String(), "-p", port, "-t", t), nil
}
