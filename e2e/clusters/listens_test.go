package clusters

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/cniperf/cniperf/fixtures/workload"
)

// The policy selects what a run makes, and lets every port of the Service through.
func TestPolicyFitsThePods(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "manifests", "workload", "policy.yaml"))
	require.NoError(t, err)
	var policy networkingv1.NetworkPolicy
	require.NoError(t, yaml.UnmarshalStrict(text, &policy))
	require.Len(t, policy.Spec.Ingress, 1)
	ingress := policy.Spec.Ingress[0]
	open := map[string]bool{}
	for _, p := range ingress.Ports {
		open[string(*p.Protocol)+" "+p.Port.String()] = true
	}
	servers := labels.SelectorFromSet(policy.Spec.PodSelector.MatchLabels)
	clients := labels.SelectorFromSet(ingress.From[0].PodSelector.MatchLabels)

	c := &workload.Cluster{Name: "c", Image: bench, RunID: "r1"}
	objects, err := c.Plan("node-1", false, []workload.Spec{{Name: "calico", ClientNode: "a", ServerNode: "b", Network: workload.PodNetwork}})
	require.NoError(t, err)
	found := map[string]int{}
	for _, o := range objects {
		set := labels.Set(o.GetLabels())
		switch o := o.(type) {
		case *corev1.Pod:
			if servers.Matches(set) {
				found["server"]++
				assert.Equal(t, "calico-server", o.Name)
			}
			if clients.Matches(set) {
				found["client"]++
				assert.Equal(t, "calico-client", o.Name)
			}
		case *corev1.Service:
			for _, p := range o.Spec.Ports {
				found["port"]++
				assert.True(t, open[string(p.Protocol)+" "+portText(p)], "%s is not let through", p.Name)
			}
		}
	}
	assert.Equal(t, map[string]int{"server": 1, "client": 1, "port": 7}, found)
}

func portText(p corev1.ServicePort) string {
	port := p.TargetPort
	if port.IntValue() == 0 {
		port.IntVal = p.Port
	}
	return port.String()
}
