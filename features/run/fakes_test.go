package run

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/progress"
)

// fakeStarter starts every pair but those it refuses by name.
type fakeStarter struct {
	refuse map[string]error
	// gate is called before pairs start; nil lets them.
	gate func(context.Context) error

	mu       sync.Mutex
	started  []string
	replaced []string
}

func (f *fakeStarter) Start(ctx context.Context, specs []workload.Spec) ([]workload.Started, error) {
	if f.gate != nil {
		if err := f.gate(ctx); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []workload.Started
	for _, spec := range specs {
		f.started = append(f.started, spec.Name)
		one := workload.Started{Spec: spec, Err: f.refuse[spec.Name]}
		if one.Err == nil {
			one.Pair = &workload.Pair{Spec: spec}
		}
		all = append(all, one)
	}
	return all, nil
}

func (f *fakeStarter) Replace(_ context.Context, spec workload.Spec) (*workload.Pair, error) {
	f.replaced = append(f.replaced, spec.Name)
	if err := f.refuse[spec.Name]; err != nil {
		return nil, err
	}
	return &workload.Pair{Spec: spec}, nil
}

func (f *fakeStarter) Recover(context.Context, ...string) error { return nil }
func (f *fakeStarter) Delete(context.Context) error             { return nil }

// fakeBed has every cluster but those that it can't bring up.
type fakeBed struct {
	broken map[string]error
	asked  []string
	up     map[string]*testbed.Cluster
}

func (f *fakeBed) Cluster(ctx context.Context, name string) (*testbed.Cluster, bool, error) {
	f.asked = append(f.asked, name)
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	if err := f.broken[name]; err != nil {
		return nil, false, err
	}
	if c, ok := f.up[name]; ok {
		return c, false, nil
	}
	if f.up == nil {
		f.up = map[string]*testbed.Cluster{}
	}
	f.up[name] = &testbed.Cluster{Name: name, ServerNode: "server", ClientNode: "client"}
	return f.up[name], true, nil
}

// offline is a session of the embedded lab whose clusters and pods are fakes, and
// whose journal is real.
type offline struct {
	*Session
	clusters *fakeBed
	pods     *fakeStarter // of all clusters
}

func newOffline(t *testing.T, profile string) *offline {
	t.Helper()
	s, err := New(Options{Profile: profile, Seed: 1, Gate: true})
	require.NoError(t, err)
	s.bed = &testbed.Testbed{Spec: s.lab}
	s.progress = progress.New(io.Discard)
	s.runDir = filepath.Join(t.TempDir(), "run")
	s.book.writer, err = journal.Create(s.runDir, journal.Header{RunID: "offline"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.book.writer.Close()) })
	o := &offline{Session: s, clusters: &fakeBed{broken: map[string]error{}}, pods: &fakeStarter{refuse: map[string]error{}}}
	w := &workers{all: map[string]*worker{}}
	for _, c := range s.lab.Clusters {
		w.all[c.Name] = &worker{cluster: &testbed.Cluster{Name: c.Name}}
	}
	s.room = &room{
		plan: s.plan, workers: w, book: s.book, progress: s.progress,
		judge: judge{s.plan, s.bed.Provider()},
		clusters: &Clusters{
			bed: o.clusters, say: s.progress.Printf,
			note: func(context.Context, *testbed.Cluster) error { return nil },
		},
		pods:   newPool(map[string]Starter{}, o.pods),
		ready:  func(context.Context, *target, plan.Benchmark) error { return nil },
		cilium: func(string) bool { return false },
	}
	return o
}

// decided is a comparison of the session's plan.
func (o *offline) decided(t *testing.T, comparison string) plan.Decided {
	t.Helper()
	d, err := o.plan.Of(comparison, journal.PhaseFull)
	require.NoError(t, err)
	return d
}

// recorded are the skips that the journal holds.
func (o *offline) recorded(t *testing.T) []journal.Skip {
	t.Helper()
	run, err := journal.Read(o.runDir)
	require.NoError(t, err)
	return run.Skips
}

// cellOf is an arm's cell in a comparison, not its second copy.
func cellOf(t *testing.T, d plan.Decided, arm string) measure.Cell {
	t.Helper()
	i := slices.IndexFunc(d.Cells, func(c plan.Cell) bool { return c.Arm.Name == arm && !c.Cell.Control })
	require.GreaterOrEqual(t, i, 0, arm)
	return d.Cells[i].Cell
}

// measuredRounds are n rounds of the cells, in which an arm's latency is the given one in
// microseconds; that of others is 40. Every second one is a little longer.
func measuredRounds(cells []measure.Cell, n int, latency map[string]float64) []measure.Round {
	var all []measure.Round
	for i := 1; i <= n; i++ {
		r := measure.Round{Index: i, Values: map[measure.Cell]measure.Values{}}
		for j, c := range cells {
			value := 40.
			if v, ok := latency[c.Arm]; ok {
				value = v
			}
			if (i+j)%2 == 0 {
				value *= 1.001
			}
			r.Values[c] = measure.Values{{Metric: measure.Latency, Value: value}}
		}
		all = append(all, r)
	}
	return all
}
