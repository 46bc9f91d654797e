package measure_test

import (
	"fmt"
	"math"

	"github.com/cniperf/cniperf/internal/measure"
)

// Ratios are of costs, so that below one is better whatever the metric.
func ExampleLogRatio() {
	slow := measure.Value{Metric: measure.Transactions, Value: 20000}
	fast := measure.Value{Metric: measure.Transactions, Value: 40000}
	d, err := measure.LogRatio(fast, slow)
	fmt.Printf("%.2f %v\n", math.Exp(d), err)

	_, err = measure.LogRatio(fast, measure.Value{Metric: measure.Transactions})
	fmt.Println(err)
	// Output:
	// 0.50 <nil>
	// transactions is 0: want a finite number above zero
}
