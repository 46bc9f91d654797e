//go:build faults

package faults

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
)

var (
	count   = flag.Int("faults.count", 1, "repetitions of every row")
	cheap   = flag.Bool("faults.cheap", false, "only the rows that take seconds")
	suite   = flag.String("faults.suite", "", "the suite as a compiled test; without it, it is compiled")
	labFile = flag.String("faults.lab", "", "the suite's lab file; the lab folder is $CNIPERF_CACHE's")
	results = flag.String("faults.results", "", "file that the results are added to, and that the table is made from")
)

// row is one fault of METHOD's table.
type row struct {
	name  string
	fault string
	must  string
	cheap bool
	run   func(t *testing.T, l *cluster) seen
}

// seen is what became of a fault, and how long that took.
type seen struct {
	what string
	took time.Duration
}

var rows = []row{
	{"client-killed", "client pod killed mid-sample", "round invalid, repeated on fresh pods, run completes", false, podKilled("client")},
	{"server-killed", "server pod killed mid-sample", "round invalid, repeated on fresh pods, run completes", false, podKilled("server")},
	{"server-hangs", "server stopped (SIGSTOP) mid-sample", "seen within the sample's length + 15 s, repeated, run completes", false, serverHangs},
	{"kubelet", "kubelet of the client's node restarted mid-sample", "output recovered or round invalid, run completes", false, restarted("kubelet")},
	{"containerd", "containerd of the client's node restarted mid-sample", "output recovered or round invalid, run completes", false, restarted("containerd")},
	{"api-server", "API server killed mid-sample", "waits with backoff, run completes", false, apiServer},
	{"node-lost", "client's node paused mid-sample", "seen in 60 s, exit 3 with the node's name; resumable", false, nodeLost},
	{"sigint", "SIGINT", "journal, clean up within 60 s, exit 130; resumable", true, interrupted(syscall.SIGINT)},
	{"sigterm", "SIGTERM", "journal, clean up within 60 s, exit 130; resumable", false, interrupted(syscall.SIGTERM)},
	{"sighup", "SIGHUP (the SSH session ended)", "journal, clean up within 60 s, exit 130; resumable", false, interrupted(syscall.SIGHUP)},
	{"second-sigint", "second SIGINT", "exit 130 at once; resumable", false, secondSignal},
	{"sigkill", "SIGKILL, and a torn last line", "next run sweeps what was left; torn line skipped and said; resumable", true, killed},
	{"deadline", "go test -timeout comes near", "ends before it: clean up, exit 3; resumable", false, deadline},
	{"timeout", "go test -timeout panics (the process slept)", "next run sweeps what was left; resumable", false, timedOut},
	{"read-only", "run folder on a read-only disk", "refused before start, exit 3", true, readOnly},
	{"disk-full", "run folder on a full disk", "refused before start, exit 3", true, fullBefore},
	{"disk-fills", "disk fills up while measuring", "exit 3, earlier rounds intact; resumable", false, fullWhile},
	{"output-nan", "tool prints NaN", "refused with its reason, repeated, run completes", false, malformed(2, `echo '{"RT_LATENCY": NaN, "MEAN_LATENCY": NaN}'`)},
	{"output-cut", "tool prints half of its output", "refused with its reason, repeated, run completes", false, malformed(2, `printf '{"RT_LATENCY": 12.'`)},
	{"output-flood", "tool prints 100 MB", "refused with its reason, repeated, run completes", false, malformed(1, `head -c 100000000 /dev/zero`)},
	{"image", "benchmark image missing on the nodes", "exit 3 naming pod and message", false, imageMissing},
	{"api-stopped", "API server stopped (SIGSTOP) for 60 s while pods start", "waited out: verdict, nothing left out", false, frozenWhileStarting("kube-apiserver", serverNode, 60*time.Second)},
	{"api-stopped-early", "API server stopped (SIGSTOP) for 60 s as the run begins", "waited out: verdict, nothing left out", false, frozenAtBringUp("kube-apiserver", serverNode, 60*time.Second)},
	{"kubelet-frozen", "kubelet stopped (SIGSTOP) for 45 s while pods start", "waited out: verdict, nothing left out", false, frozenWhileStarting("kubelet", workerNode, 45*time.Second)},
	{"kubelet-frozen-early", "kubelet stopped (SIGSTOP) for 45 s as the run begins", "waited out: verdict, nothing left out", false, frozenAtBringUp("kubelet", workerNode, 45*time.Second)},
	{"sandbox-refused", "a sandbox is refused: the CNI plugin is missing for a while", "made again: verdict, nothing left out", false, sandboxRefused},
	{"webhook-down", "a webhook before the run's pods is down for 20 s", "waited out: verdict, nothing left out", false, webhookDown},
	{"spiderpool-webhook", "Spiderpool's webhook does not answer for 30 s as the run begins", "waited out: verdict, nothing left out", false, spiderpoolWebhookDown},
	{"pair-refused", "one pair's pods are refused for good", "its arm left out with its reason; verdict of the others", false, pairRefused},
	{"gate-pair-refused", "the same for an arm that the gate is about", "exit 3 naming gate, arm and message; the others measured", false, gatesPairRefused},
	{"server-never-ready", "a server pod's supervisor stopped (SIGSTOP) as it starts", "pair made anew: verdict, nothing left out", false, serverNeverReady},
	{"pod-deleted", "a pod deleted as it starts", "pair made anew: verdict, nothing left out", false, deletedWhileStarting},
	{"cluster-lost", "a cluster's control plane paused for good while measuring", "the other's comparisons measured and judged, exit 3 with the reason, diagnostics kept", false, clusterLost},
	{"sigkill-reserved", "SIGKILL while the measuring CPU is reserved", "the next start gives all CPUs back", false, killedWhileReserved},
	{"quota", "quota refuses the pods", "exit 3 naming pod and message; resumable", false, quota},
	{"admission", "admission policy refuses the pods", "exit 3 naming pod and message", false, admission},
	{"two-runs", "a second run on the lab, and a second process on the journal", "both refused, exit 3; the first is undisturbed", true, twoRuns},
}

