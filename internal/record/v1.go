package record

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/verdict"
)

// planV1 is the shape of the plans that were written before they had a version:
// the names of Go fields as they were at cb8fe70. It never changes.
type planV1 struct {
	Profile    profileV1
	Catalogue  catalogueV1
	Thresholds verdict.Thresholds
	Labels     map[string][]string
	Ceilings   map[string]map[string]float64 // by comparison and metric
	Seed       uint64
}

type profileV1 struct {
	Name             string
	SampleSeconds    int
	BenchmarkSeconds map[string]int
	Published        bool
	Pin              struct{ Client, Server string }
	PodSets          int
	MinRounds        int
	MaxRounds        int
	InformRounds     int
	BudgetMinutes    int
	Comparisons      []string
	Clusters         []string
	Judge            bool
	Interference     interference.Rule
}

type catalogueV1 struct {
	Arms        []armV1
	Benchmarks  []benchmarkV1
	Comparisons []comparisonV1
}

type armV1 struct {
	Name, Cluster, CNI, Network, ServerNetwork, Path string
	Service, ServiceInterface, HostInterface         string
	Accelerated                                      bool
	Server                                           string
	Port                                             int
}

type benchmarkV1 struct {
	Name, Tool, Server, Metric string
	Port                       int
	UDP                        bool
	DataPort                   int
	Connect                    bool
	Streams                    int
	Test                       string
	Requests, ValueBytes       int
}

type comparisonV1 struct {
	Name, Title, Benchmark, Path, Placement string
	Arms                                    []string
	Control                                 string
	Early                                   []string
}

// decodeV1 is lenient: its own fields came one by one without a number.
func decodeV1(data json.RawMessage) (Plan, error) {
	var v planV1
	if err := json.Unmarshal(data, &v); err != nil {
		return Plan{}, fmt.Errorf("plan of version 1: %w", err)
	}
	p := Plan{Version: 1, Profile: v.Profile.profile(), Thresholds: v.Thresholds, Labels: v.Labels, Seed: v.Seed}
	for _, a := range v.Catalogue.Arms {
		p.Catalogue.Arms = append(p.Catalogue.Arms, a.arm())
	}
	for _, b := range v.Catalogue.Benchmarks {
		p.Catalogue.Benchmarks = append(p.Catalogue.Benchmarks, Benchmark(b))
	}
	for _, c := range v.Catalogue.Comparisons {
		p.Catalogue.Comparisons = append(p.Catalogue.Comparisons, Comparison(c))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Ceilings)) {
		p.Comparisons = append(p.Comparisons, Decided{Name: name, Ceilings: v.Ceilings[name]})
	}
	return p, nil
}

func (v profileV1) profile() Profile {
	return Profile{
		Name: v.Name, SampleSeconds: v.SampleSeconds, BenchmarkSeconds: v.BenchmarkSeconds, Published: v.Published,
		Pin: Pin(v.Pin), PodSets: v.PodSets, MinRounds: v.MinRounds, MaxRounds: v.MaxRounds,
		InformRounds: v.InformRounds, BudgetMinutes: v.BudgetMinutes, Comparisons: v.Comparisons, Clusters: v.Clusters,
		Judge: v.Judge, Interference: v.Interference,
	}
}

func (v armV1) arm() Arm {
	return Arm{
		Name: v.Name, Cluster: v.Cluster, CNI: v.CNI, Network: v.Network, ServerNetwork: v.ServerNetwork, Path: v.Path,
		Service: v.Service, ServiceInterface: v.ServiceInterface, HostInterface: v.HostInterface,
		Accelerated: v.Accelerated, Server: v.Server, Port: v.Port,
	}
}
