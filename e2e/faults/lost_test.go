//go:build faults

package faults

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/record"
)

// bothGates has a gate within the cluster kube-proxy and one that needs the cluster
// ebpf, too.
const bothGates = "testdata/both.yaml"

// clusterLost pauses the control plane of the cluster ebpf for good, in the second
// round of the first of two comparisons.
func clusterLost(t *testing.T, l *cluster) seen {
	other := stand(t, "ebpf", l)
	c := l.both(t)
	c.inRound(2)
	at := time.Now()
	command(t.Context(), t, l.engine, "pause", other.server)
	paused := true
	wake := func() {
		if paused {
			paused = false
			command(context.WithoutCancel(t.Context()), t, l.engine, "unpause", other.server)
			other.ready(t)
		}
	}
	defer wake()
	c.await("the cluster's cells are left out", 2*time.Minute, func(run *journal.Run) bool {
		return slices.ContainsFunc(lost(run), func(s journal.Skip) bool { return s.Why.Code == record.ClusterLost && s.Why.Cluster == "ebpf" })
	})
	took := time.Since(at)
	l.infrastructure(c, longRun, "tcp-rr-macvlan-over-cilium", "ebpf")
	run := nothingLost(t, c.dir, nil)
	l.nothingLeft(t)
	assertOtherJudged(t, run)
	kept, err := filepath.Glob(filepath.Join(c.dir, "diagnostics", "*"))
	require.NoError(t, err)
	assert.NotEmpty(t, kept, "diagnostics are kept")
	wake()
	other.sweptByTheNext(t, l)
	return seen{"exit 3, names the gate and the cluster; the other's gate judged, its next comparison measured, diagnostics kept", took}
}

// assertOtherJudged asserts that what the lost cluster has no part in was measured
// and judged to its end.
func assertOtherJudged(t *testing.T, run *journal.Run) {
	t.Helper()
	i := slices.IndexFunc(run.Verdicts, func(v journal.Verdict) bool { return v.Assertion == assertion })
	require.GreaterOrEqual(t, i, 0, "the other cluster's gate is judged")
	assert.NotEmpty(t, run.Verdicts[i].Outcome)
	assert.NotEmpty(t, run.ValidRounds("cluster-ip-tcp-rr"), "the next comparison is measured")
	for _, s := range run.Samples {
		if s.Comparison == "cluster-ip-tcp-rr" {
			assert.NotContains(t, []string{"cilium", "macvlan-ebpf"}, s.Cell.Arm, "an arm of the lost cluster")
		}
	}
}

// both starts a run of two comparisons over both clusters.
func (l *cluster) both(t *testing.T) *child {
	thresholds, err := filepath.Abs(bothGates)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "run")
	return l.launch(t, dir, "-run-dir", dir, "-profile", "quick", "-feature", "^(pod-ip-tcp-rr|cluster-ip-tcp-rr)$", "-thresholds", thresholds)
}

// sweptByTheNext asserts that the next run removes what the lost one had to leave in
// a cluster that did not answer.
func (l *cluster) sweptByTheNext(t *testing.T, start *cluster) {
	t.Helper()
	require.NotEmpty(t, l.left(t.Context(), t), "a cluster that does not answer keeps what was made in it")
	c := start.both(t)
	c.until("what was left is removed", longRun, func() bool {
		return strings.Contains(c.said(), "cluster ebpf: removed what an earlier run had left")
	})
	c.signal(syscall.SIGINT)
	c.exit(130, 2*cleanUpWithin)
	l.nothingLeft(t)
	start.nothingLeft(t)
}

// killedWhileReserved kills a run while everything but the tools is kept off the
// measuring CPU.
func killedWhileReserved(t *testing.T, l *cluster) seen {
	nodes := []string{l.server, l.worker}
	before := l.kubelets(t, nodes)
	require.Len(t, before, 1, "all CPUs before the run: %v", before)
	c := l.start(t)
	c.inRound(2)
	c.until("the measuring CPU is taken", time.Minute, func() bool { return !maps.Equal(before, l.kubelets(t, nodes)) })
	c.signal(syscall.SIGKILL)
	c.exit(-1, 5*time.Second)
	assert.NotEqual(t, before, l.kubelets(t, nodes), "a killed run leaves it taken")
	journalled := c.run()
	at := time.Now()
	again := l.resume(t, c.dir)
	again.until("all CPUs are given back", longRun, func() bool { return maps.Equal(before, l.kubelets(t, nodes)) })
	took := time.Since(at)
	said := again.said()
	assert.NotContains(t, said, "round ", "before anything is measured")
	l.finished(again, journalled)
	assert.Equal(t, before, l.kubelets(t, nodes), "after the end of a run")
	for _, node := range nodes {
		lists := l.inNode(t.Context(), t, node, "sh", "-c", "cat /proc/[0-9]*/task/*/status 2>/dev/null | grep Cpus_allowed_list | sort -u")
		assert.Len(t, strings.Split(lists, "\n"), 1, "every thread of %s has all CPUs: %s", node, lists)
	}
	return seen{fmt.Sprintf("the next start gave all CPUs back; verdict, exit %d", again.code), took}
}

// kubelets counts the CPUs that the nodes' kubelets may run on, by list.
func (l *cluster) kubelets(t *testing.T, nodes []string) map[string]int {
	lists := map[string]int{}
	for _, node := range nodes {
		lists[l.inNode(t.Context(), t, node, "sh", "-c", "grep Cpus_allowed_list /proc/$(pidof kubelet)/status | cut -f2")]++
	}
	return lists
}
