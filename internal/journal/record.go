// Package journal keeps a run on disk: one append-only file of checksummed
// records and, beside it, the raw output of every tool under its own hash.
// Reports, verdicts and resumed runs are made from it and from nothing else.
package journal

import (
	"encoding/json"
	"time"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
)

// The phases of a comparison. The first is the early one that shows a verdict
// as soon as the first cluster stands; the full one, over all arms, replaces it.
// The confirming one is the second batch, on fresh pods, that a fail needs.
const (
	PhaseFirst   = "first"
	PhaseFull    = "full"
	PhaseConfirm = "confirm"
)

// Header is the first record: what was planned, on what. A resumed run must
// have the same plan hash and fingerprint.
type Header struct {
	RunID       string            `json:"run_id"`
	Seed        uint64            `json:"seed"`
	Profile     string            `json:"profile"`
	Plan        json.RawMessage   `json:"plan,omitempty"`
	PlanHash    string            `json:"plan_hash"`
	Fingerprint map[string]string `json:"fingerprint,omitempty"`
	Started     time.Time         `json:"started"`
	// Speed is how fast the machine was when the run began; nil where it was not
	// measured. It is no part of the fingerprint: it differs a little each time.
	Speed *Speed `json:"speed,omitempty"`
	// Version is the version of cniperf that measured.
	Version string `json:"version"`
	// Command is the argv that started the run, for the reproduce section.
	Command []string `json:"command,omitempty"`
}

// Speed is how fast a machine is, as package fixtures/machine/speed measures it.
type Speed struct {
	// Class names machines that are about as fast: only their runs are compared.
	Class string `json:"class"`
	// Pace is how many times longer than on the reference machine work took.
	Pace          float64 `json:"pace"`
	OneCore       float64 `json:"sorts_per_second_one_core"`
	AllCores      float64 `json:"sorts_per_second_all_cores"`
	ProcessStarts float64 `json:"process_starts_per_second"`
	Steal         float64 `json:"steal_share"` // of all CPUs' time, 0 to 1
}

// Stage is how long a part of the run took, and the error that ended it.
type Stage struct {
	Name     string        `json:"name"`
	Duration time.Duration `json:"duration_ns"`
	Error    string        `json:"error,omitempty"`
}

// Fact is a proof of what a cluster runs.
type Fact struct {
	Cluster string `json:"cluster"`
	Subject string `json:"subject"`
	Claim   string `json:"claim"`
	Found   string `json:"found"`
}

// Fingerprint is what a cluster was measured as, or one of its nodes: the versions and
// images, or the hardware and tools, that a resumed run must find again.
type Fingerprint struct {
	Cluster string            `json:"cluster"`
	Node    string            `json:"node,omitempty"` // none for the cluster itself
	Values  map[string]string `json:"values"`
}

// Resume says that another process went on with the run.
type Resume struct {
	Started time.Time `json:"started"`
	Command []string  `json:"command,omitempty"`
	// Warnings are what reading the journal said, such as a torn line that is
	// cut off since.
	Warnings []string `json:"warnings,omitempty"`
}

// Attempt says that a round is begun, and in which order its cells are measured.
// Its Round record closes it.
type Attempt struct {
	Comparison string         `json:"comparison"`
	Phase      string         `json:"phase"`
	Round      int            `json:"round"`
	Attempt    int            `json:"attempt"`
	Cells      []measure.Cell `json:"cells"`
}

// Check is a proof of the path that one sample took.
type Check struct {
	Claim string `json:"claim"`
	Found string `json:"found"`
	OK    bool   `json:"ok"`
}

