//go:build lab

package clusters

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// snapshot is every object of a cluster, by kind and name.
type snapshot map[string]unstructured.Unstructured

// everything lists all objects of all kinds that can be listed.
func (s *stranger) everything(t *testing.T) snapshot {
	t.Helper()
	all := snapshot{}
	for gvr, kind := range s.kinds(t) {
		list, err := s.dynamic.Resource(gvr).List(t.Context(), metav1.ListOptions{})
		if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
			continue // the kind went meanwhile
		}
		require.NoError(t, err, gvr)
		for _, o := range list.Items {
			name := o.GetName()
			if o.GetNamespace() != "" {
				name = o.GetNamespace() + "/" + name
			}
			all[kind+" "+name] = o
		}
	}
	require.Greater(t, len(all), 50, "a kind cluster has more objects")
	return all
}

func (s *stranger) kinds(t *testing.T) map[schema.GroupVersionResource]string {
	t.Helper()
	lists, err := s.typed.Discovery().ServerPreferredResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		require.NoError(t, err)
	}
	kinds := map[schema.GroupVersionResource]string{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		require.NoError(t, err)
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "list") && !strings.Contains(r.Name, "/") {
				kinds[gv.WithResource(r.Name)] = r.Kind
			}
		}
	}
	return kinds
}

// byItself tells which kinds of objects change while nobody does anything: the
// control at the start of the test shows that these do, and no others.
func byItself(key string) bool {
	kind, _, _ := strings.Cut(key, " ")
	return kind == "Event" || kind == "Lease"
}

// heartbeat is what the kubelet writes to its node again and again.
func heartbeat(o unstructured.Unstructured) {
	unstructured.RemoveNestedField(o.Object, "status")
	unstructured.RemoveNestedField(o.Object, "metadata", "resourceVersion")
	unstructured.RemoveNestedField(o.Object, "metadata", "managedFields")
}

// differences names what differs between two snapshots, byte for byte. With
// strict unset, it leaves out what changes by itself.
func differences(t *testing.T, before, after snapshot, strict bool) []string {
	t.Helper()
	text := func(key string, o unstructured.Unstructured) string {
		o = *o.DeepCopy()
		if kind, _, _ := strings.Cut(key, " "); kind == "Node" && !strict {
			heartbeat(o)
		}
		b, err := json.Marshal(o.Object)
		require.NoError(t, err)
		return string(b)
	}
	var found []string
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if !strict && byItself(key) {
			continue
		}
		now, ok := after[key]
		switch {
		case !ok:
			found = append(found, "gone: "+key)
		case text(key, before[key]) != text(key, now):
			found = append(found, "changed: "+key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[key]; !ok && (strict || !byItself(key)) {
			found = append(found, "new: "+key)
		}
	}
	return found
}

// settled returns a snapshot once nothing but what changes by itself has changed
// for a while: the cluster's own controllers are done.
func (s *stranger) settled(t *testing.T) snapshot {
	t.Helper()
	const quiet = 10 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	last := s.everything(t)
	tick := time.NewTicker(quiet)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			require.NoError(t, ctx.Err(), "the cluster does not come to rest")
		case <-tick.C:
		}
		now := s.everything(t)
		d := differences(t, last, now, false)
		if len(d) == 0 {
			return now
		}
		t.Logf("not at rest yet: %s", summary(d))
		last = now
	}
}

func summary(list []string) string {
	if len(list) > 6 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:6], ", "), len(list)-6)
	}
	return strings.Join(list, ", ")
}
