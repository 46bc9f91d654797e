package features

import (
	"context"

	"github.com/cniperf/cniperf/fixtures/workload"
)

// renewHostPairs makes the pods of the arms on the nodes' own network anew, for
// a confirming batch: unlike those of other arms, the old ones can't stay beside
// fresh ones, since both would listen on the same ports of the same node. Where
// there are none yet the batch itself makes them.
func (s *Suite) renewHostPairs(ctx context.Context, cmp Comparison) error {
	for _, name := range cmp.Arms {
		arm, err := s.Catalogue.Arm(name)
		if err != nil {
			return err
		}
		key := arm.Cluster + "/" + arm.Name
		old, ok := s.pairs[key]
		if !ok || arm.Network != workload.HostNetwork {
			continue
		}
		if s.pairs[key], err = s.deployers[arm.Cluster].Replace(ctx, old.Spec); err != nil {
			return err
		}
	}
	return nil
}
