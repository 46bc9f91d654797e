package clusters

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/cniperf/cniperf/fixtures/diagnose"
	"github.com/cniperf/cniperf/fixtures/workload"
)

const (
	bench       = "registry.example/bench:1"
	accelerator = "registry.example/tcpip-bypass:1"
)

// policies reads the policies by name, strictly.
func policies(t *testing.T) map[string]admissionv1.ValidatingAdmissionPolicy {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "manifests", "rbac", "admission.yaml"))
	require.NoError(t, err)
	all := map[string]admissionv1.ValidatingAdmissionPolicy{}
	bound := map[string]bool{}
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		if strings.Contains(doc, "kind: ValidatingAdmissionPolicyBinding") {
			var b admissionv1.ValidatingAdmissionPolicyBinding
			require.NoError(t, yaml.UnmarshalStrict([]byte(doc), &b))
			bound[b.Spec.PolicyName] = true
			assert.Equal(t, []admissionv1.ValidationAction{admissionv1.Deny}, b.Spec.ValidationActions)
			continue
		}
		var p admissionv1.ValidatingAdmissionPolicy
		require.NoError(t, yaml.UnmarshalStrict([]byte(doc), &p))
		all[p.Name] = p
	}
	for name := range all {
		assert.True(t, bound[name], "policy %s is bound", name)
	}
	require.Len(t, all, 3)
	return all
}

// refusal is the message of the first validation that does not hold, as the API
// server would evaluate it.
func refusal(t *testing.T, p admissionv1.ValidatingAdmissionPolicy, request map[string]any, object any) string {
	t.Helper()
	env, err := cel.NewEnv(ext.Strings(ext.StringsVersion(2)), cel.Variable("object", cel.DynType), cel.Variable("request", cel.DynType),
		cel.Variable("params", cel.DynType), cel.Variable("variables", cel.DynType))
	require.NoError(t, err)
	text, err := json.Marshal(object)
	require.NoError(t, err)
	var decoded any
	require.NoError(t, json.Unmarshal(text, &decoded))
	variables := map[string]any{}
	given := map[string]any{
		"object": decoded, "request": request, "variables": variables,
		"params": map[string]any{"data": map[string]any{"bench": bench, "tcpip-bypass": accelerator}},
	}
	eval := func(expression string) any {
		ast, issues := env.Compile(expression)
		require.NoError(t, issues.Err(), expression)
		program, err := env.Program(ast)
		require.NoError(t, err)
		out, _, err := program.Eval(given)
		require.NoError(t, err, expression)
		return out.Value()
	}
	require.Len(t, p.Spec.MatchConditions, 1)
	who := maps.Clone(request)
	who["userInfo"] = map[string]any{"username": "system:serviceaccount:cniperf:cniperf"}
	given["request"] = who
	require.Equal(t, true, eval(p.Spec.MatchConditions[0].Expression))
	for _, v := range p.Spec.Variables {
		variables[v.Name] = eval(v.Expression)
	}
	for _, v := range p.Spec.Validations {
		if eval(v.Expression) != true {
			if v.MessageExpression != "" {
				return eval(v.MessageExpression).(string)
			}
			return v.Message
		}
	}
	return ""
}

// ours are the pods that a run makes.
func ours(t *testing.T) []*corev1.Pod {
	t.Helper()
	c := &workload.Cluster{Name: "c", Image: bench, RunID: "r1", Expires: time.Now().Add(time.Hour)}
	var pods []*corev1.Pod
	for _, cilium := range []bool{false, true} {
		objects, err := c.Plan("node-1.example.com", cilium, []workload.Spec{
			{Name: "calico", ClientNode: "a", ServerNode: "b", Network: workload.PodNetwork},
			{Name: "macvlan-set2", ClientNode: "a", ServerNode: "b", Network: "cniperf/cniperf-ens5"},
			{Name: "node", ClientNode: "a", ServerNode: "b", Network: workload.HostNetwork},
		})
		require.NoError(t, err)
		for _, o := range objects {
			if pod, ok := o.(*corev1.Pod); ok {
				pods = append(pods, pod)
			}
		}
	}
	require.Len(t, pods, 14)
	return pods
}

func of(pod *corev1.Pod) map[string]any {
	return map[string]any{"operation": "CREATE", "namespace": pod.Namespace, "name": ""}
}

