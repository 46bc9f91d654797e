//go:build lab

package clusters

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authzv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"github.com/cniperf/cniperf/fixtures/lab"
)

// TestStrangerOptedIn lets cniperf use a cluster: with install: true it makes
// what the dry run lists and nothing else; then, as the ServiceAccount of
// manifests/rbac and with install: false, it measures and leaves nothing.
func TestStrangerOptedIn(t *testing.T) {
	p := build(t)
	s := newStranger(t)
	s.documented(t, "kubectl label namespace kube-system "+lab.AllowLabel+"=true")

	t.Run("InstallsOnlyWithTheLabelForIt", func(t *testing.T) { needsTheInstallLabel(t, p, s) })
	s.documented(t, "kubectl label namespace kube-system "+lab.InstallLabel+"=true")
	t.Run("LeavesTheOwnersObjectsAlone", func(t *testing.T) { leavesTheOwnersAlone(t, p, s) })
	t.Run("InstallsWhatTheDryRunLists", func(t *testing.T) { installsWhatIsListed(t, p, s) })
	if t.Failed() {
		return
	}
	user := s.grant(t)
	t.Run("MayNothingElse", func(t *testing.T) { mayNothingElse(t, user) })
	t.Run("IsNarrowedByAdmission", func(t *testing.T) { narrowed(t, s, user) })
	t.Run("MeasuresAndLeavesNothing", func(t *testing.T) { leavesNothing(t, p, s, user, "-profile", "smoke") })
	t.Run("MeasuresTheBypassAndLeavesNothing", func(t *testing.T) {
		leavesNothing(t, p, s, user, "-profile", "quick", "-labels", "comparison=same-node-latency")
	})
	t.Run("RefusesBusyNodesAndKeepsDiagnosticsWithoutSecrets", func(t *testing.T) { refusesBusyNodes(t, p, s, user) })
	t.Run("IsWithdrawn", func(t *testing.T) { withdrawn(t, s) })
	t.Run("DiagnosesTheDead", func(t *testing.T) { diagnosesTheDead(t, s) })
	t.Run("IsUninstalled", func(t *testing.T) { uninstalled(t, p, s) })
}

// listed are the dry run's lines: what it says becomes of each object, and the
// images.
func listed(t *testing.T, out string) (objects map[string]string, images map[string]bool) {
	objects, images = map[string]string{}, map[string]bool{}
	inside := false
	for line := range strings.Lines(out) {
		fate, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		what = strings.TrimSpace(what)
		if strings.HasPrefix(line, "cluster ") {
			inside = true
			continue
		}
		if !inside || !strings.HasPrefix(line, "  ") {
			continue
		}
		if fate == "image" {
			_, ref, _ := strings.Cut(what, " ")
			images[ref] = true
			continue
		}
		objects[what] = fate
	}
	require.NotEmpty(t, objects)
	require.NotEmpty(t, images)
	return objects, images
}

// recorder remembers what is made in a cluster, also what goes again.
type recorder struct {
	stop []watch.Interface
	made chan unstructured.Unstructured
}

// record watches every kind there is for what is made from now on.
func (s *stranger) record(t *testing.T) *recorder {
	r := &recorder{made: make(chan unstructured.Unstructured, 1<<16)}
	for gvr := range s.kinds(t) {
		list, err := s.dynamic.Resource(gvr).List(t.Context(), metav1.ListOptions{Limit: 1})
		require.NoError(t, err, gvr)
		w, err := s.dynamic.Resource(gvr).Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
		if apierrors.IsMethodNotSupported(err) {
			continue // such as componentstatuses
		}
		require.NoError(t, err, gvr)
		r.stop = append(r.stop, w)
		go func() {
			for e := range w.ResultChan() {
				if o, ok := e.Object.(*unstructured.Unstructured); ok && e.Type == watch.Added {
					r.made <- *o
				}
			}
		}()
	}
	return r
}

// objects returns what was made so far and ends the recording.
func (r *recorder) objects() []unstructured.Unstructured {
	for _, w := range r.stop {
		w.Stop()
	}
	var all []unstructured.Unstructured
	for {
		select {
		case o := <-r.made:
			all = append(all, o)
		default:
			return all
		}
	}
}

// byUs tells whether cniperf itself made an object: the API server notes which
// program wrote its fields. What controllers make of it is theirs.
func byUs(o unstructured.Unstructured) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
		return f.Subresource == "" && (f.Manager == "e2e.test" || f.Manager == "cniperf")
	})
}

