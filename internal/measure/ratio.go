package measure

import (
	"fmt"
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// MetricNamed returns the metric of that name, and whether there is one.
func MetricNamed(name string) (Metric, bool) {
	all := []Metric{
		Latency, LatencyP50, LatencyP90, LatencyP99, LatencyP999,
		Transactions, Throughput, Requests, CPUPerTransaction, CPUPerByte,
	}
	i := slices.IndexFunc(all, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, false
	}
	return all[i], true
}

// LogCost is the natural logarithm of what a value costs: of the value itself
// where lower is better, of its reciprocal where higher is. So a smaller cost
// is better whatever the metric. Zero, negative and non-finite values are
// errors, as is a metric without direction.
func LogCost(v Value) (float64, error) {
	if !(v.Value > 0) || math.IsInf(v.Value, 0) {
		return 0, fmt.Errorf("%s is %v: want a finite number above zero", v.Name, v.Value)
	}
	switch v.Better {
	case LowerIsBetter:
		return math.Log(v.Value), nil
	case HigherIsBetter:
		return -math.Log(v.Value), nil
	}
	return 0, fmt.Errorf("%s has no direction: want %q or %q, got %q", v.Name, LowerIsBetter, HigherIsBetter, v.Better)
}

// LogRatio is ln(cost of a / cost of b): negative where a is better. The
// difference of logarithms is used because it is exactly antisymmetric, zero
// exactly when the values are equal, and never overflows.
func LogRatio(a, b Value) (float64, error) {
	if a.Metric != b.Metric {
		return 0, fmt.Errorf("%s in %s (%s is better) can't be compared with %s in %s (%s is better)",
			a.Name, a.Unit, a.Better, b.Name, b.Unit, b.Better)
	}
	ca, err := LogCost(a)
	if err != nil {
		return 0, err
	}
	cb, err := LogCost(b)
	if err != nil {
		return 0, err
	}
	return ca - cb, nil
}

// LogRatios gives each round's LogRatio of a named metric between two cells,
// in the order of the rounds. A round that lacks either is an error: rounds
// are whole or not there at all.
func LogRatios(rounds []Round, a, b Cell, metric string) ([]float64, error) {
	ds := make([]float64, 0, len(rounds))
	for _, r := range rounds {
		va, ok := r.Values[a].Get(metric)
		if !ok {
			return nil, fmt.Errorf("round %d: %s has no %s", r.Index, a, metric)
		}
		vb, ok := r.Values[b].Get(metric)
		if !ok {
			return nil, fmt.Errorf("round %d: %s has no %s", r.Index, b, metric)
		}
		d, err := LogRatio(va, vb)
		if err != nil {
			return nil, fmt.Errorf("round %d: %s against %s: %w", r.Index, a, b, err)
		}
		ds = append(ds, d)
	}
	return ds, nil
}

// Median is the middle of xs, or the mean of the two middle ones; NaN for none.
// It leaves xs as it was.
func Median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	s := slices.Clone(xs)
	slices.Sort(s)
	n := len(s)
	return s[(n-1)/2]/2 + s[n/2]/2
}

// Interval is the confidence interval for the median that assumes nothing of
// the distribution: two order statistics whose binomial coverage is at least
// the confidence asked for. With too few values an end is infinite. It is for
// tables, at a number of values fixed beforehand; verdicts use the confidence
// sequence of package verdict, which allows looking after every round.
func Interval(xs []float64, confidence float64) (low, high float64) {
	if len(xs) == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	ci := stats.QuantileCI(len(xs), 0.5, confidence)
	_, low, high = ci.SampleCI(stats.Sample{Xs: xs})
	return low, high
}
