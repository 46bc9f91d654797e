package output

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cniperf/cniperf/internal/measure"
)

func TestText(t *testing.T) {
	s, err := Text([]byte("\x1b[2;35mred\x1b[0m\r\n\x1b[2Kline\n"))
	assert.NoError(t, err)
	assert.Equal(t, "red\nline\n", s)
	_, err = Text(make([]byte, MaxSize+1))
	assert.ErrorContains(t, err, "over the limit")
}

func TestNumber(t *testing.T) {
	for _, bad := range []string{"", "nan", "inf", "-inf", "-1", "1,5", "1e999", "12usec"} {
		_, err := Number("n", bad)
		assert.Error(t, err, bad)
	}
	v, err := Number("n", "0.5")
	assert.NoError(t, err)
	assert.Equal(t, 0.5, v)
}

func TestSeconds(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), -1, 1e300} {
		_, err := Seconds("n", bad)
		assert.Error(t, err, bad)
	}
	d, err := Seconds("n", 2.01)
	assert.NoError(t, err)
	assert.Equal(t, 2010*time.Millisecond, d)
}

func TestLength(t *testing.T) {
	for measured, ok := range map[time.Duration]bool{9499 * time.Millisecond: false, 9500 * time.Millisecond: true, 10500 * time.Millisecond: true, 10501 * time.Millisecond: false, 0: false} {
		assert.Equal(t, ok, Result{Asked: 10 * time.Second, Measured: measured}.Length() == nil, measured)
	}
	assert.NoError(t, Result{}.Length())
}

func TestPositive(t *testing.T) {
	value := func(f float64) measure.Values { return measure.Values{{Metric: measure.Latency, Value: f}} }
	assert.NoError(t, Positive(value(1), "latency"))
	assert.NoError(t, Positive(value(0)))
	assert.Error(t, Positive(value(0), "latency"))
	for _, f := range []float64{math.NaN(), math.Inf(1), -1} {
		assert.Error(t, Positive(value(f)), f)
	}
	assert.Error(t, Positive(nil))
}

func TestWholeSeconds(t *testing.T) {
	s, err := WholeSeconds(time.Minute)
	assert.NoError(t, err)
	assert.Equal(t, "60", s)
	for _, bad := range []time.Duration{0, -time.Second, 1500 * time.Millisecond, 25 * time.Hour} {
		_, err := WholeSeconds(bad)
		assert.Error(t, err, bad)
	}
}

func TestEndpoint(t *testing.T) {
	a := netip.MustParseAddr("198.18.0.2")
	p, err := Endpoint(a, 12345)
	assert.NoError(t, err)
	assert.Equal(t, "12345", p)
	for _, bad := range []int{0, -1, 65536} {
		_, err := Endpoint(a, bad)
		assert.Error(t, err, bad)
	}
	for _, bad := range []netip.Addr{{}, netip.MustParseAddr("fe80::1%eth0")} {
		_, err := Endpoint(bad, 1)
		assert.Error(t, err, bad)
	}
}
