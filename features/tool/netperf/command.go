// Package netperf is the command line of netperf's request/response tests and
// the parser of what they print.
package netperf

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/output"
)

// keys are what an omni test is told to print, in this order. The rate comes
// last, so that an output cut anywhere has none.
var keys = []string{
	"RT_LATENCY", "MIN_LATENCY", "MEAN_LATENCY", "P50_LATENCY", "P90_LATENCY", "P99_LATENCY", "MAX_LATENCY",
	"LOCAL_CPU_UTIL", "REMOTE_CPU_UTIL", "LOCAL_SD", "REMOTE_SD", "SD_UNITS", "PROTOCOL", "DIRECTION",
	"COMMAND_LINE", "ELAPSED_TIME", "THROUGHPUT_UNITS", "THROUGHPUT",
}

// Options are the client's.
type Options struct {
	Addr netip.Addr // of the server
	// Port is the control port. DataPort is where the server takes the test's
	// own connection; a Service in between must have both.
	Port, DataPort    int
	Duration          time.Duration // whole seconds
	Request, Response int           // bytes, 1 to 65507
	// Connect takes a new connection for every transaction: TCP_CRR. Such a run
	// ends 4 s after its length: that is how long netserver 2.7 waits.
	Connect bool
}

// Client is the argv of an omni request/response test that prints key=value.
func Client(o Options) ([]string, error) {
	port, err := output.Endpoint(o.Addr, o.Port)
	if err != nil {
		return nil, fmt.Errorf("netperf: %w", err)
	}
	data, err := output.Endpoint(o.Addr, o.DataPort)
	if err != nil {
		return nil, fmt.Errorf("netperf data connection: %w", err)
	}
	t, err := output.WholeSeconds(o.Duration)
	if err != nil {
		return nil, fmt.Errorf("netperf: %w", err)
	}
	sizes, err := o.sizes()
	if err != nil {
		return nil, err
	}
	argv := []string{"netperf", "-H", o.Addr.String(), "-p", port, "-l", t, "-t", "omni", "-j", "-P", "0", "--", "-d", "rr"}
	if o.Connect {
		argv = append(argv, "-c")
	}
	return append(argv, "-T", "tcp", "-r", sizes, "-P", ","+data, "-k", strings.Join(keys, ",")), nil
}

// Published is the argv of the published page: netperf -H IP -l 10 -c -t TCP_RR
// -- -r100,100. Its control port is netperf's own and its data port is any,
// which no Service lets through: with a DataPort, that one is asked for.
func Published(o Options) ([]string, error) {
	t, err := output.WholeSeconds(o.Duration)
	if err != nil {
		return nil, fmt.Errorf("netperf: %w", err)
	}
	if _, err := output.Endpoint(o.Addr, 1); err != nil {
		return nil, fmt.Errorf("netperf: %w", err)
	}
	sizes, err := o.sizes()
	if err != nil {
		return nil, err
	}
	argv := []string{"netperf", "-H", o.Addr.String(), "-l", t, "-c", "-t", "TCP_RR", "--", "-r" + sizes}
	if o.DataPort == 0 {
		return argv, nil
	}
	data, err := output.Endpoint(o.Addr, o.DataPort)
	if err != nil {
		return nil, fmt.Errorf("netperf data connection: %w", err)
	}
	return append(argv, "-P", ","+data), nil
}

func (o Options) sizes() (string, error) {
	for _, n := range []int{o.Request, o.Response} {
		if n < 1 || n > 65507 {
			return "", fmt.Errorf("netperf: request %d and response %d, want 1 to 65507 bytes each", o.Request, o.Response)
		}
	}
	return strconv.Itoa(o.Request) + "," + strconv.Itoa(o.Response), nil
}
