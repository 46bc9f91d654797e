//go:build lab

package run

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/workload"
)

// onNode runs a command as root of one of the embedded lab's nodes.
func onNode(t *testing.T, node, stdin string, command ...string) string {
	t.Helper()
	engine, err := machine.Engine(t.Context())
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), engine, append([]string{"exec", "-i", node}, command...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", command, out)
	return strings.TrimSpace(string(out))
}

// inClient runs a command in the network namespace of a pair's client, as the
// root of its node.
func inClient(t *testing.T, pod workload.Endpoint, stdin string, command ...string) {
	t.Helper()
	onNode(t, pod.Node, stdin, append([]string{"nsenter", "-t", clientProcess(t, pod), "-n"}, command...)...)
}

// clientProcess is the process id, on its node, of a pair's client.
func clientProcess(t *testing.T, pod workload.Endpoint) string {
	t.Helper()
	// Containers of an earlier pod of that name may not be gone yet.
	ids := onNode(t, pod.Node, "", "ctr", "-n", "k8s.io", "containers", "ls", "-q",
		fmt.Sprintf(`labels."io.kubernetes.pod.name"==%s,labels."io.kubernetes.pod.namespace"==%s,labels."io.kubernetes.container.name"==%s`, pod.Pod, pod.Namespace, pod.Container))
	for line := range strings.Lines(onNode(t, pod.Node, "", "ctr", "-n", "k8s.io", "tasks", "ls")) {
		if f := strings.Fields(line); len(f) == 3 && f[2] == "RUNNING" && slices.Contains(strings.Fields(ids), f[0]) {
			return f[1]
		}
	}
	require.Fail(t, "no running process", "%s on %s", pod.Pod, pod.Node)
	return ""
}
