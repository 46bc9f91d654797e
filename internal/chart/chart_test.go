package chart

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAScaleHoldsItsValues(t *testing.T) {
	s := Around(3, math.NaN(), 7, math.Inf(1))
	assert.Equal(t, Scale{3, 7}, s)
	assert.Equal(t, Percent(margin), s.At(3))
	assert.Equal(t, Percent(100-margin), s.At(7))
	assert.Equal(t, Percent(50), s.At(5))
	assert.Equal(t, Percent(100-margin), s.At(math.Inf(1)), "beyond an end is at that end")
	assert.Equal(t, Percent(50), Around(4).At(4), "one value is in the middle")
	assert.Equal(t, Percent(50), Around(0).At(0))
	assert.Equal(t, Scale{0, 1}, Around())
	assert.False(t, math.IsNaN(float64(s.At(math.NaN()))))
}

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		scale Scale
		want  []string
	}{
		{Scale{8.4, 17.2}, []string{"10", "12", "14", "16"}},
		{Scale{-3.5, 81}, []string{"0", "20", "40", "60", "80"}},
		{Scale{0, 1}, []string{"0", "0.5", "1.0"}},
		{Scale{1e17, 1e17 + 32}, nil},
		{Scale{9.871, 9.874}, []string{"9.871", "9.872", "9.873", "9.874"}},
		{Scale{1.2e9, 1.9e10}, []string{"5000000000", "10000000000", "15000000000"}},
		{Scale{5, 5}, nil},
	} {
		var got []string
		for _, tick := range c.scale.Ticks(5) {
			got = append(got, tick.Text)
			assert.GreaterOrEqual(t, tick.Value, c.scale.Low-1e-9)
			assert.LessOrEqual(t, tick.Value, c.scale.High+1e-9)
		}
		assert.Equal(t, c.want, got, "%v", c.scale)
	}
}

func TestRowsDrawEveryValue(t *testing.T) {
	median, low, high := 2.0, 1.5, 2.5
	p := Rows("p", "finding", []Row{
		{Name: "a", Points: []Dot{{Value: 1}, {Value: 2}, {Value: 3, Faint: true}}, Median: &median},
		{Name: "b", Low: &low, High: &high},
	}, Axis{Scale: Around(1, 3), Marks: []float64{2}})
	dots, bars := 0, 0
	for _, i := range p.Items {
		assert.GreaterOrEqual(t, i.X, Percent(0))
		assert.LessOrEqual(t, i.X+i.X2, Percent(200))
		if i.Kind == Point && i.Shift == 0 {
			dots++
		}
		if i.Kind == Bar {
			bars++
			assert.Equal(t, Around(1, 3).At(2.5)-Around(1, 3).At(1.5), i.X2)
		}
	}
	assert.Equal(t, 3, dots)
	assert.Equal(t, 1, bars)
}

func FuzzScale(f *testing.F) {
	f.Add(1.0, 2.0, 1.5, 5)
	f.Fuzz(func(t *testing.T, low, high, v float64, n int) {
		s := Around(low, high)
		x := s.At(v)
		if math.IsNaN(float64(x)) || x < 0 || x > 100 {
			t.Fatalf("%v of %v is at %v", v, s, x)
		}
		n = min(max(n, -5), 50)
		if ticks := s.Ticks(n); len(ticks) > max(n, 0) {
			t.Fatalf("%d ticks of at most %d", len(ticks), n)
		}
	})
}