// Sample is one run of one tool. Invalid is the reason why it doesn't count,
// empty for a valid one.
type Sample struct {
	Comparison string       `json:"comparison"`
	Phase      string       `json:"phase"`
	Round      int          `json:"round"`
	Attempt    int          `json:"attempt"`
	Order      int          `json:"order"` // place in the round's random order
	Cell       measure.Cell `json:"cell"`
	Command    []string     `json:"command,omitempty"`
	ClientPod  string       `json:"client_pod,omitempty"`
	ServerPod  string       `json:"server_pod,omitempty"`
	ClientNode string       `json:"client_node,omitempty"`
	ServerNode string       `json:"server_node,omitempty"`
	ClientCPU  int          `json:"client_cpu"`
	ServerCPU  int          `json:"server_cpu"`
	Address    string       `json:"address,omitempty"` // what the client dialled
	// StartedAt is the time since the run began, by the monotonic clock.
	StartedAt time.Duration  `json:"started_at_ns"`
	Duration  time.Duration  `json:"duration_ns"`
	ToolTime  time.Duration  `json:"tool_time_ns,omitempty"` // for which the tool itself ran
	ToolDone  bool           `json:"tool_done,omitempty"`    // it ended by itself, without an error
	Values    measure.Values `json:"values,omitempty"`
	Raw       string         `json:"raw,omitempty"` // SHA-256 of the raw output
	RawBytes  int64          `json:"raw_bytes,omitempty"`
	Checks    []Check        `json:"checks,omitempty"`
	// Disturbance is how others disturbed this sample, by the names of package
	// interference.
	Disturbance map[string]float64 `json:"disturbance,omitempty"`
	Invalid     string             `json:"invalid,omitempty"`
	// Interrupted tells that the run ended while this was measured, which says
	// nothing about the cell.
	Interrupted bool `json:"interrupted,omitempty"`
}

// Dropped tells that the sample was invalid for a reason of its own.
func (s Sample) Dropped() bool { return s.Invalid != "" && !s.Interrupted }

// Round closes a block: all its samples count, or none does and Why says why.
type Round struct {
	Comparison string `json:"comparison"`
	Phase      string `json:"phase"`
	Round      int    `json:"round"`
	Attempt    int    `json:"attempt,omitempty"`
	Valid      bool   `json:"valid"`
	// Why is the reason of a round that does not count. Runs of earlier versions
	// have it as a text in Cause; Dropped tells either.
	Why         *Drop              `json:"why,omitempty"`
	Cause       string             `json:"cause,omitempty"`
	Interrupted bool               `json:"interrupted,omitempty"` // the run ended in it
	Disturbance map[string]float64 `json:"disturbance,omitempty"`
	Disturbed   bool               `json:"disturbed,omitempty"`
	// Kept tells that the round counts although the rule that was fixed
	// beforehand would drop it: as many as it allows were dropped already.
	Kept bool `json:"kept,omitempty"`
}

// Skip is a cell that isn't measured, with its reason; in every phase if Phase
// is empty. A Cell without an arm is the whole comparison.
type Skip struct {
	Cell       measure.Cell `json:"cell"`
	Comparison string       `json:"comparison"`
	Phase      string       `json:"phase,omitempty"`
	// Why is the reason. Runs of earlier versions have it as a text in Reason.
	Why    *record.Reason `json:"why,omitempty"`
	Reason string         `json:"reason,omitempty"`
}

// Text is the reason in words.
func (s Skip) Text() string {
	if s.Why == nil {
		return s.Reason
	}
	return s.Why.String()
}

// Verdict is the judgement of one assertion. Verdict holds its evidence in the
// form that the judge gave it.
type Verdict struct {
	Comparison string          `json:"comparison"`
	Phase      string          `json:"phase"`
	Assertion  string          `json:"assertion"`
	Outcome    string          `json:"outcome"` // pass, fail or inconclusive
	Sentence   string          `json:"sentence"`
	Gate       bool            `json:"gate"` // decides the exit code; else it only informs
	Verdict    json.RawMessage `json:"verdict,omitempty"`
}

// End is the last record of a run that ended in an orderly way.
type End struct {
	Outcome  string        `json:"outcome"`
	ExitCode int           `json:"exit_code"`
	Reason   string        `json:"reason,omitempty"`
	Duration time.Duration `json:"duration_ns"`
}
