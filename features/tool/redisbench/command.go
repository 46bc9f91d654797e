// Package redisbench is the command line of redis-benchmark and the parser of
// the CSV that it prints.
package redisbench

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/internal/output"
)

// The fewest and the most requests of one test, and the largest value in bytes.
const (
	minRequests = 1000
	maxRequests = 100_000_000
	maxSize     = 1 << 20
)

// Options are the client's.
type Options struct {
	Addr netip.Addr // of the server
	Port int        // 1 to 65535
	// Tests are get, set or both. redis-benchmark runs set first, whatever the
	// order. A get without a set before it, in this run or an earlier one on
	// the same server, reads a key that isn't there: an answer of 5 bytes
	// instead of a value.
	Tests    []string
	Requests int // of each test, minRequests to maxRequests
	Size     int // of a value, 1 byte to maxSize
}

// Client is the argv of the client. The published page's is redis-benchmark -h IP
// -p 6379 -d 1000 -t get,set, with redis-benchmark's own 100,000 requests. The
// client must run under a time limit: redis-benchmark 7.0 retries a refused
// connection forever.
func Client(o Options) ([]string, error) {
	port, err := output.Endpoint(o.Addr, o.Port)
	switch {
	case err != nil:
		return nil, fmt.Errorf("redis-benchmark: %w", err)
	case o.Size < 1 || o.Size > maxSize:
		return nil, fmt.Errorf("redis-benchmark: value size %d, want 1 to %d bytes", o.Size, maxSize)
	case len(o.Tests) == 0:
		return nil, errors.New("redis-benchmark: no tests, want get, set or both")
	case o.Requests < minRequests || o.Requests > maxRequests:
		return nil, fmt.Errorf("redis-benchmark: %d requests, want %d to %d", o.Requests, minRequests, maxRequests)
	}
	for _, t := range o.Tests {
		if t != "get" && t != "set" {
			return nil, fmt.Errorf("redis-benchmark: test %q, want get or set", t)
		}
	}
	return []string{
		"redis-benchmark", "-h", o.Addr.String(), "-p", port, "-d", strconv.Itoa(o.Size), "-t", strings.Join(o.Tests, ","),
		"-n", strconv.Itoa(o.Requests), "--csv", "-e", "--precision", "3",
	}, nil
}
