package trailer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func whole(t *testing.T, output string) []byte {
	t.Helper()
	b, err := Append([]byte(output), Trailer{Elapsed: time.Second, CPUs: []int{1}})
	require.NoError(t, err)
	return b
}

func TestSplitReturnsWhatWasCertified(t *testing.T) {
	for _, output := range []string{"", "one line\n", "no newline", "a\n#podrun {\"exit\":0}\nb"} {
		got, tr, err := Split(whole(t, output))
		require.NoError(t, err)
		assert.Equal(t, output, string(got))
		assert.Equal(t, len(output), tr.Bytes)
		assert.Equal(t, []int{1}, tr.CPUs)
	}
}

func TestEveryCutIsSeen(t *testing.T) {
	b := whole(t, "sockperf: Summary: Latency is 12.3 usec\n")
	for n := range b {
		_, _, err := Split(b[:n])
		assert.ErrorIs(t, err, ErrCut, "cut after %d of %d bytes", n, len(b))
	}
	for n := 1; n < 40; n++ {
		_, _, err := Split(b[n:])
		assert.Error(t, err, "%d bytes missing at the start", n)
	}
}

func TestOtherContentIsRefused(t *testing.T) {
	b := whole(t, "12.3 usec")
	b[0] = '9'
	_, _, err := Split(b)
	assert.ErrorContains(t, err, "checksum")
}

func FuzzSplit(f *testing.F) {
	b, err := Append([]byte("x"), Trailer{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("\n#podrun {}\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, tr, err := Split(in)
		if err == nil && len(out) != tr.Bytes {
			t.Fatalf("accepted %d bytes certified as %d", len(out), tr.Bytes)
		}
		if err != nil && out != nil {
			t.Fatal("both output and error")
		}
	})
}
