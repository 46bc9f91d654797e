//go:build lab

package run

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	calicov3 "github.com/projectcalico/api/pkg/apis/projectcalico/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/cni"
	"github.com/cniperf/cniperf/fixtures/cni/bypass"
	"github.com/cniperf/cniperf/fixtures/cni/calico"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// These tests break a path of the embedded lab for real and look whether the
// sample over it is refused, and for the right reason.

// bench is a comparison's pods on the lab, ready for single samples.
type bench struct {
	session  *Session
	sampler  *sampler
	clusters map[string]*testbed.Cluster
	n        int
}

func newBench(t *testing.T, comparison string, arms ...string) *bench {
	t.Helper()
	o := Options{
		Profile: "quick", Seed: 1, RunDir: filepath.Join(t.TempDir(), "run"), Labels: map[string][]string{"comparison": {comparison}},
	}
	s := onTheLab(t, o, func(s *Session) { only(t, s, comparison, arms) })
	d, err := s.plan.Of(comparison, journal.PhaseFull)
	require.NoError(t, err)
	batch := prepared(t, s, d)
	b := &bench{session: s, clusters: batch.up, sampler: s.room.sampler(batch)}
	b.sampler.length = time.Second
	return b
}

// only plans the comparison anew, of these arms and with one set of pods.
func only(t *testing.T, s *Session, comparison string, arms []string) {
	t.Helper()
	catalogue, profile := *s.plan.Catalogue, s.plan.Profile
	catalogue.Comparisons = slices.Clone(catalogue.Comparisons)
	i := slices.IndexFunc(catalogue.Comparisons, func(c plan.Comparison) bool { return c.Name == comparison })
	require.GreaterOrEqual(t, i, 0)
	cmp := &catalogue.Comparisons[i]
	cmp.Arms, cmp.Control, cmp.Early = arms, arms[0], nil
	profile.Comparisons, profile.PodSets = []string{comparison}, 1
	var err error
	s.plan, err = plan.New(plan.Inputs{
		Catalogue: &catalogue, Profile: profile, Thresholds: s.plan.Thresholds, Lab: s.lab, Seed: s.plan.Seed,
	})
	require.NoError(t, err)
}

// cell is the arm's cell of the bench.
func (b *bench) cell(t *testing.T, arm string) measure.Cell {
	t.Helper()
	for c := range b.sampler.targets {
		if c.Arm == arm && !c.Control {
			return c
		}
	}
	require.Fail(t, "no such arm", arm)
	return measure.Cell{}
}

func (b *bench) sample(t *testing.T, arm string) journal.Sample {
	t.Helper()
	b.n++
	s, err := b.sampler.sample(t.Context(), journal.Sample{Comparison: t.Name()[:4], Phase: journal.PhaseFull, Round: b.n, Attempt: 1, Cell: b.cell(t, arm)})
	require.NoError(t, err)
	for _, c := range s.Checks {
		t.Logf("%s: ok %v: %s: found %s", arm, c.OK, c.Claim, c.Found)
	}
	t.Logf("%s: invalid because of %q", arm, s.Invalid)
	return s
}

func TestTheRightPathsCount(t *testing.T) {
	b := newBench(t, "pod-ip-latency", "macvlan", "calico", "cilium", "macvlan-cross-subnet", "node")
	for _, arm := range []string{"macvlan", "calico", "cilium", "macvlan-cross-subnet", "node"} {
		assert.Empty(t, b.sample(t, arm).Invalid, arm)
	}
}

func TestAClientThatDialsThePodIsCaught(t *testing.T) {
	arms := []string{"calico", "macvlan-kube-proxy", "cilium", "macvlan-ebpf"}
	b := newBench(t, "cluster-ip-latency", arms...)
	for _, arm := range arms {
		assert.Empty(t, b.sample(t, arm).Invalid, "%s by its ClusterIP", arm)
	}
	for _, arm := range arms {
		target := b.sampler.targets[b.cell(t, arm)][0]
		pair := *target.pair
		pair.ClusterIP = pair.Server.IP
		target.pair = &pair
		assert.Contains(t, b.sample(t, arm).Invalid, "the client dialled the Service's ClusterIP", arm)
	}
}

