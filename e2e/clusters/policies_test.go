//go:build lab

package clusters

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/utils/ptr"
)

// narrow applies the admission policies as the owner, the way docs/users/own-clusters.md
// says, and names the stranger's own images in their ConfigMap.
func (s *stranger) narrow(t *testing.T) {
	s.documented(t, "kubectl apply -f manifests/rbac/admission.yaml")
	maps := s.typed.CoreV1().ConfigMaps("cniperf")
	images, err := maps.Get(t.Context(), "cniperf-images", metav1.GetOptions{})
	require.NoError(t, err)
	images.Data = map[string]string{"bench": s.images["bench"], "tcpip-bypass": s.images["tcpip-bypass"]}
	_, err = maps.Update(t.Context(), images, metav1.UpdateOptions{})
	require.NoError(t, err)
}

// rootPod is root on its node.
func rootPod(name, image string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "cniperf-host"},
		Spec: corev1.PodSpec{
			HostNetwork: true, HostPID: true, AutomountServiceAccountToken: ptr.To(false),
			Containers: []corev1.Container{{
				Name: "c", Image: image, SecurityContext: &corev1.SecurityContext{Privileged: ptr.To(true)},
				VolumeMounts: []corev1.VolumeMount{{Name: "root", MountPath: "/host"}},
			}},
			Volumes: []corev1.Volume{{Name: "root", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}},
		},
	}
}

// narrowed tries, as the ServiceAccount, what RBAC alone allows it.
func narrowed(t *testing.T, s *stranger, user string) {
	config, err := clientcmd.BuildConfigFromFlags("", user)
	require.NoError(t, err)
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	pods := client.CoreV1().Pods("cniperf-host")

	_, err = pods.Create(t.Context(), rootPod("any", s.images["bench"]), dry)
	if err == nil {
		t.Log("before the policies: the ServiceAccount may make a pod that is root on the node")
	}
	s.narrow(t)
	// The API server takes a moment to compile them.
	require.Eventually(t, func() bool {
		_, err := pods.Create(t.Context(), rootPod("any", s.images["bench"]), dry)
		return err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'cniperf-pods'")
	}, time.Minute, time.Second)
	for name, pod := range map[string]*corev1.Pod{
		"of one of our names": rootPod("x-observer", s.images["bench"]),
		"of another image":    rootPod("x-observer", "docker.io/library/alpine:3.22"),
	} {
		_, err := pods.Create(t.Context(), pod, dry)
		assert.ErrorContains(t, err, "ValidatingAdmissionPolicy 'cniperf-pods'", name)
	}
	_, err = client.CoordinationV1().Leases("kube-system").Create(t.Context(), &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "other"}}, dry)
	assert.ErrorContains(t, err, "cniperf makes one Lease in kube-system")

	agents, err := client.CoreV1().Pods("kube-system").List(t.Context(), metav1.ListOptions{LabelSelector: "k8s-app=calico-node"})
	require.NoError(t, err)
	require.NotEmpty(t, agents.Items)
	exec := func(command ...string) error {
		request := client.CoreV1().RESTClient().Post().Resource("pods").Namespace("kube-system").Name(agents.Items[0].Name).SubResource("exec").
			VersionedParams(&corev1.PodExecOptions{Container: "calico-node", Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec)
		executor, err := remotecommand.NewSPDYExecutor(config, "POST", request.URL())
		require.NoError(t, err)
		var out bytes.Buffer
		return executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: &out, Stderr: &out})
	}
	assert.NoError(t, exec("ip", "-j", "-4", "route", "show"))
	assert.ErrorContains(t, exec("cat", "/var/run/secrets/kubernetes.io/serviceaccount/token"), "cniperf may not run this here")
	assert.ErrorContains(t, exec("sh", "-c", "id"), "cniperf may not run this here: sh -c id")
}
