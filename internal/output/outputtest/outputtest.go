// Package outputtest holds what the tests of every tool's parser ask alike:
// values or an error, never both, never neither.
package outputtest

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

// Read returns a captured output from the package's testdata.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return raw
}

// Captured returns every captured output of the package's testdata, for a fuzz
// target to start from.
func Captured(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var all [][]byte
	for _, name := range files {
		all = append(all, Read(t, filepath.Base(name)))
	}
	return all
}

// RefusesFiles asserts that captured outputs are refused, by file: with an error
// that contains the text, and without a result.
func RefusesFiles[T any](t *testing.T, parse func(raw []byte) (T, error), texts map[string]string) {
	t.Helper()
	for name, want := range texts {
		t.Run(name, func(t *testing.T) { refuses(t, parse, Read(t, name), want) })
	}
}

// Bad is an output made from a good one, and a text in the error about it.
type Bad [2]string

// Refuses is RefusesFiles of outputs that are no files, by what is wrong with
// them, and of what no tool's parser may take: nothing, and more than the limit.
func Refuses[T any](t *testing.T, parse func(raw []byte) (T, error), good []byte, bad map[string]Bad) {
	t.Helper()
	t.Run("empty", func(t *testing.T) { refuses(t, parse, []byte(" \n"), "empty") })
	t.Run("too large", func(t *testing.T) {
		refuses(t, parse, []byte(strings.Repeat(" ", output.MaxSize+1)), "over the limit")
	})
	for name, b := range bad {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, string(good), b[0], "nothing was changed")
			refuses(t, parse, []byte(b[0]), b[1])
		})
	}
}

func refuses[T any](t *testing.T, parse func(raw []byte) (T, error), raw []byte, want string) {
	t.Helper()
	r, err := parse(raw)
	require.ErrorContains(t, err, want)
	assert.Empty(t, r)
}

// RefusesEveryCut asserts that no prefix of a good output is taken for one: a cut
// stream must be seen even where it ends inside a number. White space at the end
// may be missing.
func RefusesEveryCut[T any](t *testing.T, parse func(raw []byte) (T, error), good []byte) {
	t.Helper()
	_, err := parse(good)
	require.NoError(t, err)
	for i := range len(strings.TrimSpace(string(good))) {
		_, err := parse(good[:i])
		require.Error(t, err, "first %d bytes", i)
	}
}

// Sound asserts what holds of any parser's values: some, finite, not negative,
// with a unit and a direction, and above zero where zero is impossible.
func Sound(t *testing.T, values measure.Values) {
	t.Helper()
	require.NotEmpty(t, values)
	for _, v := range values {
		require.False(t, math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Value < 0, v)
		require.NotEmpty(t, v.Unit)
		require.NotEmpty(t, v.Better)
		switch {
		case strings.HasPrefix(v.Name, measure.Latency.Name), v.Name == measure.Transactions.Name, v.Name == measure.Throughput.Name, v.Name == measure.Requests.Name:
			require.Positive(t, v.Value, v.Name)
		}
	}
}
