package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// NightlyVerdict is what the nights before say of the last one.
type NightlyVerdict struct {
	Outcome     Outcome `json:"outcome"`
	Explanation string  `json:"explanation"` // by ExplainNightly
	Nights      int     `json:"nights"`      // the last among them
	Window      int     `json:"window"`      // nights that the last is compared with
	InARow      int     `json:"inARow"`      // nights that have to be worse than the worst of the window
	Beyond      int     `json:"beyond"`      // nights in a row, the last among them, that were worse than the worst
	// Median and Worst are the log cost ratios of the nights it is compared with,
	// Last is its own; absent while there are too few.
	Median *float64 `json:"median,omitempty"`
	Worst  *float64 `json:"worst,omitempty"`
	Last   *float64 `json:"last,omitempty"`
}

// Nightly follows one cell through its nights, oldest first, each given as the
// log cost ratio of the arm to the host arm of the same run. It fails once inARow
// nights are each worse than the worst of the window nights before them, and goes
// on to fail as long as nights are: those nights don't become what later ones are
// compared with. inARow and window below one and ratios that aren't finite are
// errors.
func Nightly(nights []float64, inARow, window int) (NightlyVerdict, error) {
	var v NightlyVerdict
	if inARow < 1 || window < 1 {
		return v, fmt.Errorf("%d nights in a row against %d: want at least one of each", inARow, window)
	}
	var before, beyond []float64
	for i, x := range nights {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return v, fmt.Errorf("night %d: log ratio is %v, want a finite number", i+1, x)
		}
		switch {
		case len(before) >= window && x > slices.Max(before[len(before)-window:]):
			beyond = append(beyond, x)
			continue
		case len(beyond) < inARow:
			// Fewer in a row are what chance does.
			before = append(before, beyond...)
		}
		before, beyond = append(before, x), nil
	}
	v = NightlyVerdict{Nights: len(nights), Window: window, InARow: inARow, Beyond: len(beyond)}
	// A last night that isn't beyond is itself the newest of before.
	if len(beyond) == 0 && len(before) > 0 {
		before = before[:len(before)-1]
	}
	if len(before) >= window {
		before = before[len(before)-window:]
		median, worst, last := measure.Median(before), slices.Max(before), nights[len(nights)-1]
		v.Median, v.Worst, v.Last = &median, &worst, &last
	}
	switch {
	case v.Worst == nil:
		v.Outcome = Inconclusive
	case v.Beyond >= inARow:
		v.Outcome = Fail
	case v.Beyond > 0:
		v.Outcome = Inconclusive
	default:
		v.Outcome = Pass
	}
	v.Explanation = ExplainNightly(v)
	return v, nil
}

// ExplainNightly says a nightly verdict in one sentence.
func ExplainNightly(v NightlyVerdict) string {
	switch {
	case v.Worst == nil:
		return fmt.Sprintf("%d of at least %d nights", v.Nights, v.Window+1)
	case v.Outcome == Fail:
		return fmt.Sprintf("slower than the worst of %d nights for %d in a row, the last by %s; %s slower than their median",
			v.Window, v.Beyond, percent(math.Expm1(*v.Last-*v.Worst)), percent(math.Expm1(*v.Last-*v.Median)))
	case v.Outcome == Inconclusive:
		return fmt.Sprintf("slower than the worst of %d nights, for %d in a row of the %d that would show it",
			v.Window, v.Beyond, v.InARow)
	}
	return fmt.Sprintf("no slower than in the worst of %d nights", v.Window)
}

// FalseAlarm is the chance that Nightly begins to fail at one night although
// nothing changed: all orders of the window and the nights in a row are equally
// likely then, so it is at most r!k!/(k+r)!.
func FalseAlarm(inARow, window int) float64 {
	lg := func(n int) float64 { x, _ := math.Lgamma(float64(n + 1)); return x }
	return math.Exp(lg(inARow) + lg(window) - lg(window+inARow))
}

// InARow is the fewest nights in a row, two at least, for which the chance of a
// false alarm in any of so many cells is at most alpha each night.
func InARow(cells, window int, alpha float64) int {
	r := 2
	for float64(cells)*FalseAlarm(r, window) > alpha {
		r++
	}
	return r
}
