//go:build faults

package faults

import (
	"context"
	"errors"
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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/record"
)

// The faults of this file are there while pods start, and most of them pass: the
// run must end as if they had not been.

// podsStart waits until a run has made its first pod beside the observer.
func (c *child) podsStart(l *cluster) {
	c.t.Helper()
	c.until("the first pod of a pair", 5*time.Minute, func() bool { return len(l.pods(c.t)) > 0 })
}

// pods are the pairs' that exist. While the API server does not answer there are none.
func (l *cluster) pods(t *testing.T) []corev1.Pod {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	list, err := l.client.CoreV1().Pods(workload.Namespace).List(ctx, metav1.ListOptions{LabelSelector: workload.RunLabel})
	if err != nil {
		return nil
	}
	return list.Items
}

// freeze stops a program in a node; wake lets it go on, and may be called twice.
func (l *cluster) freeze(t *testing.T, node, program string) (wake func()) {
	t.Helper()
	send := func(signal string) {
		l.inNode(context.WithoutCancel(t.Context()), t, node, "sh", "-c", "kill -"+signal+" $(pidof "+program+")")
	}
	send("STOP")
	stopped := true
	return func() {
		if stopped {
			stopped = false
			send("CONT")
		}
	}
}

// overcame asserts that a run ended with a verdict, with every arm it had planned,
// and took nothing of its own for another's.
func (l *cluster) overcame(c *child, since time.Time) time.Duration {
	c.t.Helper()
	run := l.finished(c, nil)
	assert.Empty(c.t, lost(run), "left out because of a fault that has passed")
	assert.NotContains(c.t, c.said(), "already exists")
	return c.at.Sub(since)
}

// lost are the cells that infrastructure kept from being measured.
func lost(run *journal.Run) []journal.Skip {
	return slices.DeleteFunc(slices.Clone(run.Skips), func(s journal.Skip) bool { return s.Why == nil || !s.Why.Infrastructure() })
}

// frozenWhileStarting stops a program of a node for some time, from the first pod on.
func frozenWhileStarting(program string, node func(*cluster) string, lasts time.Duration) func(*testing.T, *cluster) seen {
	return func(t *testing.T, l *cluster) seen {
		c := l.start(t)
		c.podsStart(l)
		at := time.Now()
		wake := l.freeze(t, node(l), program)
		defer wake()
		// The length of the fault, not a wait for anything.
		<-time.After(lasts)
		wake()
		took := l.overcame(c, at)
		return seen{fmt.Sprintf("%s frozen for %s, nothing left out; verdict, exit %d", program, lasts, c.code), took}
	}
}

func serverNode(l *cluster) string { return l.server }
func workerNode(l *cluster) string { return l.worker }

// frozenAtBringUp stops a program before the run begins, which then looks at the
// standing cluster, installs what differs and proves it.
func frozenAtBringUp(program string, node func(*cluster) string, lasts time.Duration) func(*testing.T, *cluster) seen {
	return func(t *testing.T, l *cluster) seen {
		wake := l.freeze(t, node(l), program)
		defer wake()
		at := time.Now()
		c := l.start(t)
		<-time.After(lasts)
		wake()
		took := l.overcame(c, at)
		return seen{fmt.Sprintf("%s frozen for %s, nothing left out; verdict, exit %d", program, lasts, c.code), took}
	}
}

// sandboxRefused hides the CNI plugin until a sandbox was refused for it.
func sandboxRefused(t *testing.T, l *cluster) seen {
	const plugin = "/opt/cni/bin/multus"
	l.inNode(t.Context(), t, l.worker, "mv", plugin, plugin+".hidden")
	hidden := true
	back := func() {
		if hidden {
			hidden = false
			l.inNode(context.WithoutCancel(t.Context()), t, l.worker, "mv", plugin+".hidden", plugin)
		}
	}
	defer back()
	c := l.start(t)
	var refused string
	c.until("a sandbox is refused", 5*time.Minute, func() bool {
		events, err := l.client.CoreV1().Events(workload.Namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "reason=FailedCreatePodSandBox"})
		if err != nil {
			return false
		}
		for _, e := range events.Items {
			if strings.Contains(e.Message, "multus") && slices.ContainsFunc(l.pods(t), func(p corev1.Pod) bool { return p.UID == e.InvolvedObject.UID }) {
				refused = e.InvolvedObject.Name
			}
		}
		return refused != ""
	})
	at := time.Now()
	back()
	took := l.overcame(c, at)
	return seen{fmt.Sprintf("sandbox of %s refused, then made, nothing left out; verdict, exit %d", refused, c.code), took}
}

// webhookDown puts a webhook that nobody answers before the pods of the run.
func webhookDown(t *testing.T, l *cluster) seen {
	const name = "faults.cniperf.io"
	fail, none, wait := admissionv1.Fail, admissionv1.SideEffectClassNone, int32(2)
	api := l.client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	_, err := api.Create(t.Context(), &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: "pods." + name, FailurePolicy: &fail, SideEffects: &none, TimeoutSeconds: &wait, AdmissionReviewVersions: []string{"v1"},
			ClientConfig:      admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: metav1.NamespaceSystem, Name: "faults-nobody"}},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: workload.Namespace}},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
		}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	remove := func() {
		err := api.Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{})
		if !apierrors.IsNotFound(err) {
			require.NoError(t, err)
		}
	}
	defer remove()
	c := l.start(t)
	c.until("the pairs are to be started", 5*time.Minute, func() bool { return strings.Contains(c.said(), "pairs of pods") })
	at := time.Now()
	<-time.After(20 * time.Second)
	there, err := l.client.CoreV1().Pods(workload.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: workload.RunLabel})
	require.NoError(t, err)
	require.Empty(t, there.Items, "the webhook refuses every pod")
	remove()
	took := l.overcame(c, at)
	return seen{fmt.Sprintf("every pod refused for 20 s, nothing left out; verdict, exit %d", c.code), took}
}

