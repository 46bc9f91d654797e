//go:build lab

package clusters

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/cniperf/cniperf/fixtures/images"
	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/kind"
)

// The stranger's addresses: of the range for benchmarks, beside the lab's.
const (
	strangerName = "stranger"
	podCIDR      = "198.19.192.0/19"
	serviceCIDR  = "198.19.224.0/21"
)

var segments = []struct{ network, subnet, gateway, nodes, pool string }{
	{"stranger", "198.18.4.0/24", "198.18.4.1", "198.18.4.0/27", "198.18.4.64-198.18.4.95"},
	{"stranger-b", "198.18.5.0/24", "198.18.5.1", "198.18.5.0/27", "198.18.5.64-198.18.5.95"},
}

// stranger is a kind cluster that cniperf did not make: kind's own library did,
// under another name, on other networks, without cniperf's mark.
type stranger struct {
	engine     string
	kubeconfig string // of its owner
	config     *rest.Config
	typed      kubernetes.Interface
	dynamic    dynamic.Interface
	images     map[string]string
	nodes      []string
	dir        string // for everything the test writes
}

// newStranger makes the cluster, without a CNI, and removes it after the test.
func newStranger(t *testing.T) *stranger {
	ctx := t.Context()
	s := &stranger{dir: t.TempDir(), nodes: []string{strangerName + "-control-plane", strangerName + "-worker"}}
	var err error
	s.engine, err = machine.Engine(ctx)
	require.NoError(t, err)
	cache, err := machine.DefaultCacheDir()
	require.NoError(t, err)
	builder := &images.Builder{Source: root(t), CacheDir: cache, Engine: s.engine}
	missing, _, err := builder.Missing(ctx, "kube-proxy")
	require.NoError(t, err)
	require.Empty(t, missing, "run `make images` first")
	set, err := builder.Planned(ctx, "kube-proxy")
	require.NoError(t, err)
	s.images = set.Refs

	t.Cleanup(func() { s.remove(t) })
	s.remove(t) // what a killed test left
	for i, n := range segments {
		args := []string{"network", "create", "--subnet", n.subnet, "--gateway", n.gateway, "--ip-range", n.nodes}
		if i > 0 && s.engine == "podman" {
			args = append(args, "--disable-dns")
		}
		s.must(t, s.engine, append(args, n.network)...)
	}
	t.Setenv("KIND_EXPERIMENTAL_"+strings.ToUpper(s.engine)+"_NETWORK", segments[0].network)
	var config bytes.Buffer
	require.NoError(t, template.Must(template.New("").Parse(kind.Cluster)).Execute(&config, map[string]any{
		"Name": strangerName, "Image": set.Node, "Roles": []string{"control-plane", "worker"}, "KubeProxyMode": "iptables",
		"CgroupV1": true, "PodSubnet": podCIDR, "ServiceSubnet": serviceCIDR, "MarkFile": "", "MarkPath": "",
	}))
	s.kubeconfig = filepath.Join(s.dir, "owner.kubeconfig")
	require.NoError(t, s.kind().Create(strangerName, cluster.CreateWithRawConfig(config.Bytes()), cluster.CreateWithKubeconfigPath(s.kubeconfig)))
	for _, node := range s.nodes {
		s.must(t, s.engine, "network", "connect", segments[1].network, node)
		s.must(t, s.engine, "exec", node, "ip", "route", "flush", "default", "dev", "eth1")
	}
	s.config, err = clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	require.NoError(t, err)
	s.config.QPS, s.config.Burst, s.config.WarningHandler = 200, 400, rest.NoWarnings{}
	s.typed, err = kubernetes.NewForConfig(s.config)
	require.NoError(t, err)
	s.dynamic, err = dynamic.NewForConfig(s.config)
	require.NoError(t, err)
	return s
}

func (s *stranger) kind() *cluster.Provider {
	if s.engine == "podman" {
		return cluster.NewProvider(cluster.ProviderWithPodman())
	}
	return cluster.NewProvider(cluster.ProviderWithDocker())
}

