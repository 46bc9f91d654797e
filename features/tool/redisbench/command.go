// Package redisbench is the command line of redis-benchmark and the parser of
// the CSV that it prints.
package redisbench

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/internal/output"
)

// Options are those of one pair of client and server.
type Options struct {
	Addr netip.Addr // of the server
	Port int        // 1 to 65535
	// Tests are get, set or both. redis-benchmark runs set first, whatever the
	// order. A get without a set before it, in this run or an earlier one on
	// the same server, reads a key that isn't there: an answer of 5 bytes
	// instead of a value.
	Tests    []string
	Requests int // of each test, 1,000 to 100 million
	Size     int // of a value, 1 byte to 1 MiB
}

// Server is the argv of a redis-server that keeps nothing on disk.
func Server(o Options) ([]string, error) {
	port, err := output.Endpoint(o.Addr, o.Port)
	if err != nil {
		return nil, fmt.Errorf("redis-server: %w", err)
	}
	return []string{"redis-server", "--bind", o.Addr.String(), "--port", port, "--protected-mode", "no", "--save", "", "--appendonly", "no"}, nil
}

// Client is the argv of the client. It must run under a time limit:
// redis-benchmark 7.0 retries a refused connection forever.
func Client(o Options) ([]string, error) {
	published, err := Published(o)
	if err != nil {
		return nil, err
	}
	if o.Requests < 1000 || o.Requests > 100_000_000 {
		return nil, fmt.Errorf("redis-benchmark: %d requests, want 1000 to 100000000", o.Requests)
	}
	return append(published, "-n", strconv.Itoa(o.Requests), "--csv", "-e", "--precision", "3"), nil
}

// Published is the argv of the published page, of redis-benchmark's own
// 100,000 requests: redis-benchmark -h IP -p 6379 -d 1000 -t get,set. It
// prints no CSV.
func Published(o Options) ([]string, error) {
	port, err := output.Endpoint(o.Addr, o.Port)
	if err != nil {
		return nil, fmt.Errorf("redis-benchmark: %w", err)
	}
	if o.Size < 1 || o.Size > 1<<20 {
		return nil, fmt.Errorf("redis-benchmark: value size %d, want 1 to 1048576 bytes", o.Size)
	}
	if len(o.Tests) == 0 {
		return nil, fmt.Errorf("redis-benchmark: no tests, want get, set or both")
	}
	for _, t := range o.Tests {
		if t != "get" && t != "set" {
			return nil, fmt.Errorf("redis-benchmark: test %q, want get or set", t)
		}
	}
	return []string{"redis-benchmark", "-h", o.Addr.String(), "-p", port, "-d", strconv.Itoa(o.Size), "-t", strings.Join(o.Tests, ",")}, nil
}
