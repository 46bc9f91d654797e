package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFactsOfANode(t *testing.T) {
	root := t.TempDir()
	for file, text := range map[string]string{
		"proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC 7B13\n\nprocessor\t: 1\nmodel name\t: AMD EPYC 7B13\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor":            "performance\n",
		"sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
		"sys/class/net/bond0/mtu":                                         "9000\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(text), 0o644))
	}
	found, err := facts(t.Context(), root, "bond0")
	require.NoError(t, err)
	for name, want := range map[string]string{
		"cpu": "AMD EPYC 7B13", "cores": "2", "governor": "performance", "clocksource": "tsc", "mtu": "9000", "nic": "bond0",
	} {
		assert.Equal(t, want, found[name], name)
	}
	assert.NotEmpty(t, found["kernel"])
	if _, err := exec.LookPath("dpkg-query"); err == nil {
		assert.Regexp(t, `^[1-9][0-9]*, hash [0-9a-f]{16}$`, found["packages"])
	}

	found, err = facts(t.Context(), t.TempDir(), "")
	require.NoError(t, err)
	assert.NotContains(t, found, "cpu")
	assert.NotContains(t, found, "cores")
	assert.NotContains(t, found, "nic")
}

// Printed by dpkg-query 1.21 of Debian 12.
func TestInstalledPackages(t *testing.T) {
	assert.Equal(t, map[string]string{"sockperf": "3.7-1", "redis-tools": "5:7.0.15-1~deb12u5"}, installed(
		"ii  sockperf 3.7-1 amd64\nii  redis-tools 5:7.0.15-1~deb12u5 amd64\nrc  netperf 2.7.0-0.1 amd64\nun  iperf \n"))
}
