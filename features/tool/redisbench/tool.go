package redisbench

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/internal/output"
)

// publishedRequests is how many requests of each kind redis-benchmark sends
// when it is not told.
const publishedRequests = 100_000

// Tool is redis-benchmark.
func Tool() tool.Tool {
	return tool.Tool{
		Name:      "redis-benchmark",
		Alias:     "redisbench",
		Reads:     "--csv (alias redisbench). Each test's metrics end in its name:\nrequests-get, latency-p99-set.",
		Validate:  validate,
		Prepare:   prepare,
		Run:       run,
		ManyTests: true,
		Read: func(raw []byte, asked time.Duration) ([]output.Result, error) {
			if asked != 0 {
				return nil, errors.New("redis-benchmark runs a number of requests, not a length: ask for no duration")
			}
			return Parse(raw, Options{})
		},
	}
}

func validate(b tool.Benchmark) error {
	if b.Test != "get" && b.Test != "set" {
		return b.Wrong("test", "test is %q, want get or set", b.Test)
	}
	return b.Takes(tool.Port, tool.Param{Name: "test"},
		tool.Param{Name: "requests", Low: 1, High: 1e7}, tool.Param{Name: "valueBytes", Low: 1, High: maxSize})
}

// prepare sets the key: a get without a set before it reads one that is not there.
func prepare(b tool.Benchmark, addr netip.Addr) ([]string, error) {
	return Client(Options{Addr: addr, Port: b.Port, Tests: []string{"set"}, Size: b.ValueBytes, Requests: minRequests})
}

func run(b tool.Benchmark, s tool.Sample) (tool.Run, error) {
	o := Options{
		Addr: s.Addr, Port: b.Port, Tests: []string{b.Test}, Size: b.ValueBytes,
		Requests: b.Requests * int(s.Length/time.Second),
	}
	if s.Published {
		o.Tests, o.Requests = []string{"get", "set"}, publishedRequests
	}
	argv, err := Client(o)
	if err != nil {
		return tool.Run{}, err
	}
	return tool.Run{
		Argv:  argv,
		Parse: func(raw []byte) (output.Result, error) { return one(raw, o, b.Test) },
		Unit:  tool.PerRequest,
	}, nil
}

// one is the result of one of the tests that ran.
func one(raw []byte, o Options, test string) (output.Result, error) {
	results, err := Parse(raw, o)
	if err != nil {
		return output.Result{}, err
	}
	i := slices.IndexFunc(results, func(r output.Result) bool { return strings.EqualFold(r.Mode, test) })
	if i < 0 {
		return output.Result{}, fmt.Errorf("redis-benchmark printed no test %s", test)
	}
	return results[i], nil
}
