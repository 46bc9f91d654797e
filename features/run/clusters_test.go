package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/record"
)

func newClusters(bed *fakeBed) (c *Clusters, noted *[]string, said *[]string) {
	noted, said = &[]string{}, &[]string{}
	return &Clusters{
		bed: bed,
		note: func(_ context.Context, c *testbed.Cluster) error {
			*noted = append(*noted, c.Name)
			return nil
		},
		say: func(format string, args ...any) { *said = append(*said, fmt.Sprintf(format, args...)) },
	}, noted, said
}

func TestAClusterThatCantBeBroughtUpCostsOnlyItself(t *testing.T) {
	bed := &fakeBed{broken: map[string]error{"ebpf": errors.New("no route")}}
	c, noted, said := newClusters(bed)
	up, err := c.Up(t.Context(), []string{"ebpf", "kube-proxy"})
	require.NoError(t, err)
	assert.Equal(t, []string{"kube-proxy"}, slices.Collect(maps.Keys(up)))
	why, lost := c.Lost("ebpf")
	assert.True(t, lost)
	assert.Equal(t, record.Reason{Code: record.ClusterLost, Cluster: "ebpf", Detail: "no route"}, why)
	_, lost = c.Lost("kube-proxy")
	assert.False(t, lost)

	delete(bed.broken, "ebpf")
	up, err = c.Up(t.Context(), []string{"ebpf", "kube-proxy"})
	require.NoError(t, err)
	assert.NotContains(t, up, "ebpf", "it stays lost for the rest of the run")
	assert.Equal(t, []string{"ebpf", "kube-proxy", "kube-proxy"}, bed.asked)
	assert.Equal(t, []string{"kube-proxy"}, *noted, "noted when it first stands, and once")
	assert.Len(t, *said, 1)

	err = c.errNone([]string{"ebpf"})
	assert.ErrorIs(t, err, ErrInfrastructure)
	assert.ErrorContains(t, err, "cluster ebpf is lost: no route")
}

func TestAClusterThatCantBeNotedIsLost(t *testing.T) {
	c, _, _ := newClusters(&fakeBed{})
	c.note = func(_ context.Context, c *testbed.Cluster) error {
		if c.Name == "ebpf" {
			return fmt.Errorf("%w: API server away", ErrInfrastructure)
		}
		return nil
	}
	up, err := c.Up(t.Context(), []string{"ebpf", "kube-proxy"})
	require.NoError(t, err)
	assert.NotContains(t, up, "ebpf")
	assert.Contains(t, up, "kube-proxy")
	why, lost := c.Lost("ebpf")
	assert.True(t, lost)
	assert.Contains(t, why.Detail, "API server away")
}

func TestAnInterruptedBringUpLosesNoCluster(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ErrInterrupted)
	c, _, _ := newClusters(&fakeBed{})
	_, err := c.Up(ctx, []string{"kube-proxy"})
	assert.ErrorIs(t, err, ErrInterrupted)
	_, lost := c.Lost("kube-proxy")
	assert.False(t, lost)
}