func TestAMacvlanPodThatLeavesThroughItsHostIsCaught(t *testing.T) {
	b := newBench(t, "pod-ip-latency", "macvlan")
	require.Empty(t, b.sample(t, "macvlan").Invalid)
	pair := b.sampler.targets[b.cell(t, "macvlan")][0].pair
	nodes, err := b.clusters["kube-proxy"].Target.Nodes(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(nodes, func(n cni.Node) bool { return n.Name == pair.Client.Node })
	require.GreaterOrEqual(t, i, 0)
	route := []string{pair.Server.IP + "/32", "via", nodes[i].InternalIP.String(), "dev", "veth0"}
	inClient(t, pair.Client, "", append([]string{"ip", "route", "add"}, route...)...)
	// The answers come straight, which a strict check of the way back would refuse.
	inClient(t, pair.Client, "", "sysctl", "-w", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0")
	assert.Contains(t, b.sample(t, "macvlan").Invalid, "the bytes crossed the client's eth0")
	inClient(t, pair.Client, "", append([]string{"ip", "route", "del"}, route...)...)
	assert.Empty(t, b.sample(t, "macvlan").Invalid, "mended")
}

func TestCalicoInATunnelIsCaught(t *testing.T) {
	b := newBench(t, "pod-ip-latency", "calico")
	require.Empty(t, b.sample(t, "calico").Invalid)
	ctx, target := t.Context(), b.clusters["kube-proxy"].Target
	mode := func(ctx context.Context, m calicov3.VXLANMode) {
		var pools calicov3.IPPoolList
		require.NoError(t, target.Client.List(ctx, &pools))
		require.Len(t, pools.Items, 1)
		pool := &pools.Items[0]
		before := pool.DeepCopy()
		pool.Spec.VXLANMode = m
		require.NoError(t, target.Client.Patch(ctx, pool, client.MergeFrom(before)))
	}
	t.Cleanup(func() { mode(context.WithoutCancel(ctx), calicov3.VXLANModeCrossSubnet) })
	mode(ctx, calicov3.VXLANModeAlways)
	require.Eventually(t, func() bool {
		return strings.Contains(b.sample(t, "calico").Invalid, "tunnels of the node moved")
	}, time.Minute, time.Second, "the tunnelled sample is refused")
	spec, err := b.session.lab.Cluster("kube-proxy")
	require.NoError(t, err)
	_, err = calico.Prove(ctx, target, calico.Options{PodCIDR: spec.PodSubnet.Prefix, MTU: 1500, Variant: spec.Runs})
	require.ErrorContains(t, err, "no route through a tunnel device", "the cluster's own proof refuses it as well")
	t.Log(err)
	mode(ctx, calicov3.VXLANModeCrossSubnet)
	require.Eventually(t, func() bool { return b.sample(t, "calico").Invalid == "" }, time.Minute, time.Second, "mended")
}

func TestABypassThatIsNotAttachedIsCaught(t *testing.T) {
	b := newBench(t, "same-node-latency", "bypass-on", "bypass-off")
	ctx, c := t.Context(), b.clusters["kube-proxy"]
	accelerator, err := bypass.Install(ctx, c.Target, owner(b.session.runID, b.session.started), c.ClientNode, b.sampler.benchmark.Port)
	t.Cleanup(func() { assert.NoError(t, accelerator.Remove(context.WithoutCancel(ctx))) })
	require.NoError(t, err)
	b.sampler.bypass = accelerator
	require.Empty(t, b.sample(t, "bypass-on").Invalid)
	require.Empty(t, b.sample(t, "bypass-off").Invalid)

	require.Equal(t, 1, detachSockops(t), "programs of ours that were attached")
	assert.Contains(t, b.sample(t, "bypass-on").Invalid, "tcpip-bypass moved at least")
	require.Eventually(t, func() bool {
		pods, err := c.Target.Pods(ctx, "cniperf-bypass", nil)
		require.NoError(t, err)
		require.Len(t, pods, 1)
		ready := slices.ContainsFunc(pods[0].Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
		return pods[0].Status.Phase == corev1.PodRunning && !ready
	}, 30*time.Second, 500*time.Millisecond, "the pod goes on running, but is no longer ready")
}

// detachSockops detaches every sockops program of this machine from its cgroup,
// behind the back of the process that attached it, and returns how many.
func detachSockops(t *testing.T) int {
	t.Helper()
	detached := 0
	var links link.Iterator
	defer links.Close()
	for links.Next() {
		info, err := links.Link.Info()
		require.NoError(t, err)
		cgroup := info.Cgroup()
		if cgroup == nil || ebpf.AttachType(cgroup.AttachType) != ebpf.AttachCGroupSockOps {
			continue
		}
		require.NoError(t, links.Link.Detach())
		detached++
	}
	require.NoError(t, links.Err())
	return detached
}

// The archived accelerator has no counters: the packets alone tell. Its image is
// to be on the client's node, or where that can pull it.
func TestTheArchivedBypassIsProvenByItsPackets(t *testing.T) {
	image := os.Getenv("CNIPERF_UPSTREAM_BYPASS")
	if image == "" {
		t.Skip("CNIPERF_UPSTREAM_BYPASS names no image of istio-tcpip-bypass")
	}
	ctx := t.Context()
	b := newBench(t, "same-node-latency", "bypass-on", "bypass-off")
	c := b.clusters["kube-proxy"]
	c.Target.Images = maps.Clone(c.Target.Images)
	c.Target.Images[bypass.Upstream] = image
	accelerator, err := bypass.Install(ctx, c.Target, owner(b.session.runID, b.session.started), c.ClientNode, b.sampler.benchmark.Port)
	defer func() { assert.NoError(t, accelerator.Remove(context.WithoutCancel(ctx))) }()
	require.NoError(t, err)
	b.sampler.bypass = accelerator
	for range 2 {
		for _, arm := range []string{"bypass-on", "bypass-off"} {
			s := b.sample(t, arm)
			require.Empty(t, s.Invalid)
			t.Logf("%s: %v", arm, s.Values)
		}
	}

	require.NoError(t, accelerator.Accelerate(ctx, true))
	var running appsv1.DaemonSet
	require.NoError(t, c.Target.Client.Get(ctx, client.ObjectKey{Namespace: "cniperf-bypass", Name: "tcpip-bypass"}, &running))
	require.NoError(t, c.Target.Client.Delete(ctx, &running))
	require.NoError(t, c.Target.Until(ctx, nil, "the accelerator is gone", func(ctx context.Context) (string, error) {
		pods, err := c.Target.Pods(ctx, "cniperf-bypass", nil)
		if err != nil || len(pods) == 0 {
			return "", err
		}
		return "it runs", nil
	}))
	assert.Contains(t, b.sample(t, "bypass-on").Invalid, "less than a tenth of the messages")

	// And one that runs while others are measured, unknown to the run.
	require.NoError(t, accelerator.Accelerate(ctx, false))
	unknowing := *accelerator
	require.NoError(t, accelerator.Accelerate(ctx, true))
	b.sampler.bypass = &unknowing
	assert.Contains(t, b.sample(t, "bypass-off").Invalid, "every message crossed the client's eth0 as packets")
}
