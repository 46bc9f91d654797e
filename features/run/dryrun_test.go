package run

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const existingClusters = `
apiVersion: cniperf.io/v1
kind: Lab
networks:
  - {name: lan, subnet: 10.1.0.0/24, gateway: 10.1.0.1}
clusters:
  - name: kube-proxy
    provider: kubeconfig
    cni: calico
    install: false
    podSubnet: 10.2.0.0/16
    serviceSubnet: 10.3.0.0/16
    kubeconfig:
      path: /nowhere/admin.conf
      context: admin
      nodes: [n1, n2]
      images: {bench: registry.example/bench:v1, tcpip-bypass: registry.example/bypass:v1}
    interfaces: [{name: eth0, network: lan, pool: 10.1.0.64-10.1.0.127}]
  - name: ebpf
    provider: kubeconfig
    cni: cilium
    install: false
    podSubnet: 10.4.0.0/16
    serviceSubnet: 10.5.0.0/16
    kubeconfig: {path: /nowhere/admin.conf, context: other, selector: bench=yes, images: {bench: registry.example/bench:v1}}
    interfaces: [{name: eth0, network: lan, pool: 10.1.0.128-10.1.0.191}]
`

// dryRunHere is the dry run of a profile on clusters that can't be reached: nothing in
// it may ask one.
func dryRunHere(t *testing.T, profile string, labels map[string][]string) (string, error) {
	t.Helper()
	return dryRunOf(t, existingClusters, profile, labels)
}

func dryRunOf(t *testing.T, clusters, profile string, labels map[string][]string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lab.yaml")
	require.NoError(t, os.WriteFile(file, []byte(clusters), 0o600))
	s, err := New(Options{Profile: profile, Lab: file, Labels: labels, DryRun: true})
	require.NoError(t, err)
	s.runID = "dry-run"
	s.bed, err = s.newTestbed("")
	require.NoError(t, err)
	plans, err := dryRun{s.plan, s.lab, s.bed, owner(s.runID, s.started)}.clusters(t.Context())
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	require.NoError(t, writePlans(&out, profile, plans))
	return out.String(), nil
}

func TestDryRunOfExistingClusters(t *testing.T) {
	out, err := dryRunHere(t, "quick", nil)
	require.NoError(t, err)
	first, second, found := strings.Cut(out, "cluster ebpf (context other of /nowhere/admin.conf):\n")
	require.True(t, found, out)
	for _, line := range []string{
		"cluster kube-proxy (context admin of /nowhere/admin.conf):",
		"  image       bench registry.example/bench:v1",
		"  image       tcpip-bypass registry.example/bypass:v1",
		"  run         Lease kube-system/cniperf",
		"  run         Namespace cniperf",
		"  run         Namespace cniperf-host",
		"  run         Pod cniperf-host/n2-observer",
		"  run         Pod cniperf/calico-client",
		"  run         Service cniperf/calico",
		"  run         Namespace cniperf-bypass",
		"  run         DaemonSet cniperf-bypass/tcpip-bypass",
		"  run         Pod cniperf/calico-set2-client",
		"  if-failing  Pod cniperf/calico-confirm-client",
	} {
		assert.Contains(t, first, line+"\n")
	}
	assert.Contains(t, second, "  run         Pod cniperf-host/(second chosen node)-observer\n")
	assert.Contains(t, second, "  run         Pod cniperf/cilium-server\n")
	assert.NotContains(t, second, "bypass")
	assert.NotContains(t, out, "cross-subnet", "the lab has no second network")
	for _, no := range []string{"  stays       ", "  machine     "} {
		_, listing, _ := strings.Cut(first, "cluster kube-proxy")
		assert.NotContains(t, listing+second, no, "nothing is installed")
	}
	assert.Equal(t, 1, strings.Count(first, "Namespace cniperf\n"), "listed once")
}

func TestDryRunOfASelection(t *testing.T) {
	out, err := dryRunHere(t, "quick", map[string][]string{"comparison": {"same-node-latency"}})
	require.NoError(t, err)
	assert.Contains(t, out, "DaemonSet cniperf-bypass/tcpip-bypass")
	assert.NotContains(t, out, "cilium")
	assert.NotContains(t, out, "calico-client")
	out, err = dryRunHere(t, "smoke", map[string][]string{"comparison": {"pod-ip-latency"}})
	require.NoError(t, err)
	assert.NotContains(t, out, "bypass/", "hosts are not touched unless the bypass is asked for")
	_, listing, _ := strings.Cut(out, "cluster kube-proxy")
	assert.NotContains(t, listing, "if-failing", "a profile that does not judge confirms nothing")
}

func TestDryRunOfTheArchivedAccelerator(t *testing.T) {
	const image = "registry.example/intel/istio-tcpip-bypass:v1"
	out, err := dryRunOf(t, strings.Replace(existingClusters, "    cni: calico\n", "    cni: calico\n    upstreamBypass: "+image+"\n", 1), "quick", nil)
	require.NoError(t, err)
	first, second, _ := strings.Cut(out, "cluster ebpf")
	assert.Contains(t, first, "  image       istio-tcpip-bypass "+image)
	assert.Contains(t, first, "DaemonSet cniperf-bypass/tcpip-bypass")
	assert.NotContains(t, second, image)
}

// The example in docs/users/own-clusters.md is a file that -catalogue takes.
func TestCatalogueOfAUser(t *testing.T) {
	docs, err := os.ReadFile("../../docs/users/own-clusters.md")
	require.NoError(t, err)
	_, example, found := strings.Cut(string(docs), "```yaml\n# mine.yaml\n")
	require.True(t, found)
	example, _, _ = strings.Cut(example, "```")
	file := filepath.Join(t.TempDir(), "mine.yaml")
	require.NoError(t, os.WriteFile(file, []byte(example), 0o600))
	s, err := New(Options{Profile: "smoke", Catalogue: file})
	require.NoError(t, err)
	names := s.plan.Profile.Comparisons
	assert.Equal(t, "pod-ip-latency", names[0])
	assert.Equal(t, "large-values", names[len(names)-1], "after the profile's")

	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(example, "arms: [macvlan, calico]", "arms: [macvlan, flannel]", 1)), 0o600))
	_, err = New(Options{Profile: "smoke", Catalogue: file})
	assert.ErrorContains(t, err, "catalogue "+file+": line 4: comparison large-values: unknown datapath \"flannel\": known are node, calico-ebpf, calico-ipip, calico,")
	_, err = New(Options{Catalogue: file + "s"})
	assert.ErrorContains(t, err, "catalogue: open")
}