func TestOurPodsAreAllowed(t *testing.T) {
	policy := policies(t)["cniperf-pods"]
	for _, pod := range ours(t) {
		assert.Empty(t, refusal(t, policy, of(pod), pod), "%s/%s", pod.Namespace, pod.Name)
		pod.Spec.ActiveDeadlineSeconds = ptr.To(int64(3600))
		pod.Spec.ServiceAccountName = "default" // as the API server fills it in
		assert.Empty(t, refusal(t, policy, of(pod), pod), "%s/%s", pod.Namespace, pod.Name)
	}
}

// Whoever could make pods in cniperf-host used to be root on every node.
func TestOtherPodsAreRefused(t *testing.T) {
	policy := policies(t)["cniperf-pods"]
	host := func(path string) []corev1.Volume {
		return []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path}}}}
	}
	for name, change := range map[string]func(*corev1.Pod){
		"another name":     func(p *corev1.Pod) { p.Name = "miner" },
		"another image":    func(p *corev1.Pod) { p.Spec.Containers[0].Image = "docker.io/library/alpine:3" },
		"init container":   func(p *corev1.Pod) { p.Spec.InitContainers = p.Spec.Containers },
		"ephemeral":        func(p *corev1.Pod) { p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{}} },
		"second container": func(p *corev1.Pod) { p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "c"}) },
		"host's processes": func(p *corev1.Pod) { p.Spec.HostPID = true },
		"host's IPC":       func(p *corev1.Pod) { p.Spec.HostIPC = true },
		"a token":          func(p *corev1.Pod) { p.Spec.AutomountServiceAccountToken = nil },
		"another account":  func(p *corev1.Pod) { p.Spec.ServiceAccountName = "admin" },
		"root of the disk": func(p *corev1.Pod) { p.Spec.Volumes = host("/") },
		"above the socket": func(p *corev1.Pod) { p.Spec.Volumes = host("/var/run/cilium/..") },
		"a secret": func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}}}
		},
		"privileged": func(p *corev1.Pod) { p.Spec.Containers[0].SecurityContext.Privileged = ptr.To(true) },
		"SYS_ADMIN": func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext.Capabilities.Add = []corev1.Capability{"SYS_ADMIN"}
		},
		"default caps": func(p *corev1.Pod) { p.Spec.Containers[0].SecurityContext.Capabilities.Drop = nil },
		"no context":   func(p *corev1.Pod) { p.Spec.Containers[0].SecurityContext = nil },
		"escalation":   func(p *corev1.Pod) { p.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil },
		"unconfined":   func(p *corev1.Pod) { p.Spec.SecurityContext.SeccompProfile = nil },
		"own seccomp": func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: "Unconfined"}
		},
		"sysctls": func(p *corev1.Pod) {
			p.Spec.SecurityContext.Sysctls = []corev1.Sysctl{{Name: "kernel.msgmax", Value: "1"}}
		},
		"port of the node": func(p *corev1.Pod) { p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: 22}} },
	} {
		t.Run(name, func(t *testing.T) {
			for _, pod := range ours(t) {
				change(pod)
				assert.NotEmpty(t, refusal(t, policy, of(pod), pod), "%s/%s", pod.Namespace, pod.Name)
			}
		})
	}
	for _, pod := range ours(t) {
		if strings.HasSuffix(pod.Name, "-observer") {
			continue
		}
		pod.Spec.Containers[0].SecurityContext.Capabilities.Add = []corev1.Capability{"NET_ADMIN"}
		assert.Contains(t, refusal(t, policy, of(pod), pod), "only the observer has capabilities", pod.Name)
	}
	for _, pod := range ours(t) {
		if !strings.HasSuffix(pod.Name, "-observer") {
			pod.Spec.Containers[0].SecurityContext.RunAsUser = ptr.To(int64(0))
			assert.Contains(t, refusal(t, policy, of(pod), pod), "don't run as root", pod.Name)
		}
	}
}

