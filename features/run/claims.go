package run

import (
	"slices"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/features/proof"
	"github.com/cniperf/cniperf/fixtures/cni/cilium"
	"github.com/cniperf/cniperf/fixtures/workload"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/node"
)

// claims are what an arm claims of a path.
func claims(arm plan.Arm, path measure.Path) proof.Arm {
	claimed := proof.Arm{
		Service:       arm.Service,
		Interface:     arm.InterfaceOn(path),
		HostInterface: arm.HostInterface,
		HostNetwork:   arm.Network == workload.HostNetwork,
		Cilium:        arm.CNI == "cilium" || arm.Service == proof.SocketLB,
		Accelerated:   arm.Accelerated,
		Tunnelled:     slices.Contains(arm.Proof, plan.Tunnel),
	}
	if claimed.HostNetwork {
		claimed.Interface = "" // the node's route tells which
	}
	return claimed
}

// claimed is the sample that a target's path is proven by.
func (t *target) claimed(bench plan.Benchmark, argv []string) proof.Sample {
	return proof.Sample{
		Path: t.cell.Cell.Path, Argv: argv, Server: t.pair.Server.IP, ClusterIP: t.pair.ClusterIP, Port: bench.Port, UDP: bench.UDP,
	}
}

// agent is what Cilium's agent told, where the node was asked for it.
func agent(arm plan.Arm, q node.Question, answer node.Counts) proof.Agent {
	if !q.Cilium {
		return proof.Agent{}
	}
	facts, err := cilium.ProveStatus("the agent", answer.Cilium, arm.Claims)
	a := proof.Agent{Err: err}
	for _, f := range facts {
		a.Found = append(a.Found, f.Claim+": "+f.Found)
	}
	return a
}
