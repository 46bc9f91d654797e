//go:build lab

package clusters

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// controlTime is how long the cluster is watched while nothing is done to it.
const controlTime = 45 * time.Second

// TestStrangerStaysUntouched runs every command beside and against a cluster
// whose owner hasn't opted in, and compares all of its objects before and after.
// It removes the embedded lab and makes its first cluster anew, unless
// CNIPERF_KEEP_LAB is set.
func TestStrangerStaysUntouched(t *testing.T) {
	p := build(t)
	s := newStranger(t)
	before := s.settled(t)
	t.Logf("%d objects of %d kinds", len(before), len(s.kinds(t)))

	// The control: what changes by itself, and that nothing else does.
	select {
	case <-time.After(controlTime):
	case <-t.Context().Done():
		require.NoError(t, t.Context().Err())
	}
	idle := s.everything(t)
	own := differences(t, before, idle, true)
	t.Logf("control: in %s without us %d objects changed: %s", controlTime, len(own), summary(own))
	require.NotEmpty(t, own, "the comparison sees changes")
	for _, d := range own {
		_, key, _ := strings.Cut(d, ": ")
		assert.True(t, byItself(key) || strings.HasPrefix(key, "Node "), d)
	}
	require.Empty(t, differences(t, before, idle, false))

	lab := s.labFile(t, s.kubeconfig, true, 100)
	runDir := func() string { return filepath.Join(t.TempDir(), "run") }
	refused := "its owner hasn't opted in"

	out, code := p.suite(t, "-profile", "smoke", "-lab", lab, "-dry-run")
	assert.Zero(t, code, tail(out))
	assert.Contains(t, out, "cluster kube-proxy (context kind-"+strangerName)

	dir := runDir()
	out, code = p.suite(t, "-profile", "smoke", "-lab", lab, "-run-dir", dir)
	assert.Equal(t, 3, code)
	assert.Contains(t, out, refused, tail(out))
	readme, err := os.ReadFile(filepath.Join(dir, "diagnostics", "README.md"))
	require.NoError(t, err)
	assert.Contains(t, string(readme), "no cluster was reached", "not even diagnostics are read from it")

	out, code = p.run(t, p.cniperf, "lab", "up", "--lab", lab)
	assert.Equal(t, 3, code)
	assert.Contains(t, out, refused)
	out, code = p.run(t, p.cniperf, "lab", "status", "--lab", lab)
	assert.Zero(t, code)
	assert.Contains(t, out, "not opted in")
	p.run(t, p.cniperf, "doctor")
	if os.Getenv("CNIPERF_KEEP_LAB") == "" {
		out, code = p.run(t, p.cniperf, "down", "--lab", lab)
		assert.Zero(t, code, out)
		assert.NotContains(t, out, strangerName)
	}
	out, code = p.suite(t, "-profile", "smoke", "-run-dir", runDir())
	assert.Zero(t, code, tail(out))

	assert.Len(t, s.running(t), 2, "its nodes run")
	after := s.everything(t)
	assert.Empty(t, differences(t, before, after, false), "the stranger's objects")
	t.Logf("%d objects before, %d after, none of ours, none changed but by itself", len(before), len(after))
}