func keyOf(o unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

func installsWhatIsListed(t *testing.T, p programs, s *stranger) {
	labFile := s.labFile(t, s.kubeconfig, true, 100)
	before := s.settled(t)
	out, code := p.suite(t, "-profile", "smoke", "-lab", labFile, "-dry-run")
	require.Zero(t, code, tail(out))
	objects, images := listed(t, out)
	require.Empty(t, differences(t, before, s.everything(t), false), "a dry run changes nothing")

	r := s.record(t)
	out, code = p.suite(t, "-profile", "smoke", "-lab", labFile, "-run-dir", filepath.Join(t.TempDir(), "run"))
	require.Zero(t, code, tail(out))
	after := s.everything(t)
	made := map[string]unstructured.Unstructured{}
	for _, o := range r.objects() {
		made[keyOf(o)] = o
	}
	// Kinds that the run itself brought weren't watched.
	for key, o := range after {
		if _, ok := before[key]; !ok {
			made[key] = o
		}
	}
	var ours []string
	for key, o := range made {
		if byUs(o) {
			ours = append(ours, key)
			assert.Contains(t, objects, key, "made and not listed")
			for _, image := range imagesOf(o) {
				assert.True(t, images[image], "%s uses image %s, which is not listed", key, image)
			}
		}
	}
	for key, fate := range objects {
		_, was := before[key]
		_, is := made[key]
		assert.True(t, was || is, "listed and not made: %s %s", fate, key)
		if left, is := after[key]; fate == "run" && !was && is {
			assert.NotNil(t, left.GetDeletionTimestamp(), "still there: %s", key)
		}
	}
	t.Logf("%d objects listed, %d made by cniperf, %d by controllers", len(objects), len(ours), len(made)-len(ours))
}

// imagesOf are the images in a pod or in the template of what makes pods.
func imagesOf(o unstructured.Unstructured) []string {
	var found []string
	for _, at := range [][]string{{"spec"}, {"spec", "template", "spec"}} {
		for _, list := range []string{"containers", "initContainers"} {
			containers, _, _ := unstructured.NestedSlice(o.Object, append(slices.Clone(at), list)...)
			for _, c := range containers {
				if image, ok := c.(map[string]any)["image"].(string); ok {
					found = append(found, image)
				}
			}
		}
	}
	return found
}

// grant applies manifests/rbac as the owner, the way docs/users/own-clusters.md says, and
// returns the kubeconfig with the token of its ServiceAccount.
func (s *stranger) grant(t *testing.T) string {
	// The run before this had namespaces of its own, which are still going.
	require.Eventually(t, func() bool {
		_, err := s.typed.CoreV1().Namespaces().Get(t.Context(), "cniperf-host", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, time.Minute, time.Second)
	s.documented(t, "kubectl apply -f manifests/rbac/cniperf.yaml")
	file := filepath.Join(s.dir, "cniperf.kubeconfig")
	config, err := clientcmd.LoadFromFile(file)
	require.NoError(t, err)
	require.Len(t, config.AuthInfos, 1, "nobody's credentials but cniperf's")
	require.Len(t, config.Contexts, 1)
	return file
}

// documented runs the block of commands in docs/users/own-clusters.md that contains a
// command, as the owner, with the kubectl of the cluster's own version.
func (s *stranger) documented(t *testing.T, command string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "docs", "users", "own-clusters.md"))
	require.NoError(t, err)
	var script string
	for _, block := range strings.Split(string(text), "```sh\n")[1:] {
		if block, _, _ = strings.Cut(block, "```"); strings.Contains(block, command) {
			script = block
		}
	}
	require.NotEmpty(t, script, "no block with %q", command)
	kubectl := filepath.Join(s.dir, "bin", "kubectl")
	if _, err := os.Stat(kubectl); err != nil {
		require.NoError(t, os.MkdirAll(filepath.Dir(kubectl), 0o755))
		s.must(t, s.engine, "cp", s.nodes[0]+":/usr/bin/kubectl", kubectl)
		require.NoError(t, os.Symlink(filepath.Join(root(t), "manifests"), filepath.Join(s.dir, "manifests")))
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(kubectl)+":"+os.Getenv("PATH"), "KUBECONFIG="+s.kubeconfig)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", script, out)
	t.Logf("%s\n%s", script, out)
}

// withdrawn takes everything back, the way docs/users/own-clusters.md says.
func withdrawn(t *testing.T, s *stranger) {
	s.documented(t, "kubectl delete pods,services,daemonsets")
	s.documented(t, "kubectl delete --ignore-not-found -f manifests/rbac")
	for key, o := range s.everything(t) {
		assert.Empty(t, o.GetLabels()["cniperf.io/run"], key)
		assert.NotEqual(t, "cniperf", o.GetNamespace(), key)
		assert.NotContains(t, []string{"ClusterRole cniperf", "ClusterRoleBinding cniperf", "Role kube-system/cniperf", "Lease kube-system/cniperf"}, key)
		assert.False(t, strings.HasPrefix(key, "ValidatingAdmissionPolicy"), key)
	}
}

// mayNothingElse asks the API server what the ServiceAccount must not be allowed.
func mayNothingElse(t *testing.T, user string) {
	config, err := clientcmd.BuildConfigFromFlags("", user)
	require.NoError(t, err)
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	for _, a := range []authzv1.ResourceAttributes{
		{Verb: "patch", Resource: "nodes"},
		{Verb: "delete", Resource: "nodes"},
		{Verb: "get", Resource: "nodes", Subresource: "proxy"},
		{Verb: "create", Resource: "namespaces"},
		{Verb: "delete", Resource: "namespaces", Name: "cniperf"},
		{Verb: "patch", Resource: "namespaces", Name: "kube-system"},
		{Verb: "list", Resource: "secrets"},
		{Verb: "list", Resource: "secrets", Namespace: "cniperf"},
		{Verb: "get", Resource: "configmaps", Namespace: "kube-system"},
		{Verb: "list", Resource: "pods"},
		{Verb: "create", Resource: "pods", Namespace: "default"},
		{Verb: "create", Resource: "pods", Namespace: "kube-system"},
		{Verb: "delete", Resource: "pods", Namespace: "kube-system"},
		{Verb: "create", Resource: "pods", Namespace: "cniperf-bypass"},
		{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: "default"},
		{Verb: "update", Resource: "leases", Group: "coordination.k8s.io", Namespace: "kube-system", Name: "kube-scheduler"},
		{Verb: "create", Resource: "daemonsets", Group: "apps", Namespace: "cniperf"},
		{Verb: "patch", Resource: "daemonsets", Group: "apps", Namespace: "kube-system"},
		{Verb: "patch", Resource: "spiderippools", Group: "spiderpool.spidernet.io"},
		{Verb: "create", Resource: "clusterroles", Group: "rbac.authorization.k8s.io"},
		{Verb: "*", Group: "*", Resource: "*"},
	} {
		review := &authzv1.SelfSubjectAccessReview{Spec: authzv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &a}}
		got, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
		require.NoError(t, err)
		assert.False(t, got.Status.Allowed, "%+v", a)
	}
	// Pod Security holds in the namespace of the workload, whoever asks.
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "host", Namespace: "cniperf"},
		Spec:       corev1.PodSpec{HostNetwork: true, Containers: []corev1.Container{{Name: "c", Image: "example.com/none:v1"}}},
	}
	_, err = client.CoreV1().Pods("cniperf").Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	require.ErrorContains(t, err, `violates PodSecurity "restricted`)
}

