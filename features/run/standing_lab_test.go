//go:build lab

package run

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/journal"
)

// onTheLab begins a session on the standing lab. Its end removes what it made.
// replan may change what is planned; nil leaves it.
func onTheLab(t *testing.T, o Options, replan func(*Session)) *Session {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	if replan != nil {
		replan(s)
	}
	require.NoError(t, s.Begin(t.Context()))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		assert.NoError(t, s.room.cleanUp(ctx))
		assert.NoError(t, s.bed.Release(ctx))
		assert.NoError(t, s.book.writer.Close())
		s.progress.Close()
	})
	return s
}

// prepared brings up the clusters of a comparison and starts its pods. No arm may
// be left out.
func prepared(t *testing.T, s *Session, d plan.Decided) *Batch {
	t.Helper()
	b := newBatch(s.room, d, journal.PhaseFull)
	require.NoError(t, b.Prepare(t.Context()))
	require.Equal(t, d.Round(), roundOf(b.cells), "every arm can be had")
	return b
}
