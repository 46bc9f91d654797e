//go:build lab

package clusters

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/diagnose"
)

// diagnosesTheDead freezes a node, then the one with the API server as well:
// what still answers is kept, the rest is named, and none of it takes long.
func diagnosesTheDead(t *testing.T, s *stranger) {
	spec, err := diagnose.Default()
	require.NoError(t, err)
	collect := func(why string) string {
		dir := filepath.Join(t.TempDir(), "diagnostics")
		started := time.Now()
		sum, err := diagnose.Collect(t.Context(), dir, why, spec, []diagnose.Cluster{{Name: "c", REST: s.config}})
		require.NoError(t, err)
		took := time.Since(started)
		assert.Less(t, took, time.Duration(spec.Limits.Seconds+5)*time.Second)
		t.Logf("%s: %s after %s", why, sum, took.Round(100*time.Millisecond))
		readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
		require.NoError(t, err)
		return string(readme)
	}
	whole := collect("all alive")
	assert.Contains(t, whole, "- c/nodes/stranger-worker/ip-route-show-table-all.txt: ")

	freeze := func(node string) {
		s.must(t, s.engine, "pause", node)
		t.Cleanup(func() { s.must(t, s.engine, "unpause", node) })
	}
	freeze(s.nodes[1])
	dead := collect("a dead node")
	assert.Regexp(t, `- c/(nodes|logs)/\S+: node stranger-worker: no answer in time \(\d+s\)`, dead)
	assert.NotContains(t, dead, "node stranger-control-plane:")
	assert.Contains(t, dead, "- c/nodes/stranger-control-plane/ip-route-show-table-all.txt: ", "the other node's answers are there")
	assert.Contains(t, dead, "- c/objects/nodes.yaml: ", "and the API server's")

	freeze(s.nodes[0])
	gone := collect("a dead API server")
	assert.Regexp(t, `everything of cluster c: its API server at https://127\.0\.0\.1:\d+ does not answer: no answer in time`, gone)
}
