package counter

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACounterThatWentBackIsNoNumber(t *testing.T) {
	for _, c := range []struct{ before, after, want uint64 }{{0, 0, 0}, {3, 3, 0}, {3, 10, 7}, {0, math.MaxUint64, math.MaxUint64}} {
		n, err := Delta("messages", c.before, c.after)
		require.NoError(t, err)
		assert.Equal(t, c.want, n)
	}
	n, err := Delta("messages", 900, 12)
	assert.Zero(t, n)
	assert.EqualError(t, err, "counter messages went back from 900 to 12")
	var back *BackError
	require.ErrorAs(t, err, &back)
	assert.Equal(t, BackError{"messages", 900, 12}, *back)
}

func TestTheOneOfSeveralIsNamed(t *testing.T) {
	deltas, err := Deltas(Reading{"sent", 1, 5}, Reading{"received", 2, 2})
	require.NoError(t, err)
	assert.Equal(t, []uint64{4, 0}, deltas)
	_, err = Deltas(Reading{"sent", 1, 5}, Reading{"received", 2, 1})
	assert.ErrorContains(t, err, "received")
}