func TestFaults(t *testing.T) {
	l := open(t)
	table := readTable(t, *results)
	for _, r := range rows {
		if *cheap && !r.cheap {
			continue
		}
		for n := range *count {
			t.Run(r.name+"/"+strconv.Itoa(n+1), func(t *testing.T) {
				l.ready(t)
				if left := l.left(t.Context(), t); len(left) > 0 {
					t.Logf("left before the fault, by a test that was killed: %v", left)
				}
				ok := false
				var s seen
				// Deferred, so that a repetition that failed counts as one.
				from := time.Now()
				defer func() {
					table.add(t, result{Row: r.name, OK: ok && !t.Failed(), What: s.what, Took: s.took, Whole: time.Since(from), Load: load(t)})
				}()
				s = r.run(t, l)
				ok = true
				t.Logf("%s: %s (%s, load average %s)", r.fault, s.what, s.took.Round(100*time.Millisecond), load(t))
			})
		}
	}
	fmt.Print(table.markdown())
}

// since tells when the first invalid sample was on disk, after a fault.
func (c *child) invalidWithin(fault time.Time, within time.Duration) time.Duration {
	c.t.Helper()
	c.await("an invalid sample", within, func(run *journal.Run) bool { return len(invalid(run)) > 0 })
	return time.Since(fault)
}

func podKilled(role string) func(*testing.T, *cluster) seen {
	return func(t *testing.T, l *cluster) seen {
		c := l.start(t)
		c.measuring(l, "calico", 1)
		before, at := c.run(), time.Now()
		l.kill(t, "calico-"+role)
		took := c.invalidWithin(at, sampleLength+25*time.Second)
		bad := dropped(t, l.finished(c, before), "calico", 1)
		return seen{fmt.Sprintf("round %d invalid (%s) and repeated; verdict, exit %d", bad.Round, short(bad.Invalid), c.code), took}
	}
}

