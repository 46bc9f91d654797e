package interference_test

import (
	"fmt"

	"github.com/cniperf/cniperf/internal/interference"
)

// A round beyond a drop limit is measured again, until no more rounds may be
// dropped; later ones count, marked.
func ExampleWatch_Round() {
	watch := interference.Watch{Rule: interference.Rule{
		Drop:       map[string]float64{interference.Steal: 0.1},
		MaxDropped: 1,
	}}
	for range 2 {
		watch.Add(map[string]float64{interference.Steal: 0.02})
		watch.Add(map[string]float64{interference.Steal: 0.3})
		f := watch.Round(true)
		fmt.Println(f.Beyond, "drop:", f.Drop, "kept:", f.Kept)
	}
	// Output:
	// [steal 0.3, above 0.1] drop: true kept: false
	// [steal 0.3, above 0.1] drop: false kept: true
}
