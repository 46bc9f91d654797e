package tool

import (
	"fmt"
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

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

// FieldError is what is wrong with one field of a benchmark.
type FieldError struct {
	Field string // as the catalogue spells it
	Err   error
}

func (e *FieldError) Error() string { return e.Err.Error() }
func (e *FieldError) Unwrap() error { return e.Err }

// Wrong makes a *FieldError about the benchmark.
func (b Benchmark) Wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Errorf("benchmark %s: "+format, append([]any{b.Name}, args...)...)}
}

// Param is a parameter that a tool takes, with the bounds of a number.
type Param struct {
	Name      string // as the catalogue spells it
	Low, High int    // no bounds where both are zero
}

// Port is the server's port, which every tool takes.
var Port = Param{"port", 1, 65535}

// param is one of a benchmark's parameters as it is set.
type param struct {
	name   string
	value  any
	set    bool
	number int // zero for what is none
}

func (b Benchmark) params() []param {
	number := func(name string, n int) param { return param{name, n, n != 0, n} }
	return []param{
		number("port", b.Port),
		{"udp", b.UDP, b.UDP, 0},
		number("dataPort", b.DataPort),
		{"connect", b.Connect, b.Connect, 0},
		number("streams", b.Streams),
		{"test", b.Test, b.Test != "", 0},
		number("requests", b.Requests),
		number("valueBytes", b.ValueBytes),
	}
}

// Takes checks that every parameter is one of those that the benchmark's tool
// takes, and within its bounds. The error is a *FieldError.
func (b Benchmark) Takes(params ...Param) error {
	for _, p := range b.params() {
		i := slices.IndexFunc(params, func(q Param) bool { return q.Name == p.name })
		if i < 0 {
			if p.set {
				return b.Wrong(p.name, "%s is %v, but %s takes none", p.name, p.value, b.Tool)
			}
			continue
		}
		if q := params[i]; p.number < q.Low || p.number > q.High {
			return b.Wrong(p.name, "%s is %v, want %d to %d for %s", p.name, p.value, q.Low, q.High, b.Tool)
		}
	}
	return nil
}

// Check checks what every benchmark has, whatever its tool.
func (b Benchmark) Check() error {
	if _, known := measure.MetricNamed(b.Metric); !known {
		return b.Wrong("metric", "metric %q is not measured", b.Metric)
	}
	if b.Server == "" {
		return b.Wrong("server", "want a server, the container of its pod")
	}
	return nil
}