// spiderpoolWebhookDown stops the process behind Spiderpool's webhook while the run
// applies the objects that pass it.
func spiderpoolWebhookDown(t *testing.T, l *cluster) seen {
	const program = "spiderpool-controller"
	node := l.worker
	if l.inNode(t.Context(), t, l.worker, "sh", "-c", "pidof "+program+" || true") == "" {
		node = l.server
	}
	wake := l.freeze(t, node, program)
	defer wake()
	at := time.Now()
	c := l.start(t)
	said := l.inNode(t.Context(), t, l.server, "sh", "-c",
		"kubectl --kubeconfig /etc/kubernetes/admin.conf annotate spiderippool cniperf-eth0 --dry-run=server faults=1 2>&1 || true")
	require.Contains(t, said, "failed calling webhook", "the fault is there")
	<-time.After(time.Until(at.Add(30 * time.Second)))
	wake()
	took := l.overcame(c, at)
	return seen{fmt.Sprintf("%s frozen for 30 s, nothing left out; verdict, exit %d", program, c.code), took}
}

// pairRefused refuses the pods of one pair for good, one that no gate needs.
func pairRefused(t *testing.T, l *cluster) seen {
	const pair = "macvlan-cross-subnet"
	defer l.refuse(t, "'cniperf.io/pair' in object.metadata.labels && object.metadata.labels['cniperf.io/pair'] == '"+pair+"'")()
	at := time.Now()
	c := l.start(t)
	run := l.finished(c, nil)
	left := lost(run)
	require.Len(t, left, 1)
	assert.Equal(t, pair, left[0].Cell.Arm)
	assert.Equal(t, record.PodsFailed, left[0].Why.Code)
	assert.Contains(t, left[0].Text(), fridays)
	for _, arm := range []string{"node", "calico", "macvlan"} {
		assert.True(t, measured(run, arm), "%s is measured all the same", arm)
	}
	return seen{fmt.Sprintf("%s left out with its reason; verdict, exit %d", pair, c.code), c.at.Sub(at)}
}

// gatesPairRefused refuses those of an arm that the gate is about.
func gatesPairRefused(t *testing.T, l *cluster) seen {
	defer l.refuse(t, "'cniperf.io/pair' in object.metadata.labels && object.metadata.labels['cniperf.io/pair'] == 'calico'")()
	c := l.start(t)
	took := l.infrastructure(c, longRun, assertion, "calico", fridays)
	run := nothingLost(t, c.dir, nil)
	l.nothingLeft(t)
	for _, arm := range []string{"node", "macvlan", "macvlan-cross-subnet"} {
		assert.True(t, measured(run, arm), "%s is measured all the same", arm)
	}
	return seen{"exit 3, names gate, arm and message; the others were measured", took}
}

func measured(run *journal.Run, arm string) bool {
	return slices.ContainsFunc(run.Samples, func(s journal.Sample) bool { return s.Cell.Arm == arm && s.Invalid == "" })
}

// serverNeverReady stops the supervisor of one server pod as it starts: its pod runs
// and its ports stay closed. The new pod of the pair is left alone.
func serverNeverReady(t *testing.T, l *cluster) seen {
	const pod = "macvlan-cross-subnet-server"
	c := l.start(t)
	var first string
	c.until(pod+" is there", 5*time.Minute, func() bool {
		first = l.uid(t, pod)
		return first != ""
	})
	stopBorn(t, first, "podrun", 5*time.Minute)
	at := time.Now()
	c.until("the pair is made anew", longRun, func() bool {
		now := l.uid(t, pod)
		return now != "" && now != first
	})
	renewed := time.Since(at)
	l.overcame(c, at)
	return seen{fmt.Sprintf("pair made anew, nothing left out; verdict, exit %d", c.code), renewed}
}

// stopBorn stops the first process of a name in a pod within a few milliseconds of
// its birth. It looks at new processes alone, without a pause: a supervisor has its
// servers running a few hundredths of a second after it began.
func stopBorn(t *testing.T, pod, name string, within time.Duration) {
	t.Helper()
	others := map[string]bool{}
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		dir, err := os.Open("/proc")
		require.NoError(t, err)
		all, err := dir.Readdirnames(-1)
		require.NoError(t, errors.Join(err, dir.Close()))
		for _, pid := range all {
			n, err := strconv.Atoi(pid)
			if err != nil || others[pid] {
				continue
			}
			comm, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
			if err != nil || strings.HasPrefix(string(comm), "runc") {
				continue // gone, or on its way to become the container's
			}
			others[pid] = true
			if strings.TrimSpace(string(comm)) == name && ofPod(pid, pod) {
				require.NoError(t, syscall.Kill(n, syscall.SIGSTOP))
				return
			}
		}
	}
	require.Fail(t, "too late", "no %s in pod %s within %s", name, pod, within)
}

// deletedWhileStarting deletes a pod as soon as it is there.
func deletedWhileStarting(t *testing.T, l *cluster) seen {
	const pod = "macvlan-cross-subnet-server"
	c := l.start(t)
	c.until(pod+" is there", 5*time.Minute, func() bool { return l.uid(t, pod) != "" })
	at := time.Now()
	l.kill(t, pod)
	took := l.overcame(c, at)
	return seen{fmt.Sprintf("pair made anew, nothing left out; verdict, exit %d", c.code), took}
}

func (l *cluster) uid(t *testing.T, pod string) string {
	for _, p := range l.pods(t) {
		if p.Name == pod {
			return string(p.UID)
		}
	}
	return ""
}
