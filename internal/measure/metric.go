// Package measure holds what a benchmark yields: metrics with a unit and a
// direction, the cell they belong to, and the per-round ratios between arms.
// It does no I/O and knows no cluster.
package measure

// Direction tells which way a metric improves. It belongs to the metric, so
// that no threshold can point the wrong way.
type Direction string

const (
	LowerIsBetter  Direction = "lower"
	HigherIsBetter Direction = "higher"
)

// Metric is a number's name, unit and direction. Units are spelled as the Go
// benchmark format spells them: us, ns, bit/s, B, 1/s, %.
type Metric struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Better Direction `json:"better"`
}

// The metrics that assertions and tables are about. Latencies are in
// microseconds; sockperf's is half the round trip, netperf's the whole.
var (
	Latency     = Metric{"latency", "us", LowerIsBetter}
	LatencyP50  = Metric{"latency-p50", "us", LowerIsBetter}
	LatencyP90  = Metric{"latency-p90", "us", LowerIsBetter}
	LatencyP99  = Metric{"latency-p99", "us", LowerIsBetter}
	LatencyP999 = Metric{"latency-p99.9", "us", LowerIsBetter}

	Transactions = Metric{"transactions", "1/s", HigherIsBetter}
	Throughput   = Metric{"throughput", "bit/s", HigherIsBetter}
	Requests     = Metric{"requests", "1/s", HigherIsBetter}

	CPUPerTransaction = Metric{"cpu-per-transaction", "ns", LowerIsBetter}
	CPUPerByte        = Metric{"cpu-per-byte", "ns", LowerIsBetter}

	// ToolCPU is the client tool's own processor time as a share of its run:
	// near 100 the tool, not the datapath, is the limit.
	ToolCPU = Metric{"tool-cpu", "%", LowerIsBetter}
)

// Value is one measured number of a metric.
type Value struct {
	Metric
	Value float64 `json:"value"`
}

// Values are the metrics of one sample, in the order the parser gives them.
// A metric that was not measured is absent, never zero.
type Values []Value

// Get returns the value of the metric of that name, and whether it was
// measured.
func (vs Values) Get(name string) (Value, bool) {
	for _, v := range vs {
		if v.Name == name {
			return v, true
		}
	}
	return Value{}, false
}
