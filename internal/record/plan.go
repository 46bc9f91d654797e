// Package record has the shapes of what a run records beside its journal's lines,
// with their versions. They are apart from the types that decide what is measured,
// so that those may change while recorded runs stay readable; and they are in
// internal, since history and judge read them and must not know features.
package record

import (
	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/verdict"
)

// PlanVersion is the version of the plans that this cniperf writes. A change of
// any field's name or meaning, and any new field, takes the next number.
const PlanVersion = 2

// Plan is everything that decided what a run measured. Runs of one plan are
// comparable.
type Plan struct {
	Version    int                 `json:"version" jsonschema:"version of this format"`
	Profile    Profile             `json:"profile" jsonschema:"how much was measured, as the lab's clusters allowed it"`
	Catalogue  Catalogue           `json:"catalogue" jsonschema:"everything that could be measured"`
	Thresholds verdict.Thresholds  `json:"thresholds" jsonschema:"the assertions"`
	Labels     map[string][]string `json:"labels,omitempty" jsonschema:"labels that selected comparisons: all keys, any value of each"`
	// Comparisons are the profile's, as they were measured on this lab. Plans of
	// version 1 tell only the ceilings.
	Comparisons []Decided `json:"comparisons" jsonschema:"the profile's comparisons as this lab allowed them"`
	LeftOut     []LeftOut `json:"leftOut,omitempty" jsonschema:"comparisons that the lab could not measure"`
	Seed        uint64    `json:"seed" jsonschema:"seed of the random order"`
}

// Decided is a comparison as a lab allowed it.
type Decided struct {
	Name      string             `json:"name"`
	Arms      []string           `json:"arms,omitempty" jsonschema:"arms measured in each round"`
	Control   string             `json:"control,omitempty" jsonschema:"the arm that has a second copy in every round"`
	LeftOut   []LeftOut          `json:"leftOut,omitempty" jsonschema:"arms that the lab could not measure"`
	MaxRounds int                `json:"maxRounds,omitempty" jsonschema:"valid rounds at most"`
	Ceilings  map[string]float64 `json:"ceilings,omitempty" jsonschema:"the arms' shared limits by metric, in its unit"`
}

// Ceilings are the limits that the arms of a comparison share, by metric and in
// its unit; nil for none.
func (p Plan) Ceilings(comparison string) map[string]float64 {
	for _, d := range p.Comparisons {
		if d.Name == comparison {
			return d.Ceilings
		}
	}
	return nil
}

// Profile is how much was measured.
type Profile struct {
	Name             string            `json:"name"`
	SampleSeconds    int               `json:"sampleSeconds,omitempty" jsonschema:"seconds of one sample"`
	BenchmarkSeconds map[string]int    `json:"benchmarkSeconds,omitempty" jsonschema:"the same for single benchmarks"`
	Published        bool              `json:"published,omitempty" jsonschema:"by the published page's own command lines"`
	Pin              Pin               `json:"pin" jsonschema:"the CPU of each end: last or a number"`
	PodSets          int               `json:"podSets,omitempty" jsonschema:"pairs of pods of every cell; rounds measure them in turn"`
	MinRounds        int               `json:"minRounds,omitempty"`
	MaxRounds        int               `json:"maxRounds,omitempty" jsonschema:"valid rounds at most, where a gate is at stake"`
	InformRounds     int               `json:"informRounds,omitempty" jsonschema:"the same where claims only inform"`
	BudgetMinutes    int               `json:"budgetMinutes,omitempty" jsonschema:"minutes after which no comparison begins"`
	Comparisons      []string          `json:"comparisons,omitempty"`
	Clusters         []string          `json:"clusters,omitempty" jsonschema:"only the arms of these, if there are any"`
	Judge            bool              `json:"judge,omitempty" jsonschema:"whether the rounds suffice for verdicts"`
	Interference     interference.Rule `json:"interference" jsonschema:"which rounds were marked and which dropped because others disturbed them"`
}

