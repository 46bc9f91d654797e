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

func TestACounterThatWentBackProvesNothing(t *testing.T) {
	before := Counters{RxBytes: 900, RxPackets: 9, TxBytes: 800, TxPackets: 8}
	for want, change := range map[string]func(*Counters){
		"rx_bytes of the client's eth0":   func(c *Counters) { c.RxBytes = 899 },
		"rx_packets of the client's eth0": func(c *Counters) { c.RxPackets = 0 },
		"tx_bytes of the client's eth0":   func(c *Counters) { c.TxBytes = 1 },
		"tx_packets of the client's eth0": func(c *Counters) { c.TxPackets = 7 },
	} {
		after := before
		change(&after)
		tr := Trailer{Before: Snapshot{Interfaces: map[string]Counters{"eth0": before}}, After: Snapshot{Interfaces: map[string]Counters{"eth0": after}}}
		d, err := tr.Delta("eth0")
		assert.ErrorContains(t, err, want+" went back")
		assert.Zero(t, d)
	}
	tr := Trailer{After: Snapshot{Interfaces: map[string]Counters{"eth0": before}}}
	d, err := tr.Delta("eth0")
	require.NoError(t, err, "an interface that is new counts from zero")
	assert.Equal(t, before, d)
	_, err = tr.Delta("eth1")
	assert.ErrorContains(t, err, "no interface eth1")
}

func TestProcessorTimeThatWentBackIsNone(t *testing.T) {
	tr := Trailer{Before: Snapshot{CPU: CPUTime{User: 10, System: 10, Softirq: 10, Idle: 10}}}
	tr.After.CPU = CPUTime{User: 11, System: 12, Softirq: 13}
	busy, err := tr.NodeCPU()
	require.NoError(t, err, "idle time is no part of it")
	assert.Equal(t, 60*time.Millisecond, busy)
	for want, change := range map[string]func(*CPUTime){
		"user of":    func(c *CPUTime) { c.User = 9 },
		"system of":  func(c *CPUTime) { c.System = 0 },
		"softirq of": func(c *CPUTime) { c.Softirq = 9 },
	} {
		back := tr
		change(&back.After.CPU)
		_, err := back.NodeCPU()
		assert.ErrorContains(t, err, want+" the node's CPUs went back")
	}
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