func serverHangs(t *testing.T, l *cluster) seen {
	c := l.start(t)
	c.measuring(l, "calico", 1)
	before, at := c.run(), time.Now()
	servers := l.processes(t, "calico-server", "netserver")
	require.NotEmpty(t, servers)
	for _, pid := range servers {
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	}
	took := c.invalidWithin(at, sampleLength+15*time.Second)
	bad := dropped(t, l.finished(c, before), "calico", 1)
	return seen{fmt.Sprintf("round %d invalid (%s) and repeated; verdict, exit %d", bad.Round, short(bad.Invalid), c.code), took}
}

func restarted(unit string) func(*testing.T, *cluster) seen {
	return func(t *testing.T, l *cluster) seen {
		c := l.start(t)
		c.measuring(l, "calico", 1)
		before, at := c.run(), time.Now()
		l.inNode(t.Context(), t, l.worker, "systemctl", "restart", unit)
		return l.recovered(c, before, at)
	}
}

func apiServer(t *testing.T, l *cluster) seen {
	c := l.start(t)
	c.measuring(l, "calico", 1)
	before, at := c.run(), time.Now()
	// The kubelet starts a container that dies often after ever longer pauses, which
	// it forgets when it is restarted itself: each repetition is to be like the first.
	defer l.inNode(context.WithoutCancel(t.Context()), t, l.server, "systemctl", "restart", "kubelet")
	l.inNode(t.Context(), t, l.server, "sh", "-c", "kill -9 $(pidof kube-apiserver)")
	return l.recovered(c, before, at)
}

// recovered asserts that a run came through a restart: the sample in flight was
// saved or is invalid, and the next one was measured.
func (l *cluster) recovered(c *child, before *journal.Run, at time.Time) seen {
	c.await("a sample after the restart", longRun, func(run *journal.Run) bool { return len(run.Samples) > len(before.Samples)+1 })
	took := time.Since(at)
	run := l.finished(c, before)
	bad := invalid(run)
	if len(bad) == 0 {
		return seen{fmt.Sprintf("output recovered, no round lost; verdict, exit %d", c.code), took}
	}
	return seen{fmt.Sprintf("round %d invalid (%s) and repeated; verdict, exit %d", bad[0].Round, short(bad[0].Invalid), c.code), took}
}

func nodeLost(t *testing.T, l *cluster) seen {
	c := l.start(t)
	c.measuring(l, "calico", 1)
	at := time.Now()
	command(t.Context(), t, l.engine, "pause", l.worker)
	paused := true
	wake := func() {
		if paused {
			paused = false
			command(t.Context(), t, l.engine, "unpause", l.worker)
		}
	}
	defer wake()
	c.await("the stage that was ended", 60*time.Second, func(run *journal.Run) bool {
		for _, s := range run.Stages {
			if strings.HasPrefix(s.Name, "measure ") {
				return true
			}
		}
		return false
	})
	took := time.Since(at)
	l.infrastructure(c, 2*cleanUpWithin, l.worker, "lost")
	before := nothingLost(t, c.dir, nil)
	wake()
	l.ready(t)
	again := l.resume(t, c.dir)
	l.finished(again, before)
	return seen{fmt.Sprintf("exit 3, names node %s; after resume verdict, exit %d", l.worker, again.code), took}
}

func interrupted(s os.Signal) func(*testing.T, *cluster) seen {
	return func(t *testing.T, l *cluster) seen {
		c := l.start(t)
		c.inRound(2)
		c.signal(s)
		took := c.exit(130, cleanUpWithin)
		before := nothingLost(t, c.dir, nil)
		l.nothingLeft(t)
		require.NotNil(t, before.End)
		assert.Equal(t, 130, before.End.ExitCode)
		assert.True(t, before.Rounds[len(before.Rounds)-1].Interrupted)
		again := l.resume(t, c.dir)
		run := l.finished(again, before)
		assert.Len(t, run.Resumes, 1)
		return seen{fmt.Sprintf("exit 130, nothing left; after resume verdict, exit %d", again.code), took}
	}
}

