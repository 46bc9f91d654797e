package netperf

import (
	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

// transactionBytes is the size of requests and responses: 100 bytes, as on the
// published page.
const transactionBytes = 100

// Tool is netperf's request/response test over TCP.
func Tool() tool.Tool {
	return tool.Tool{
		Name:  "netperf",
		Reads: "TCP_RR, UDP_RR or TCP_CRR: the classic table or the key=value\nlines of -k. latency is the whole round trip.",
		Validate: func(b tool.Benchmark) error {
			return b.Takes(tool.Port, tool.Param{Name: "dataPort", Low: 1, High: 65535}, tool.Param{Name: "connect"})
		},
		Run:  run,
		Read: tool.OneTest(Parse),
	}
}

func run(b tool.Benchmark, s tool.Sample) (tool.Run, error) {
	r := tool.Run{Parse: func(raw []byte) (output.Result, error) { return Parse(raw, s.Length) }}
	// netperf idles for four seconds after a test of connections, so that one has no
	// processor time for a transaction.
	if !b.Connect {
		r.Unit = tool.PerTransaction
	}
	o := Options{
		Addr: s.Addr, Port: b.Port, DataPort: b.DataPort, Duration: s.Length,
		Request: transactionBytes, Response: transactionBytes, Connect: b.Connect,
	}
	var err error
	if s.Published && !b.Connect {
		if s.Path != measure.ClusterIP {
			o.DataPort = 0
		}
		r.Argv, err = Published(o)
	} else {
		r.Argv, err = Client(o)
	}
	if err != nil {
		return tool.Run{}, err
	}
	return r, nil
}
