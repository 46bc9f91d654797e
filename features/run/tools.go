package run

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/iperf3"
	"github.com/cniperf/cniperf/features/netperf"
	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/features/redisbench"
	"github.com/cniperf/cniperf/features/sockperf"
	"github.com/cniperf/cniperf/internal/output"
)

// command is one benchmark's command line and the parser of what it prints.
type command struct {
	prepare []string // run once before the first sample, where the tool needs it
	argv    []string
	parse   func([]byte) (output.Result, error)
}

// commandOf returns how the benchmark measures addr for the given length.
func commandOf(b plan.Benchmark, addr netip.Addr, length time.Duration) (r command, err error) {
	switch b.Tool {
	case "sockperf":
		r.argv, err = sockperf.Client(sockperf.Options{Addr: addr, Port: b.Port, UDP: b.UDP, Duration: length})
		r.argv = append(slices.Clone(withoutPause), r.argv...)
		r.parse = func(raw []byte) (output.Result, error) { return sockperf.Parse(raw, length) }
	case "netperf":
		r.argv, err = netperf.Client(netperf.Options{
			Addr: addr, Port: b.Port, DataPort: b.DataPort, Duration: length,
			Request: transactionBytes, Response: transactionBytes, Connect: b.Connect,
		})
		r.parse = func(raw []byte) (output.Result, error) { return netperf.Parse(raw, length) }
	case "iperf3":
		r.argv, err = iperf3.Client(iperf3.Options{Addr: addr, Port: b.Port, Duration: length, Streams: b.Streams})
		r.parse = func(raw []byte) (output.Result, error) { return iperf3.Parse(raw, length) }
	case "redis-benchmark":
		return redisRun(b, redisbench.Options{
			Addr: addr, Port: b.Port, Tests: []string{b.Test}, Size: b.ValueBytes, Requests: b.Requests * int(length/time.Second),
		})
	default:
		err = fmt.Errorf("benchmark %s: unknown tool %q", b.Name, b.Tool)
	}
	return r, err
}

// publishedRun returns the same by the published page's own command line, as far
// as it can be: iperf3's -d only floods the output, and what makes output
// readable by a program (-J, --csv) or lets netperf through a Service is added.
// What the page has no command for runs as ever.
func publishedRun(b plan.Benchmark, addr netip.Addr, length time.Duration, path string) (command, error) {
	r, err := commandOf(b, addr, length)
	switch {
	case err != nil || b.UDP || b.Connect:
	case b.Tool == "sockperf":
		r.argv = r.argv[len(withoutPause):]
	case b.Tool == "netperf":
		o := netperf.Options{Addr: addr, Duration: length, Request: transactionBytes, Response: transactionBytes}
		if path == "cluster-ip" {
			o.DataPort = b.DataPort
		}
		r.argv, err = netperf.Published(o)
	case b.Tool == "redis-benchmark":
		return redisRun(b, redisbench.Options{
			Addr: addr, Port: b.Port, Tests: []string{"get", "set"}, Size: b.ValueBytes, Requests: publishedRequests,
		})
	}
	return r, err
}

// publishedRequests is how many requests of each kind redis-benchmark sends
// when it is not told.
const publishedRequests = 100_000

// redisRun returns the run of one or both tests, of which the benchmark's own is
// the result.
func redisRun(b plan.Benchmark, o redisbench.Options) (r command, err error) {
	// A get without a set before it reads a key that is not there.
	set := o
	set.Tests, set.Requests = []string{"set"}, 1000
	if r.prepare, err = redisbench.Client(set); err != nil {
		return command{}, err
	}
	r.argv, err = redisbench.Client(o)
	r.parse = func(raw []byte) (output.Result, error) {
		results, err := redisbench.Parse(raw, o)
		if err != nil {
			return output.Result{}, err
		}
		i := slices.IndexFunc(results, func(r output.Result) bool { return strings.EqualFold(r.Mode, b.Test) })
		if i < 0 {
			return output.Result{}, fmt.Errorf("redis-benchmark printed no test %s", b.Test)
		}
		return results[i], nil
	}
	return r, err
}

// withoutPause preloads what skips the two seconds in which sockperf does
// nothing; see hack/images/bench/nosleep.c.
var withoutPause = []string{"env", "LD_PRELOAD=/usr/local/lib/nosleep.so"}

// transactionBytes is the size of netperf's requests and responses: 100 bytes,
// as on the published page.
const transactionBytes = 100
