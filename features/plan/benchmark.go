package plan

import "github.com/cniperf/cniperf/internal/measure"

// Benchmark is a tool with its parameters and the metric its verdicts are
// about. Which of the optional fields count depends on the tool.
type Benchmark struct {
	Name   string `yaml:"name"`
	Tool   string `yaml:"tool"`
	Server string `yaml:"server"` // container of the server pod
	Metric string `yaml:"metric"`
	Port   int    `yaml:"port"`

	UDP        bool   `yaml:"udp"`        // sockperf: datagrams instead of a connection
	DataPort   int    `yaml:"dataPort"`   // netperf: of the test's own connection
	Connect    bool   `yaml:"connect"`    // netperf: a new connection for every transaction
	Streams    int    `yaml:"streams"`    // iperf3: parallel connections
	Test       string `yaml:"test"`       // redis-benchmark: get or set
	Requests   int    `yaml:"requests"`   // redis-benchmark: for each second of the sample's length
	ValueBytes int    `yaml:"valueBytes"` // redis-benchmark: size of a value
}

// validate bounds every number; those of other tools must be absent.
func (b Benchmark) validate(at []any) error {
	if !nameRE.MatchString(b.Name) {
		return wrong(append(at, "name"), "benchmark %q: want lower-case letters, digits and dashes as its name", b.Name)
	}
	if _, known := measure.MetricNamed(b.Metric); !known {
		return wrong(append(at, "metric"), "benchmark %s: metric %q is not measured", b.Name, b.Metric)
	}
	if b.Server == "" {
		return wrong(at, "benchmark %s: want a server, the container of its pod", b.Name)
	}
	low := map[string]int{"port": 1}
	switch b.Tool {
	case "sockperf":
	case "netperf":
		low["dataPort"] = 1
	case "iperf3":
		low["streams"] = 1
	case "redis-benchmark":
		low["requests"], low["valueBytes"] = 1, 1
		if b.Test != "get" && b.Test != "set" {
			return wrong(append(at, "test"), "benchmark %s: test is %q, want get or set", b.Name, b.Test)
		}
	default:
		return wrong(append(at, "tool"), "benchmark %s: tool is %q, want sockperf, netperf, iperf3 or redis-benchmark", b.Name, b.Tool)
	}
	for _, n := range []struct {
		field string
		v     int
		high  int
	}{
		{"port", b.Port, 65535}, {"dataPort", b.DataPort, 65535}, {"streams", b.Streams, 128},
		{"requests", b.Requests, 1e7}, {"valueBytes", b.ValueBytes, 1 << 20},
	} {
		high := n.high
		if low[n.field] == 0 {
			high = 0
		}
		if n.v < low[n.field] || n.v > high {
			return wrong(append(at, n.field), "benchmark %s: %s is %d, want %d to %d for %s", b.Name, n.field, n.v, low[n.field], high, b.Tool)
		}
	}
	return nil
}
