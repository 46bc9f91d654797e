//go:build faults

package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/workload"
)

// cluster is the one the faults are put into, and the suite that runs on it.
type cluster struct {
	suite          string // the compiled tests
	engine         string
	client         kubernetes.Interface
	server, worker string // node containers
}

// open finds the lab's cluster kube-proxy, which must stand.
func open(t *testing.T) *cluster {
	ctx := t.Context()
	l := &cluster{suite: filepath.Join(t.TempDir(), "e2e.test")}
	var err error
	l.engine, err = machine.Engine(ctx)
	require.NoError(t, err)
	l.find(t, "kube-proxy")
	if *suite != "" {
		l.suite, err = filepath.Abs(*suite)
		require.NoError(t, err)
		return l
	}
	command(ctx, t, "go", "test", "-c", "-tags", "perf", "-o", l.suite, "..")
	return l
}

// stand finds another cluster of the lab, which must stand, too.
func stand(t *testing.T, name string, l *cluster) *cluster {
	other := &cluster{suite: l.suite, engine: l.engine}
	other.find(t, name)
	return other
}

// find connects to a cluster of the lab and learns its nodes.
func (l *cluster) find(t *testing.T, name string) {
	t.Helper()
	cache, err := machine.DefaultCacheDir()
	require.NoError(t, err)
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(cache, "lab", name+".kubeconfig"))
	require.NoError(t, err, "the lab must stand: make smoke brings it up")
	config.QPS, config.Burst = 50, 100
	l.client, err = kubernetes.NewForConfig(config)
	require.NoError(t, err)
	nodes, err := l.client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err, "the lab must stand: make smoke brings it up")
	for _, n := range nodes.Items {
		if _, ok := n.Labels["node-role.kubernetes.io/control-plane"]; ok {
			l.server = n.Name
		} else {
			l.worker = n.Name
		}
	}
	require.NotEmpty(t, l.worker)
}

var namespaces = []string{workload.Namespace, workload.HostNamespace}

// left names every object of ours in the cluster.
func (l *cluster) left(ctx context.Context, t *testing.T) []string {
	t.Helper()
	var names []string
	ours := metav1.ListOptions{LabelSelector: workload.RunLabel}
	for _, ns := range namespaces {
		pods, err := l.client.CoreV1().Pods(ns).List(ctx, ours)
		require.NoError(t, err)
		for _, p := range pods.Items {
			names = append(names, "pod "+ns+"/"+p.Name)
		}
		services, err := l.client.CoreV1().Services(ns).List(ctx, ours)
		require.NoError(t, err)
		for _, s := range services.Items {
			names = append(names, "service "+ns+"/"+s.Name)
		}
	}
	spaces, err := l.client.CoreV1().Namespaces().List(ctx, ours)
	require.NoError(t, err)
	for _, ns := range spaces.Items {
		names = append(names, "namespace "+ns.Name)
	}
	_, err = l.client.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, "cniperf", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		require.NoError(t, err)
		names = append(names, "lease kube-system/cniperf")
	}
	return names
}

// nothingLeft waits for the namespaces, which the cluster takes some seconds to
// empty after a run has deleted them.
func (l *cluster) nothingLeft(t *testing.T) {
	t.Helper()
	var left []string
	for range 120 {
		if left = l.left(t.Context(), t); len(left) == 0 {
			return
		}
		<-time.After(250 * time.Millisecond)
	}
	require.Empty(t, left, "left behind")
}

// kill deletes a pod without any grace.
func (l *cluster) kill(t *testing.T, name string) {
	t.Helper()
	now := int64(0)
	require.NoError(t, l.client.CoreV1().Pods(workload.Namespace).Delete(t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &now}))
}

// processes are those of a name in a pod. The nodes are containers of this
// machine, so that it sees what runs in their pods.
func (l *cluster) processes(t *testing.T, pod, name string) []int {
	t.Helper()
	p, err := l.client.CoreV1().Pods(workload.Namespace).Get(t.Context(), pod, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	uid := string(p.UID)
	dirs, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	var pids []int
	for _, dir := range dirs {
		comm, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil || strings.TrimSpace(string(comm)) != name {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if !ofPod(filepath.Base(dir), uid) {
			continue
		}
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	return pids
}

// ofPod tells whether a process belongs to a pod, by the pod's UID.
func ofPod(pid, uid string) bool {
	groups, err := os.ReadFile(filepath.Join("/proc", pid, "cgroup"))
	return err == nil && strings.Contains(strings.ReplaceAll(string(groups), "_", "-"), uid)
}

// inNode runs a command in a node.
func (l *cluster) inNode(ctx context.Context, t *testing.T, node string, argv ...string) string {
	t.Helper()
	return command(ctx, t, append([]string{l.engine, "exec", node}, argv...)...)
}

// ready waits until the API server answers, both nodes are ready and so is every
// pod of the system.
func (l *cluster) ready(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		why := l.unready(ctx)
		if why == "" {
			return
		}
		select {
		case <-ctx.Done():
			require.Fail(t, "the cluster does not recover", why)
		case <-tick.C:
		}
	}
}

func (l *cluster) unready(ctx context.Context) string {
	nodes, err := l.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, n := range nodes.Items {
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
				return fmt.Sprintf("node %s: %s", n.Name, c.Message)
			}
		}
	}
	pods, err := l.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, p := range pods.Items {
		if p.Status.Phase == corev1.PodSucceeded || p.Labels[workload.RunLabel] != "" {
			continue
		}
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status != corev1.ConditionTrue {
				return fmt.Sprintf("pod %s/%s: %s", p.Namespace, p.Name, c.Message)
			}
		}
	}
	return ""
}
