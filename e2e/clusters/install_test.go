//go:build lab

package clusters

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cniperf/cniperf/fixtures/cni"
	"github.com/cniperf/cniperf/fixtures/lab"
)

// refusesToInstall runs the suite with install: true and wants nothing made.
func refusesToInstall(t *testing.T, p programs, s *stranger, why string) {
	t.Helper()
	before := s.settled(t)
	out, code := p.suite(t, "-profile", "smoke", "-lab", s.labFile(t, s.kubeconfig, true, 100), "-run-dir", filepath.Join(t.TempDir(), "run"))
	assert.Equal(t, 3, code)
	assert.Contains(t, out, why, tail(out))
	assert.Empty(t, differences(t, before, s.everything(t), false), "nothing is made or changed")
}

func needsTheInstallLabel(t *testing.T, p programs, s *stranger) {
	refusesToInstall(t, p, s, "label namespace kube-system "+lab.InstallLabel+"=true")
}

// leavesTheOwnersAlone plants an object of a name that Calico's manifest has.
func leavesTheOwnersAlone(t *testing.T, p programs, s *stranger) {
	maps := s.typed.CoreV1().ConfigMaps(cni.SystemNamespace)
	_, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "calico-config"}, Data: map[string]string{"whose": "the owner's"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	refusesToInstall(t, p, s, "cniperf did not make ConfigMap kube-system/calico-config, and leaves alone what isn't its own")
	kept, err := maps.Get(t.Context(), "calico-config", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "the owner's", kept.Data["whose"])
	require.NoError(t, maps.Delete(t.Context(), "calico-config", metav1.DeleteOptions{}))
}

// uninstalled takes away what the first subtest installed, and finds nothing of
// ours afterwards.
func uninstalled(t *testing.T, p programs, s *stranger) {
	file := s.labFile(t, s.kubeconfig, true, 100)
	// The subtest before this froze both nodes.
	require.Eventually(t, func() bool {
		nodes, err := s.typed.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		return err == nil && !slices.ContainsFunc(nodes.Items, func(n corev1.Node) bool {
			return !slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
				return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
			})
		})
	}, 2*time.Minute, time.Second)
	before := s.settled(t)
	out, code := p.run(t, p.cniperf, "lab", "uninstall", "--lab", file, "--dry-run", "kube-proxy")
	require.Zero(t, code, tail(out))
	assert.Contains(t, out, "Helm release kube-system/spiderpool")
	require.Empty(t, differences(t, before, s.everything(t), false), "a dry run removes nothing")
	out, code = p.run(t, p.cniperf, "lab", "uninstall", "--lab", file, "kube-proxy")
	require.Zero(t, code, tail(out))
	for key, o := range s.settled(t) {
		assert.Empty(t, o.GetLabels()[cni.RecipeLabel], key)
		assert.False(t, strings.HasPrefix(key, "CustomResourceDefinition spider"), key)
		assert.NotEqual(t, "Lease kube-system/cniperf", key)
	}
	out, code = p.run(t, p.cniperf, "lab", "uninstall", "--lab", file, "kube-proxy")
	assert.Zero(t, code, tail(out))
	assert.Contains(t, out, "0 objects removed")
}
