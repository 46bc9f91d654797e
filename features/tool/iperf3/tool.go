package iperf3

import (
	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/internal/output"
)

// Tool is iperf3's TCP stream test. The published page's -d is debug output, which
// floods standard output, so its command line runs without.
func Tool() tool.Tool {
	return tool.Tool{
		Name:  "iperf3",
		Reads: "-J, TCP in one direction. throughput is what the receiver got.",
		Validate: func(b tool.Benchmark) error {
			return b.Takes(tool.Port, tool.Param{Name: "streams", Low: 1, High: maxStreams})
		},
		Run:  run,
		Read: tool.OneTest(Parse),
	}
}

func run(b tool.Benchmark, s tool.Sample) (tool.Run, error) {
	argv, err := Client(Options{Addr: s.Addr, Port: b.Port, Duration: s.Length, Streams: b.Streams})
	if err != nil {
		return tool.Run{}, err
	}
	return tool.Run{
		Argv:  argv,
		Parse: func(raw []byte) (output.Result, error) { return Parse(raw, s.Length) },
		Unit:  tool.PerByte,
	}, nil
}
