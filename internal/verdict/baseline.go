package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// Night is one recorded run as a stored baseline keeps it: the log cost ratio of
// the arm to the host arm of the same run, and the fingerprint of what it ran on.
type Night struct {
	Run         string  `json:"run"`
	Fingerprint string  `json:"fingerprint"`
	LogRatio    float64 `json:"logRatio"`
}

// NightlyVerdict is what the stored baseline says of the last nights.
type NightlyVerdict struct {
	Outcome     Outcome `json:"outcome"`
	Explanation string  `json:"explanation"`
	FalseAlarm  float64 `json:"falseAlarm"` // chance of Fail when nothing changed
}

// Nightly compares the last r nights, oldest first, with the k before them, all
// of the last night's fingerprint; others are left out. It fails only when each
// of the r is worse than the worst of the k. When nothing changed all orders of
// the k+r are equally likely, so that happens with probability r!k!/(k+r)!.
// r and k below one and ratios that aren't finite are errors.
func Nightly(nights []Night, r, k int) (NightlyVerdict, error) {
	if r < 1 || k < 1 {
		return NightlyVerdict{}, fmt.Errorf("%d nights against %d: want at least one of each", r, k)
	}
	v := NightlyVerdict{FalseAlarm: falseAlarm(r, k)}
	var same []float64
	for _, n := range nights {
		if math.IsNaN(n.LogRatio) || math.IsInf(n.LogRatio, 0) {
			return NightlyVerdict{}, fmt.Errorf("run %s: log ratio is %v", n.Run, n.LogRatio)
		}
		if n.Fingerprint == nights[len(nights)-1].Fingerprint {
			same = append(same, n.LogRatio)
		}
	}
	if len(same) < k+r {
		v.Outcome = Inconclusive
		v.Explanation = fmt.Sprintf("%d nights on an equal fingerprint, %d are needed", len(same), k+r)
		return v, nil
	}
	same = same[len(same)-k-r:]
	worst := slices.Max(same[:k])
	beyond := 0
	for _, x := range same[k:] {
		if x > worst {
			beyond++
		}
	}
	last := same[len(same)-1]
	switch {
	case beyond == r:
		v.Outcome = Fail
		v.Explanation = fmt.Sprintf("worse than the worst of %d nights for %d in a row: last %s above the median, %s above the worst",
			k, r, percent(math.Expm1(last-measure.Median(same[:k]))), percent(math.Expm1(last-worst)))
	case last > worst:
		v.Outcome = Inconclusive
		v.Explanation = fmt.Sprintf("worse than the worst of %d nights, but not yet for %d in a row", k, r)
	default:
		v.Outcome = Pass
		v.Explanation = fmt.Sprintf("no worse than the worst of %d nights", k)
	}
	return v, nil
}

// falseAlarm is r!k!/(k+r)!, in logarithms.
func falseAlarm(r, k int) float64 {
	lg := func(n int) float64 { x, _ := math.Lgamma(float64(n + 1)); return x }
	return math.Exp(lg(r) + lg(k) - lg(k+r))
}