// How is the profile without what says how much is measured: what is left says
// how, and two runs that differ in it can't be compared.
func (p Profile) How() Profile {
	p.Comparisons, p.Clusters, p.BudgetMinutes, p.MaxRounds, p.InformRounds, p.Judge = nil, nil, 0, 0, 0, false
	return p
}

// Pin is the CPU that each end was pinned to.
type Pin struct {
	Client string `json:"client,omitempty"`
	Server string `json:"server,omitempty"`
}

// Catalogue is everything that the lab could have measured.
type Catalogue struct {
	Arms        []Arm        `json:"arms"`
	Benchmarks  []Benchmark  `json:"benchmarks"`
	Comparisons []Comparison `json:"comparisons"`
}

// Arm is a datapath in a cluster of the lab.
type Arm struct {
	Name             string   `json:"name"`
	Datapath         string   `json:"datapath,omitempty" jsonschema:"absent in version 1"`
	Cluster          string   `json:"cluster" jsonschema:"of the lab, where its pods ran"`
	CNI              string   `json:"cni"`
	Network          string   `json:"network" jsonschema:"host, pod or a SpiderMultusConfig"`
	ServerNetwork    string   `json:"serverNetwork,omitempty" jsonschema:"the server's, if another"`
	Path             string   `json:"path,omitempty" jsonschema:"instead of the comparison's"`
	Service          string   `json:"service,omitempty" jsonschema:"what translates ClusterIPs"`
	ServiceInterface string   `json:"serviceInterface,omitempty" jsonschema:"the client's interface towards ClusterIPs"`
	HostInterface    string   `json:"hostInterface,omitempty" jsonschema:"how the node's end of the client's interface begins"`
	Accelerated      bool     `json:"accelerated,omitempty" jsonschema:"the server's port was accelerated by tcpip-bypass"`
	Server           string   `json:"server,omitempty" jsonschema:"instead of the benchmark's"`
	Port             int      `json:"port,omitempty" jsonschema:"instead of the benchmark's"`
	Proof            []string `json:"proof,omitempty" jsonschema:"that each of its samples owed; absent in version 1"`
}

// Benchmark is a tool with its parameters.
type Benchmark struct {
	Name       string `json:"name"`
	Tool       string `json:"tool,omitempty"`
	Server     string `json:"server,omitempty" jsonschema:"container of the server pod"`
	Metric     string `json:"metric,omitempty" jsonschema:"what its verdicts are about"`
	Port       int    `json:"port,omitempty"`
	UDP        bool   `json:"udp,omitempty"`
	DataPort   int    `json:"dataPort,omitempty" jsonschema:"netperf: port of the test's own connection"`
	Connect    bool   `json:"connect,omitempty" jsonschema:"netperf: a new connection for every transaction"`
	Streams    int    `json:"streams,omitempty" jsonschema:"iperf3: parallel connections"`
	Test       string `json:"test,omitempty" jsonschema:"redis-benchmark: get or set"`
	Requests   int    `json:"requests,omitempty" jsonschema:"redis-benchmark: for each second of the sample's length"`
	ValueBytes int    `json:"valueBytes,omitempty" jsonschema:"redis-benchmark: size of a value in bytes"`
}

// Comparison is arms measured in the same rounds, as the catalogue has it: by the
// names of datapaths, each of which stands for all its arms.
type Comparison struct {
	Name      string   `json:"name"`
	Title     string   `json:"title,omitempty"`
	Benchmark string   `json:"benchmark"`
	Path      string   `json:"path"`
	Placement string   `json:"placement"`
	Arms      []string `json:"arms"`
	Control   string   `json:"control" jsonschema:"the arm that has a second copy in every round"`
	Early     []string `json:"early,omitempty" jsonschema:"arms measured alone as well, before the other clusters are there"`
}
