// Package apiclient without the dry run of kubeadm: the original answers from
// the fake client of Kubernetes, 60 packages that nothing else here needs.
package apiclient

import (
	"fmt"
	"io"
	"os"

	"k8s.io/client-go/dynamic"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/testing"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

type DryRun struct{}

func NewDryRun() *DryRun {
	fmt.Fprintln(os.Stderr, "kubeadm is built without --dry-run: see hack/images/kubernetes/overlay of cniperf")
	os.Exit(1)
	return nil
}

func (d *DryRun) WithKubeConfigFile(string) error               { return nil }
func (d *DryRun) WithKubeConfig(*clientcmdapi.Config) error     { return nil }
func (d *DryRun) WithRestConfig(*rest.Config) error             { return nil }
func (d *DryRun) WithWriter(io.Writer) *DryRun                  { return d }
func (d *DryRun) WithDefaultMarshalFunction() *DryRun           { return d }
func (d *DryRun) PrependReactor(*testing.SimpleReactor) *DryRun { return d }
func (d *DryRun) AppendReactor(*testing.SimpleReactor) *DryRun  { return d }

func (d *DryRun) Client() clientset.Interface      { return nil }
func (d *DryRun) DynamicClient() dynamic.Interface { return nil }
func (d *DryRun) FakeClient() clientset.Interface  { return nil }

func (d *DryRun) HealthCheckJobReactor() *testing.SimpleReactor       { return nil }
func (d *DryRun) PatchNodeReactor() *testing.SimpleReactor            { return nil }
func (d *DryRun) GetNodeReactor() *testing.SimpleReactor              { return nil }
func (d *DryRun) GetClusterInfoReactor() *testing.SimpleReactor       { return nil }
func (d *DryRun) GetKubeadmConfigReactor() *testing.SimpleReactor     { return nil }
func (d *DryRun) GetKubeadmCertsReactor() *testing.SimpleReactor      { return nil }
func (d *DryRun) GetKubeletConfigReactor() *testing.SimpleReactor     { return nil }
func (d *DryRun) GetKubeProxyConfigReactor() *testing.SimpleReactor   { return nil }
func (d *DryRun) GetCoreDNSConfigReactor() *testing.SimpleReactor     { return nil }
func (d *DryRun) DeleteBootstrapTokenReactor() *testing.SimpleReactor { return nil }
func (d *DryRun) ListPodsReactor(string) *testing.SimpleReactor       { return nil }
func (d *DryRun) ListDeploymentsReactor() *testing.SimpleReactor      { return nil }
