package run

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/workload"
)

// newPool is a pool whose clusters have starters of their own, or the same one.
func newPool(own map[string]Starter, others Starter) *PodPool {
	return &PodPool{
		starter: func(cluster string) (Starter, error) {
			if s, ok := own[cluster]; ok {
				return s, nil
			}
			if others == nil {
				return nil, errors.New("cluster " + cluster + " is not up")
			}
			return others, nil
		},
		stage: func(string, time.Duration) func(error) error { return func(err error) error { return err } },
		idle:  func(context.Context, string, []*workload.Pair) error { return nil },
	}
}

// concluded is the exit code that the session's measurements give, and the reason.
func (o *offline) concluded(t *testing.T) (int, string) {
	t.Helper()
	outcome, err := ending{plan: o.plan, bed: o.bed, book: o.book, room: o.room, measured: o.measurements}.outcome()
	require.NoError(t, err)
	return outcome.ExitCode, outcome.String()
}