func TestTheAcceleratorAndNoOtherDaemonSet(t *testing.T) {
	policy := policies(t)["cniperf-daemonsets"]
	read := func(file string) *appsv1.DaemonSet {
		text, err := os.ReadFile(filepath.Join("..", "..", "manifests", "bypass", file))
		require.NoError(t, err)
		var d appsv1.DaemonSet
		require.NoError(t, yaml.UnmarshalStrict(text, &d))
		d.Spec.Template.Spec.Containers[0].Image = accelerator
		return &d
	}
	request := map[string]any{"operation": "CREATE", "namespace": "cniperf-bypass", "name": ""}
	assert.Empty(t, refusal(t, policy, request, read("daemonset.yaml")))
	assert.NotEmpty(t, refusal(t, policy, request, read("upstream.yaml")), "it is privileged")
	for name, change := range map[string]func(*appsv1.DaemonSet, *corev1.PodSpec){
		"name":         func(d *appsv1.DaemonSet, _ *corev1.PodSpec) { d.Name = "miner" },
		"image":        func(_ *appsv1.DaemonSet, s *corev1.PodSpec) { s.Containers[0].Image = "docker.io/library/alpine:3" },
		"host network": func(_ *appsv1.DaemonSet, s *corev1.PodSpec) { s.HostNetwork = true },
		"host path":    func(_ *appsv1.DaemonSet, s *corev1.PodSpec) { s.Volumes[0].HostPath.Path = "/sys/fs" },
		"writable":     func(_ *appsv1.DaemonSet, s *corev1.PodSpec) { s.Containers[0].VolumeMounts[0].ReadOnly = false },
		"privileged": func(_ *appsv1.DaemonSet, s *corev1.PodSpec) {
			s.Containers[0].SecurityContext.Privileged = ptr.To(true)
		},
		"SYS_ADMIN": func(_ *appsv1.DaemonSet, s *corev1.PodSpec) {
			s.Containers[0].SecurityContext.Capabilities.Add = []corev1.Capability{"SYS_ADMIN"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := read("daemonset.yaml")
			change(d, &d.Spec.Template.Spec)
			assert.NotEmpty(t, refusal(t, policy, request, d))
		})
	}
	assert.NotEmpty(t, refusal(t, policy, map[string]any{"operation": "CREATE", "namespace": "cniperf", "name": ""}, read("daemonset.yaml")))
}

// asked are the commands of the provers; the diagnostics' are read from their spec.
func asked(t *testing.T) [][]string {
	t.Helper()
	spec, err := diagnose.Default()
	require.NoError(t, err)
	commands := append([][]string{
		{"ip", "-j", "-4", "route", "show"}, {"iptables-nft-save"}, {"iptables-legacy-save"}, {"cilium-dbg", "status", "-o", "json"},
	}, spec.NodeCommands...)
	for _, a := range spec.Agents {
		commands = append(commands, a.Commands...)
	}
	return commands
}

func TestAgentsAreAskedWordForWord(t *testing.T) {
	policy := policies(t)["cniperf-system"]
	exec := func(pod string) map[string]any {
		return map[string]any{"operation": "CONNECT", "namespace": "kube-system", "name": pod}
	}
	for _, command := range asked(t) {
		assert.Empty(t, refusal(t, policy, exec("calico-node-x7k2p"), corev1.PodExecOptions{Command: command}))
		assert.Empty(t, refusal(t, policy, exec("cilium-zz9q4"), corev1.PodExecOptions{Command: command}))
	}
	for _, command := range [][]string{{"sh"}, {"ip", "link", "set", "eth0", "down"}, {"cat", "/var/run/secrets/kubernetes.io/serviceaccount/token"}, nil} {
		assert.Contains(t, refusal(t, policy, exec("calico-node-x7k2p"), corev1.PodExecOptions{Command: command}), "cniperf may not run this here: "+strings.Join(command, " "))
	}
	for _, pod := range []string{"etcd-control-plane", "cilium-operator-6d5f8c7b9-abcde", "kube-proxy-x7k2p", "coredns-6d5f8c7b9-abcde"} {
		assert.NotEmpty(t, refusal(t, policy, exec(pod), corev1.PodExecOptions{Command: []string{"ip", "rule", "show"}}), pod)
	}
	lease := func(name string) any { return map[string]any{"metadata": map[string]any{"name": name}} }
	create := map[string]any{"operation": "CREATE", "namespace": "kube-system", "name": ""}
	assert.Empty(t, refusal(t, policy, create, lease("cniperf")))
	assert.NotEmpty(t, refusal(t, policy, create, lease("kube-scheduler-2")))
}
