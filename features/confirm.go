package features

import (
	"context"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/fixtures/workload"
)

// renewHostPairs makes the pods of the arms on the nodes' own network anew, for
// a confirming batch: unlike those of other arms, the old ones can't stay beside
// fresh ones, since both would listen on the same ports of the same node. Where
// there are none yet the batch itself makes them.
func (s *Suite) renewHostPairs(ctx context.Context, cmp plan.Decided) error {
	for _, c := range cmp.Cells {
		arm := c.Arm
		if c.Cell.Control {
			continue
		}
		key := arm.Cluster + "/" + arm.Datapath
		old, ok := s.pairs[key]
		if !ok || arm.Network != workload.HostNetwork {
			continue
		}
		fresh, err := s.deployers[arm.Cluster].Replace(ctx, old.Spec)
		if err != nil {
			return err
		}
		s.pairs[key] = fresh
	}
	return nil
}
