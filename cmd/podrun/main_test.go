package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/trailer"
)

func TestRunCertifiesAndKeepsTheOutput(t *testing.T) {
	o := options{id: "r1", dir: t.TempDir(), cpu: "last", timeout: 5 * time.Second, argv: []string{"sh", "-c", "echo out; echo err >&2; exit 3"}}
	var stream bytes.Buffer
	require.NoError(t, measure(o, &stream))
	out, tr, err := trailer.Split(stream.Bytes())
	require.NoError(t, err)
	assert.Equal(t, "out\nerr\n", string(out))
	assert.Equal(t, 3, tr.Exit)
	assert.Len(t, tr.CPUs, 1)
	assert.Contains(t, tr.After.Interfaces, "lo")
	assert.NotZero(t, tr.After.CPU.Idle)

	var again bytes.Buffer
	require.NoError(t, fetch(o, &again))
	assert.Equal(t, stream.Bytes(), again.Bytes())
	o.id = "r2"
	assert.ErrorContains(t, fetch(o, &again), "no finished output")
}

func TestHungToolIsEnded(t *testing.T) {
	o := options{id: "hung", dir: t.TempDir(), timeout: 100 * time.Millisecond, argv: []string{"sh", "-c", "echo begun; sleep 60 & wait"}}
	var stream bytes.Buffer
	started := time.Now()
	require.NoError(t, measure(o, &stream))
	assert.Less(t, time.Since(started), 10*time.Second)
	_, tr, err := trailer.Split(stream.Bytes())
	require.NoError(t, err)
	assert.True(t, tr.TimedOut)
	assert.Equal(t, "SIGKILL", tr.Signal)
}

func TestFloodIsEnded(t *testing.T) {
	o := options{id: "flood", dir: t.TempDir(), timeout: time.Minute, argv: []string{"yes"}}
	var stream bytes.Buffer
	require.NoError(t, measure(o, &stream))
	out, tr, err := trailer.Split(stream.Bytes())
	require.NoError(t, err)
	assert.LessOrEqual(t, len(out), maxOutput)
	assert.True(t, tr.Flooded)
	assert.False(t, tr.TimedOut)
	assert.NotEmpty(t, tr.Signal)
}

func TestBadOptionsAreRefused(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"letters, digits":   {"run", "-id", "../x", "-dir", dir, "-timeout", "1s", "--", "true"},
		"above zero":        {"run", "-id", "x", "-dir", dir, "--", "true"},
		"no command":        {"run", "-id", "x", "-dir", dir, "-timeout", "1s"},
		"cannot pin to CPU": {"run", "-id", "x", "-dir", dir, "-timeout", "1s", "-cpu", "99999", "--", "true"},
		"unknown command":   {"flood"},
	} {
		assert.ErrorContains(t, run(args), want)
	}
}

func TestNetDevIsReadWhole(t *testing.T) {
	got, err := parseNetDev([]byte("Inter-|   Receive  |  Transmit\n face |bytes packets errs\n  eth0: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n"))
	require.NoError(t, err)
	assert.Equal(t, map[string]trailer.Counters{"eth0": {RxBytes: 10, RxPackets: 1, TxBytes: 20, TxPackets: 2}}, got)
	_, err = parseNetDev([]byte("  eth0: 10 1\n"))
	assert.Error(t, err)
}

func TestPeersAreThoseOfEstablishedSockets(t *testing.T) {
	table := []byte(`  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:3039 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 400012C6:9C40 410012C6:3039 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
   2: 400012C6:9C42 410012C6:3039 06 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
   3: 400012C6:9C44 420012C6:1443 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0 20 4 30 10 -1
`)
	assert.Equal(t, []string{"198.18.0.65:12345"}, parsePeers(table, 12345))
	assert.Equal(t, []string{"198.18.0.66:5187"}, parsePeers(table, 5187))
	assert.Empty(t, parsePeers(table, 80))
}