func secondSignal(t *testing.T, l *cluster) seen {
	c := l.start(t)
	before := c.inRound(2)
	c.signal(syscall.SIGINT)
	c.until("the first signal is heard", 5*time.Second, func() bool { return strings.Contains(c.said(), "cleaning up") })
	c.signal(syscall.SIGINT)
	took := c.exit(130, 2*time.Second)
	again := l.resume(t, c.dir)
	l.finished(again, before)
	return seen{fmt.Sprintf("exit 130 at once; after resume verdict, exit %d", again.code), took}
}

func killed(t *testing.T, l *cluster) seen {
	c := l.start(t)
	c.inRound(2)
	c.signal(syscall.SIGKILL)
	c.exit(-1, 5*time.Second)
	left := l.left(t.Context(), t)
	require.NotEmpty(t, left, "a killed run leaves its pods")
	before := c.run()
	require.NotNil(t, before)
	tear(t, c.dir)
	// What others have in our namespace stays.
	services := l.client.CoreV1().Services(workload.Namespace)
	others, err := services.Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "bystander", Labels: map[string]string{"app.kubernetes.io/name": "cniperf"}},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	defer func() { require.NoError(t, services.Delete(t.Context(), "bystander", metav1.DeleteOptions{})) }()
	again := l.resume(t, c.dir)
	took := again.sweeps()
	run := l.finished(again, before)
	still, err := services.Get(t.Context(), "bystander", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, others.UID, still.UID)
	require.Len(t, run.Warnings, 1)
	assert.Contains(t, run.Warnings[0], "torn")
	inFlight := slices.ContainsFunc(invalid(run), func(s journal.Sample) bool { return s.Interrupted })
	assert.True(t, inFlight, "the sample in flight is recorded with its cause")
	return seen{fmt.Sprintf("%d objects left and swept by the next run; torn line said; verdict, exit %d", len(left), again.code), took}
}

// sweeps waits until a run says what it removed.
func (c *child) sweeps() time.Duration {
	from := time.Now()
	c.until("what was left is removed", cleanUpWithin, func() bool { return strings.Contains(c.said(), "removed what an earlier run had left") })
	return time.Since(from)
}