// bookkeeping are the kinds in which CNIs note which addresses are in use.
var bookkeeping = []string{"SpiderIPPool", "SpiderEndpoint", "IPAMBlock", "IPAMHandle", "BlockAffinity"}

func leavesNothing(t *testing.T, p programs, s *stranger, user string, args ...string) {
	labFile := s.labFile(t, user, false, 100)
	before := s.settled(t)
	out, code := p.suite(t, append(slices.Clone(args), "-lab", labFile, "-dry-run")...)
	require.Zero(t, code, tail(out))
	objects, _ := listed(t, out)
	r := s.record(t)
	runDir := filepath.Join(t.TempDir(), "run")
	out, code = p.suite(t, append(slices.Clone(args), "-lab", labFile, "-run-dir", runDir)...)
	if !slices.Contains(args, "smoke") {
		require.Contains(t, []int{0, 1, 2}, code, tail(out)) // whatever the verdict
	} else {
		require.Zero(t, code, tail(out))
	}
	var ours int
	for _, o := range r.objects() {
		if byUs(o) {
			ours++
			assert.Contains(t, objects, keyOf(o), "made and not listed")
		}
	}
	assert.Greater(t, ours, 5)
	after := s.settled(t)
	var noted []string
	for _, d := range differences(t, before, after, false) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(d[strings.Index(d, ": "):], ": "), " ")
		if !slices.Contains(bookkeeping, kind) {
			assert.Fail(t, "left behind or changed", d)
		}
		noted = append(noted, d)
	}
	assert.NotContains(t, slices.Collect(maps.Keys(after)), "Lease kube-system/cniperf")
	t.Logf("%d objects made and removed; the CNIs' own notes that changed: %v", ours, noted)
	noSecrets(t, runDir, token(t, user))
}

