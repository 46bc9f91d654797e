package run

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/record"
)

func wanted(cluster string, names ...string) []Want {
	var all []Want
	for _, name := range names {
		all = append(all, Want{cluster, workload.Spec{Name: name}})
	}
	return all
}

func TestPodPoolStartsOnlyWhatIsMissing(t *testing.T) {
	starter := &fakeStarter{}
	pool := newPool(nil, starter)
	require.NoError(t, pool.Ensure(t.Context(), wanted("a", "calico", "macvlan", "calico")))
	assert.ElementsMatch(t, []string{"calico", "macvlan"}, starter.started, "a pair that two cells want is started once")
	first, why := pool.Pair(PairKey{"a", "macvlan"})
	require.Nil(t, why)

	require.NoError(t, pool.Ensure(t.Context(), wanted("a", "macvlan", "node")))
	assert.Equal(t, "node", starter.started[2])
	assert.Len(t, starter.started, 3)
	again, why := pool.Pair(PairKey{"a", "macvlan"})
	require.Nil(t, why)
	assert.Same(t, first, again, "a later comparison shares the pair")

	require.NoError(t, pool.Ensure(t.Context(), wanted("b", "macvlan")))
	assert.Len(t, starter.started, 4, "a pair of that name in another cluster is another pair")
}

func TestPodPoolKeepsAFailedPairAway(t *testing.T) {
	starter := &fakeStarter{refuse: map[string]error{"calico": errors.New("no address is left")}}
	pool := newPool(nil, starter)
	all := wanted("a", "calico", "macvlan")
	require.NoError(t, pool.Ensure(t.Context(), all), "the other pairs are worth something")
	_, why := pool.Pair(PairKey{"a", "calico"})
	assert.Equal(t, &record.Reason{Code: record.PodsFailed, Cluster: "a", Detail: "no address is left"}, why)
	_, why = pool.Pair(PairKey{"a", "macvlan"})
	assert.Nil(t, why)

	delete(starter.refuse, "calico")
	require.NoError(t, pool.Ensure(t.Context(), all))
	assert.Len(t, starter.started, 2, "it is not tried again")
	_, why = pool.Pair(PairKey{"a", "calico"})
	assert.Equal(t, "no address is left", why.Detail)

	_, why = pool.Pair(PairKey{"a", "cilium"})
	assert.Contains(t, why.Detail, "was never started")
}

func TestPodPoolStartsBothClustersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Neither starts before both were asked: one after the other would block for ever.
		var both sync.WaitGroup
		both.Add(2)
		gate := func(context.Context) error {
			both.Done()
			both.Wait()
			return nil
		}
		a, b := &fakeStarter{gate: gate}, &fakeStarter{gate: gate}
		pool := newPool(map[string]Starter{"a": a, "b": b}, nil)
		require.NoError(t, pool.Ensure(t.Context(), slices.Concat(wanted("a", "calico"), wanted("b", "cilium"))))
		assert.Equal(t, []string{"calico"}, a.started)
		assert.Equal(t, []string{"cilium"}, b.started)
	})
}

func TestPodPoolClusterThatIsNotUpCostsOnlyItsPairs(t *testing.T) {
	pool := newPool(map[string]Starter{"a": &fakeStarter{}}, nil)
	require.NoError(t, pool.Ensure(t.Context(), slices.Concat(wanted("a", "calico"), wanted("b", "cilium"))))
	_, why := pool.Pair(PairKey{"a", "calico"})
	assert.Nil(t, why)
	_, why = pool.Pair(PairKey{"b", "cilium"})
	assert.Equal(t, &record.Reason{Code: record.PodsFailed, Cluster: "b", Detail: "cluster b is not up"}, why)
}

func TestPodPoolEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	starter := &fakeStarter{gate: func(ctx context.Context) error {
		cancel(ErrInterrupted)
		<-ctx.Done()
		return ctx.Err()
	}}
	assert.ErrorIs(t, newPool(nil, starter).Ensure(ctx, wanted("a", "calico")), ErrInterrupted)
}

func TestPodPoolRenewsAPair(t *testing.T) {
	starter := &fakeStarter{refuse: map[string]error{"calico": errors.New("first"), "macvlan": errors.New("away")}}
	pool := newPool(nil, starter)
	require.NoError(t, pool.Ensure(t.Context(), wanted("a", "calico")))
	delete(starter.refuse, "calico")
	require.NoError(t, pool.Renew(t.Context(), wanted("a", "calico")[0]))
	_, why := pool.Pair(PairKey{"a", "calico"})
	assert.Nil(t, why)

	require.NoError(t, pool.Renew(t.Context(), wanted("a", "macvlan")[0]), "it costs the pair, not the run")
	_, why = pool.Pair(PairKey{"a", "macvlan"})
	assert.Equal(t, "away", why.Detail)

	ended, cancel := context.WithCancelCause(t.Context())
	cancel(ErrInterrupted)
	assert.ErrorIs(t, pool.Renew(ended, wanted("a", "node")[0]), ErrInterrupted)
}
