package verdict_test

import (
	"fmt"

	"github.com/cniperf/cniperf/internal/verdict"
)

// Eight rounds that all favour one side decide at α = .01, seven do not.
func ExampleFollow() {
	bound, err := verdict.NewBound(0.01, 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	ds := []float64{-0.4, -0.5, -0.4, -0.3, -0.4, -0.6, -0.4, -0.5}
	fmt.Println(verdict.Follow(bound, 0, ds[:7]).Outcome())
	fmt.Println(verdict.Follow(bound, 0, ds).Outcome())
	// Output:
	// inconclusive
	// pass
}