func token(t *testing.T, kubeconfig string) string {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	require.NoError(t, err)
	return config.AuthInfos["cniperf"].Token
}

// noSecrets looks for secrets in everything below a folder, and returns the
// files' names.
func noSecrets(t *testing.T, dir string, secrets ...string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		names = append(names, name)
		for _, secret := range secrets {
			assert.NotContains(t, string(text), secret, name)
		}
		return err
	}))
	return names
}

// Planted secrets, in the places where secrets are found in the wild.
const (
	inEnv        = "planted-in-env-7f3a"
	inLog        = "planted-in-log-81c2"
	inAnnotation = "planted-in-annotation-9d0e"
	inKey        = "plantedInAPrivateKeyAAAA5b5b"
	inConfig     = "plantedInAKubeconfigBBBB6c6c"
)

func refusesBusyNodes(t *testing.T, p programs, s *stranger, user string) {
	ctx := t.Context()
	pods := s.typed.CoreV1().Pods("cniperf")
	say := "password=" + inLog + "\n-----BEGIN PRIVATE KEY-----\n" + inKey + "\n-----END PRIVATE KEY-----\n    client-key-data: " + inConfig + "\n"
	_, err := pods.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "planted", Annotations: map[string]string{"example.com/api-token": inAnnotation}},
		Spec: corev1.PodSpec{
			NodeName: s.nodes[1], TerminationGracePeriodSeconds: ptr.To(int64(0)), AutomountServiceAccountToken: ptr.To(false),
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To(int64(65532)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				// Busy as well: what the node is to be refused for.
				Name: "c", Image: s.images["bench"], Command: []string{"sh", "-c", `printf '%s' "$SAY"; while :; do :; done`},
				Env: []corev1.EnvVar{{Name: "DB_PASSWORD", Value: inEnv}, {Name: "SAY", Value: say}},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, pods.Delete(context.Background(), "planted", metav1.DeleteOptions{}))
	})
	require.Eventually(t, func() bool {
		pod, err := pods.Get(ctx, "planted", metav1.GetOptions{})
		return err == nil && pod.Status.Phase == corev1.PodRunning
	}, time.Minute, time.Second)

	before := s.settled(t)
	runDir := filepath.Join(t.TempDir(), "run")
	out, code := p.suite(t, "-profile", "smoke", "-lab", s.labFile(t, user, false, 5), "-run-dir", runDir)
	assert.Equal(t, 3, code)
	assert.Regexp(t, `node stranger-(worker|control-plane) is busy: its CPUs were never used to less than \d+ % during 10s, and the lab file allows 5 %`, out, tail(out))
	assert.Contains(t, out, "cniperf: diagnostics: ")
	for _, d := range differences(t, before, s.settled(t), false) {
		assert.Regexp(t, strings.Join(bookkeeping, "|"), d)
	}
	files := noSecrets(t, runDir, inEnv, inLog, inAnnotation, inKey, inConfig, token(t, user))
	for _, want := range []string{
		"diagnostics/README.md", "diagnostics/kube-proxy/pods/cniperf.yaml", "diagnostics/kube-proxy/logs/cniperf/planted/c.log",
		"diagnostics/kube-proxy/events/cniperf.txt", "diagnostics/kube-proxy/objects/nodes.yaml", "diagnostics/kube-proxy/objects/spiderippools.yaml",
		"diagnostics/kube-proxy/nodes/stranger-worker/ip-route-show-table-all.txt", "diagnostics/kube-proxy/nodes/stranger-worker/ip-s-d-link-show.txt",
		"diagnostics/kube-proxy/nodes/stranger-worker/calico-node-felix-live-felix-ready.txt",
	} {
		assert.Contains(t, files, want)
	}
	log, err := os.ReadFile(filepath.Join(runDir, "diagnostics/kube-proxy/logs/cniperf/planted/c.log"))
	require.NoError(t, err)
	assert.Contains(t, string(log), "password=REDACTED", "the log is there, its secret isn't")
	readme, err := os.ReadFile(filepath.Join(runDir, "diagnostics", "README.md"))
	require.NoError(t, err)
	t.Logf("%s", readme)
}
