package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/cniperf/cniperf/internal/record"
)

// Record returns the plan as JSON and that JSON's SHA-256. Two runs with one hash
// are comparable, and one may resume the other.
func (p Plan) Record() (json.RawMessage, string, error) {
	b, err := json.Marshal(p.recorded())
	if err != nil {
		return nil, "", fmt.Errorf("plan: %w", err)
	}
	sum := sha256.Sum256(b)
	return b, hex.EncodeToString(sum[:]), nil
}

// recorded turns the plan into what the journal keeps. The conversions compile
// only as long as both sides have the same fields.
func (p Plan) recorded() record.Plan {
	r := record.Plan{
		Version: record.PlanVersion, Profile: p.Profile.recorded(),
		Thresholds: p.Thresholds, Labels: p.Labels, LeftOut: p.LeftOut, Seed: p.Seed,
	}
	for _, a := range p.Arms {
		r.Catalogue.Arms = append(r.Catalogue.Arms, a.recorded())
	}
	for _, b := range p.Catalogue.Benchmarks {
		r.Catalogue.Benchmarks = append(r.Catalogue.Benchmarks, record.Benchmark(b))
	}
	for _, c := range p.Catalogue.Comparisons {
		r.Catalogue.Comparisons = append(r.Catalogue.Comparisons, record.Comparison(c))
	}
	for _, d := range p.full {
		decided := record.Decided{Name: d.Name, Arms: d.Arms, Control: d.Control, MaxRounds: d.MaxRounds, Ceilings: d.Ceilings}
		for _, l := range d.LeftOut {
			decided.LeftOut = append(decided.LeftOut, l.LeftOut)
		}
		r.Comparisons = append(r.Comparisons, decided)
	}
	return r
}

func (p Profile) recorded() record.Profile {
	return record.Profile{
		Name: p.Name, SampleSeconds: p.SampleSeconds, BenchmarkSeconds: p.BenchmarkSeconds, Published: p.Published,
		Pin: record.Pin(p.Pin), PodSets: p.PodSets, MinRounds: p.MinRounds, MaxRounds: p.MaxRounds,
		InformRounds: p.InformRounds, BudgetMinutes: p.BudgetMinutes, Comparisons: p.Comparisons, Clusters: p.Clusters,
		Judge: p.Judge, Interference: p.Interference,
	}
}

func (a Arm) recorded() record.Arm {
	r := record.Arm{
		Name: a.Name, Datapath: a.Datapath, Cluster: a.Cluster, CNI: a.CNI,
		Network: string(a.Network), ServerNetwork: string(a.ServerNetwork), Path: a.Path,
		Service: a.Service, ServiceInterface: a.ServiceInterface, HostInterface: a.HostInterface,
		Accelerated: a.Accelerated, Server: a.Server, Port: a.Port,
	}
	for _, proof := range a.Proof {
		r.Proof = append(r.Proof, string(proof))
	}
	return r
}
