package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/trailer"
)

func TestParseStat(t *testing.T) {
	all, each, err := parseStat([]byte("cpu  10 1 20 300 4 2 7 5 0 0\ncpu0 4 1 8 100 4 1 3 2 0 0\ncpu1 6 0 12 200 0 1 4 3 0 0\nintr 17\n"))
	require.NoError(t, err)
	assert.Equal(t, trailer.CPUTime{User: 11, System: 22, Softirq: 7, Steal: 5, Idle: 304}, all)
	assert.Equal(t, map[int]trailer.CPUTime{
		0: {User: 5, System: 9, Softirq: 3, Steal: 2, Idle: 104},
		1: {User: 6, System: 13, Softirq: 4, Steal: 3, Idle: 200},
	}, each)
	for _, bad := range []string{"", "intr 1\n", "cpu  1 2 3\n", "cpu  1 2 3 4 5 6 7 x\n"} {
		_, _, err := parseStat([]byte(bad))
		assert.Error(t, err, "%q", bad)
	}
}

func TestThrottledReadsBothLayouts(t *testing.T) {
	for file, text := range map[string]string{
		"cpu.stat":             "usage_usec 9\nnr_throttled 2\nthrottled_usec 1500\n",
		"cpu,cpuacct/cpu.stat": "nr_periods 4\nnr_throttled 2\nthrottled_time 1500000\n",
	} {
		root := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(text), 0o644))
		d, err := throttled(root)
		require.NoError(t, err)
		assert.Equal(t, 1500*time.Microsecond, d)
	}
	d, err := throttled(t.TempDir())
	require.NoError(t, err)
	assert.Zero(t, d)
}
