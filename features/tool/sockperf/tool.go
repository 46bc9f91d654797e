package sockperf

import (
	"slices"

	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/internal/output"
)

// withoutPause preloads what skips the two seconds in which sockperf does
// nothing; see hack/images/bench/nosleep.c. The published page had no such thing.
var withoutPause = []string{"env", "LD_PRELOAD=/usr/local/lib/nosleep.so"}

// Tool is sockperf's ping-pong. It idles for most of its run, so there is no
// processor time for a message.
func Tool() tool.Tool {
	return tool.Tool{
		Name:  "sockperf",
		Reads: "ping-pong. latency is half of the round trip.",
		Validate: func(b tool.Benchmark) error {
			return b.Takes(tool.Port, tool.Param{Name: "udp"})
		},
		Run:  run,
		Read: tool.OneTest(Parse),
	}
}

func run(b tool.Benchmark, s tool.Sample) (tool.Run, error) {
	argv, err := Client(Options{Addr: s.Addr, Port: b.Port, UDP: b.UDP, Duration: s.Length})
	if err != nil {
		return tool.Run{}, err
	}
	if !s.Published || b.UDP {
		argv = slices.Concat(withoutPause, argv)
	}
	return tool.Run{
		Argv:  argv,
		Parse: func(raw []byte) (output.Result, error) { return Parse(raw, s.Length) },
	}, nil
}