// remove deletes the cluster and its networks, if they are there.
func (s *stranger) remove(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, node := range s.nodes {
		// Nodes ignore SIGTERM; kind would wait for each.
		_ = exec.CommandContext(ctx, s.engine, "kill", node).Run()
	}
	if err := s.kind().Delete(strangerName, filepath.Join(s.dir, "scratch.kubeconfig")); err != nil {
		t.Logf("remove the stranger: %v", err)
	}
	for _, node := range s.nodes {
		out, _ := exec.CommandContext(ctx, s.engine, "volume", "ls", "-q", "--filter", "label="+node).Output()
		for _, v := range strings.Fields(string(out)) {
			_ = exec.CommandContext(ctx, s.engine, "volume", "rm", v).Run()
		}
	}
	for _, n := range segments {
		if exec.CommandContext(ctx, s.engine, "network", "inspect", n.network).Run() == nil {
			s.must(t, s.engine, "network", "rm", n.network)
		}
	}
}

func (s *stranger) must(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), out)
}

// labFile writes a lab file for the stranger.
func (s *stranger) labFile(t *testing.T, kubeconfig string, install bool, maxBusyPercent int) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	require.NoError(t, err)
	var b strings.Builder
	b.WriteString("apiVersion: cniperf.io/v1\nkind: Lab\nnetworks:\n")
	for _, n := range segments {
		fmt.Fprintf(&b, "  - {name: %s, subnet: %s, gateway: %s, nodes: %s}\n", n.network, n.subnet, n.gateway, n.nodes)
	}
	fmt.Fprintf(&b, "clusters:\n  - name: kube-proxy\n    provider: kubeconfig\n    cni: calico\n    install: %t\n    podSubnet: %s\n    serviceSubnet: %s\n", install, podCIDR, serviceCIDR)
	fmt.Fprintf(&b, "    kubeconfig:\n      path: %s\n      context: %s\n      nodes: [%s]\n      maxBusyPercent: %d\n      images:\n", kubeconfig, config.CurrentContext, strings.Join(s.nodes, ", "), maxBusyPercent)
	for role, ref := range s.images {
		fmt.Fprintf(&b, "        %s: %s\n", role, ref)
	}
	b.WriteString("    interfaces:\n")
	for i, n := range segments {
		fmt.Fprintf(&b, "      - {name: eth%d, network: %s, pool: %s}\n", i, n.network, n.pool)
	}
	f, err := os.CreateTemp(s.dir, "lab-*.yaml")
	require.NoError(t, err)
	_, err = f.WriteString(b.String())
	require.NoError(t, errors.Join(err, f.Close()))
	return f.Name()
}

// programs are what a user runs, built once.
type programs struct{ e2e, cniperf string }

func build(t *testing.T) programs {
	dir := t.TempDir()
	p := programs{filepath.Join(dir, "e2e.test"), filepath.Join(dir, "cniperf")}
	for _, args := range [][]string{{"test", "-c", "-tags", "perf", "-o", p.e2e, "./e2e"}, {"build", "-o", p.cniperf, "./cmd/cniperf"}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = root(t)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %s: %s", strings.Join(args, " "), out)
	}
	return p
}

// suite runs go test ./e2e -args ARGS and returns its output and exit code,
// which go test itself would hide.
func (p programs) suite(t *testing.T, args ...string) (string, int) {
	return p.run(t, p.e2e, append([]string{"-test.v", "-test.timeout=15m"}, args...)...)
}

func (p programs) run(t *testing.T, program string, args ...string) (string, int) {
	started := time.Now()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = filepath.Join(root(t), "e2e")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	code := cmd.ProcessState.ExitCode()
	t.Logf("%s %s: exit code %d after %s", filepath.Base(program), strings.Join(args, " "), code, time.Since(started).Round(time.Second))
	return string(out), code
}

func root(t *testing.T) string {
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	return dir
}

// tail is the end of an output, for a failure's message.
func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}

// has tells whether a container of that name is there.
func (s *stranger) running(t *testing.T) []string {
	out, err := exec.CommandContext(t.Context(), s.engine, "ps", "--format", "{{.Names}}").Output()
	require.NoError(t, err)
	names := strings.Fields(string(out))
	return slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(s.nodes, n) })
}
