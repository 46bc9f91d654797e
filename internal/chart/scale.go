package chart

import (
	"math"
	"slices"
	"strconv"
)

// margin is kept free at both ends of an axis, so that points there are whole.
const margin = 3

// Scale maps values to places across.
type Scale struct{ Low, High float64 }

// Around is the scale that holds all the values, which may be none. Values that
// aren't finite are left out. A scale of one value has that in its middle.
func Around(values ...float64) Scale {
	finite := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if len(finite) == 0 {
		return Scale{0, 1}
	}
	s := Scale{slices.Min(finite), slices.Max(finite)}
	if s.Low == s.High {
		half := max(math.Abs(s.Low)*.05, math.SmallestNonzeroFloat32)
		s = Scale{s.Low - half, s.High + half}
	}
	return s
}

// At is the place of a value. Beyond an end is at that end.
func (s Scale) At(v float64) Percent {
	share := (v - s.Low) / (s.High - s.Low)
	if math.IsNaN(share) {
		share = 0
	}
	return Percent(margin + (100-2*margin)*min(1, max(0, share)))
}

// precision is how many times larger than its span a scale's values may be, so that
// numbers still tell them apart.
const precision = 1e9

// Tick is a value to be named on an axis, as text with no more digits than it needs.
type Tick struct {
	Value float64
	Text  string
}

// Ticks are round values within the scale, n at most and at least one where the
// scale holds a round value at all.
func (s Scale) Ticks(n int) []Tick {
	span := s.High - s.Low
	if !(span > 0) || math.IsInf(span, 0) || n < 1 || max(math.Abs(s.Low), math.Abs(s.High))/span > precision {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(span/float64(n))))
	for _, m := range []float64{1, 2, 5, 10, 20, 50} {
		ticks := s.every(step * m)
		if len(ticks) <= n {
			return ticks
		}
	}
	return nil
}

// most is far more than any picture has.
const most = 1000

// every is each multiple of the step. Where they are too many to be of use it
// returns as many without values.
func (s Scale) every(step float64) []Tick {
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	var ticks []Tick
	first, last := math.Ceil(s.Low/step-1e-9), math.Floor(s.High/step+1e-9)
	if last-first > most { // also where the steps are too small for the numbers' precision
		return make([]Tick, most)
	}
	for i := range max(0, int(last-first)+1) {
		k := first + float64(i)
		v := k * step
		text := strconv.FormatFloat(v, 'f', decimals, 64)
		if k == 0 {
			v, text = 0, "0"
		}
		ticks = append(ticks, Tick{v, text})
	}
	return ticks
}