// tear adds half a record to a journal, as a machine that loses its power does.
func tear(t *testing.T, dir string) {
	f, err := os.OpenFile(filepath.Join(dir, journal.FileName), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"v":1,"type":"sample","time":"2026-01-01T00:0`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// The shortest -timeout that the faults' profile is allowed to start with: a
// minute of measuring and the 3 minutes that are kept free for cleaning up.
const (
	goTestTimeout = 245 * time.Second
	ourDeadline   = goTestTimeout - 3*time.Minute
)

// asleep stops a run in its second round and wakes it so long after its start.
func (l *cluster) asleep(t *testing.T, until time.Duration) *child {
	from := time.Now()
	c := l.start(t, "-test.timeout", goTestTimeout.String())
	c.inRound(2)
	c.signal(syscall.SIGSTOP)
	<-time.After(time.Until(from.Add(until)))
	c.signal(syscall.SIGCONT)
	return c
}

func deadline(t *testing.T, l *cluster) seen {
	c := l.asleep(t, ourDeadline+5*time.Second)
	took := l.infrastructure(c, cleanUpWithin, "-timeout")
	before := nothingLost(t, c.dir, nil)
	l.nothingLeft(t)
	again := l.resume(t, c.dir)
	l.finished(again, before)
	return seen{fmt.Sprintf("exit 3 before go test's panic, nothing left; after resume verdict, exit %d", again.code), took}
}

func timedOut(t *testing.T, l *cluster) seen {
	c := l.asleep(t, goTestTimeout+5*time.Second)
	c.exit(2, 10*time.Second) // Go's own
	require.Contains(t, c.said(), "panic: test timed out")
	left := l.left(t.Context(), t)
	before := c.run()
	again := l.resume(t, c.dir)
	took := again.sweeps()
	l.finished(again, before)
	return seen{fmt.Sprintf("%d objects left and swept by the next run; verdict, exit %d", len(left), again.code), took}
}

// disk mounts an empty file system of its own for a run folder.
func disk(t *testing.T, options string) string {
	dir := t.TempDir()
	command(t.Context(), t, "mount", "-t", "tmpfs", "-o", options, "tmpfs", dir)
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

func readOnly(t *testing.T, l *cluster) seen {
	c := l.startIn(t, filepath.Join(disk(t, "ro"), "run"))
	took := l.infrastructure(c, time.Minute, c.dir, "read-only file system")
	l.nothingLeft(t)
	return seen{"exit 3, names the folder", took}
}

func fullBefore(t *testing.T, l *cluster) seen {
	c := l.startIn(t, filepath.Join(disk(t, "size=32m"), "run"))
	took := l.infrastructure(c, time.Minute, c.dir, "MiB free")
	l.nothingLeft(t)
	return seen{"exit 3, names the folder and what is free", took}
}

func fullWhile(t *testing.T, l *cluster) seen {
	dir := disk(t, "size=96m")
	c := l.startIn(t, filepath.Join(dir, "run"))
	before := c.inRound(2)
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	require.NoError(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 1<<16))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
	took := l.infrastructure(c, cleanUpWithin, "no space left")
	l.nothingLeft(t)
	full, err := journal.Read(c.dir)
	require.NoError(t, err)
	for i, s := range before.Samples {
		assert.Equal(t, s, full.Samples[i])
	}
	refused := l.resume(t, c.dir)
	l.infrastructure(refused, time.Minute, "MiB free")
	require.NoError(t, os.Remove(filler))
	again := l.resume(t, c.dir)
	l.finished(again, full)
	return seen{fmt.Sprintf("exit 3, earlier rounds intact; resume refused while full, then verdict, exit %d", again.code), took}
}

// malformed puts a script in the place of netperf in one client, whose pod is made
// anew after so many tries: a tool that ends by itself is asked twice.
func malformed(tries int, script string) func(*testing.T, *cluster) seen {
	return func(t *testing.T, l *cluster) seen {
		c := l.start(t)
		c.until("the client runs", 5*time.Minute, func() bool { return len(l.processes(t, "calico-client", "sleep")) > 0 })
		pid := l.processes(t, "calico-client", "sleep")[0]
		inPod := "/run/podrun/.fault"
		file := filepath.Join("/proc", strconv.Itoa(pid), "root", inPod)
		require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
		command(t.Context(), t, "nsenter", "-t", strconv.Itoa(pid), "-m", "mount", "--bind", inPod, "/usr/bin/netperf")
		at := time.Now()
		took := c.invalidWithin(at, time.Minute)
		bad := dropped(t, l.finished(c, nil), "calico", tries)
		return seen{fmt.Sprintf("round %d invalid %d× (%s) and repeated on fresh pods; verdict, exit %d", bad.Round, tries, short(bad.Invalid), c.code), took}
	}
}

func imageMissing(t *testing.T, l *cluster) seen {
	ctx := t.Context()
	ctr := func(node string, args ...string) string {
		return l.inNode(ctx, t, node, append([]string{"ctr", "-n", "k8s.io", "images"}, args...)...)
	}
	var image string
	for name := range strings.FieldsSeq(ctr(l.worker, "ls", "-q")) {
		if strings.Contains(name, "bench") && !strings.Contains(name, "@") {
			image = name
		}
	}
	require.NotEmpty(t, image, "no benchmark image on node %s", l.worker)
	for _, node := range []string{l.worker, l.server} {
		ctr(node, "tag", "--force", image, "faults.local/hidden:1")
		ctr(node, "rm", "--sync", image)
	}
	back := func() {
		for _, node := range []string{l.worker, l.server} {
			ctr(node, "tag", "--force", "faults.local/hidden:1", image)
			ctr(node, "rm", "faults.local/hidden:1")
		}
	}
	restored := false
	defer func() {
		if !restored {
			back()
		}
	}()
	c := l.start(t)
	took := l.infrastructure(c, longRun, "pod cniperf", image, "ImagePull")
	nothingLost(t, c.dir, nil)
	l.nothingLeft(t)
	restored = true
	back()
	again := l.resume(t, c.dir)
	l.finished(again, nil)
	return seen{fmt.Sprintf("exit 3, names pod and image; after resume verdict, exit %d", again.code), took}
}

func quota(t *testing.T, l *cluster) seen {
	quotas := l.client.CoreV1().ResourceQuotas(workload.Namespace)
	_, err := quotas.Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "faults"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("1")}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	gone := false
	remove := func() {
		if !gone {
			gone = true
			require.NoError(t, quotas.Delete(t.Context(), "faults", metav1.DeleteOptions{}))
		}
	}
	defer remove()
	c := l.start(t)
	took := l.infrastructure(c, longRun, "create cniperf/", "exceeded quota: faults")
	before := nothingLost(t, c.dir, nil)
	l.nothingLeft(t)
	remove()
	again := l.resume(t, c.dir)
	l.finished(again, before)
	return seen{fmt.Sprintf("exit 3, names pod and quota; after resume verdict, exit %d", again.code), took}
}

// fridays is what the policy of refuse says.
const fridays = "no benchmark on Fridays"

// refuse makes a policy that refuses the workload's pods which an expression in CEL
// matches, and returns what removes it.
func (l *cluster) refuse(t *testing.T, matches string) (remove func()) {
	ctx, api := t.Context(), l.client.AdmissionregistrationV1()
	const name = "faults.cniperf.io"
	remove = func() {
		ctx := context.WithoutCancel(ctx)
		assert.NoError(t, api.ValidatingAdmissionPolicyBindings().Delete(ctx, name, metav1.DeleteOptions{}))
		assert.NoError(t, api.ValidatingAdmissionPolicies().Delete(ctx, name, metav1.DeleteOptions{}))
	}
	_, err := api.ValidatingAdmissionPolicies().Create(ctx, &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
				},
			}}},
			Validations: []admissionv1.Validation{{
				Expression: "!(object.metadata.?generateName.orValue('') == 'probe-' || (" + matches + "))", Message: fridays,
			}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = api.ValidatingAdmissionPolicyBindings().Create(ctx, &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
			MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{
				MatchLabels: map[string]string{corev1.LabelMetadataName: workload.Namespace},
			}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	// A policy counts some moments after it was made.
	probe := restricted("probe-")
	require.Eventually(t, func() bool {
		_, err := l.client.CoreV1().Pods(workload.Namespace).Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil && strings.Contains(err.Error(), fridays)
	}, 30*time.Second, 100*time.Millisecond)
	return remove
}

func admission(t *testing.T, l *cluster) seen {
	defer l.refuse(t, "true")()
	c := l.start(t)
	took := l.infrastructure(c, longRun, "create cniperf/", fridays)
	nothingLost(t, c.dir, nil)
	l.nothingLeft(t)
	return seen{"exit 3, names pod and message", took}
}

// restricted is a pod that Pod Security has nothing against.
func restricted(name string) *corev1.Pod {
	yes, no := true, false
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: name}, Spec: corev1.PodSpec{
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{Name: "c", Image: "none", SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		}}},
	}}
}

func twoRuns(t *testing.T, l *cluster) seen {
	c := l.start(t)
	c.inRound(1)
	second := l.start(t)
	took := l.infrastructure(second, time.Minute, "is using this lab")
	same := l.resume(t, c.dir)
	l.infrastructure(same, time.Minute, "another process is writing this journal")
	run := l.finished(c, nil)
	for _, s := range invalid(run) {
		assert.NotContains(t, s.Invalid, "pod ", "the first run was disturbed")
	}
	return seen{fmt.Sprintf("both refused, exit 3, naming the run; the first one's verdict, exit %d", c.code), took}
}

// short is the beginning of a reason.
func short(reason string) string {
	reason, _, _ = strings.Cut(reason, "\n")
	if len(reason) > 90 {
		reason = reason[:90] + "…"
	}
	return reason
}
