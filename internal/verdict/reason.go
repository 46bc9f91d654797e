package verdict

import (
	"fmt"

	"github.com/cniperf/cniperf/internal/measure"
)

// Code says why an assertion was not decided.
type Code string

const (
	// Elsewhere: the assertion AppliesTo other labs than one of this Provider.
	Elsewhere Code = "elsewhere"
	// NotMeasured: the Cells have no value of the metric.
	NotMeasured Code = "not-measured"
	// NeverTogether: the two Cells were measured, but in no round together.
	NeverTogether Code = "never-together"
	// CopiesDiffer: the two copies of Cells[0] differ by Difference in the rounds
	// of the comparison.
	CopiesDiffer Code = "copies-differ"
	// RunCopiesDiffer: the same of another comparison, so clearly that the whole
	// run is in doubt.
	RunCopiesDiffer Code = "run-copies-differ"
	// Disturbed: in so many of the Rounds external interference was beyond the
	// profile's limit.
	Disturbed Code = "disturbed"
	// NoControl: no arm has a second copy, so the noise is not known.
	NoControl Code = "no-control"
	// NoiseUnknown: the two copies share too few rounds to bound the noise.
	NoiseUnknown Code = "noise-unknown"
	// Drift: the rounds showed first one side ahead, then the other.
	Drift Code = "drift"
	// ToolLimit: the tool of Cells[0] took CPU per cent of a core.
	ToolLimit Code = "tool-limit"
	// Saturated: both arms are Within a fraction of the shared Ceiling.
	Saturated Code = "saturated"
	// UnequalDrops: DroppedA and DroppedB rounds differ by more than chance.
	UnequalDrops Code = "unequal-drops"
	// Undecided: after Rounds of at most MaxRounds.
	Undecided Code = "undecided"
	// BelowNoise: the difference is less than NoiseFloor.
	BelowNoise Code = "below-noise"
	// OneOfMany: P, corrected for the Family's size, is above the family's Alpha.
	OneOfMany Code = "one-of-many"
	// ToConfirm: the first batch failed and a second has to confirm it.
	ToConfirm Code = "to-confirm"
	// NotConfirmed: the second batch does not confirm that the first failed.
	NotConfirmed Code = "not-confirmed"
)

// Reason is why an assertion was not decided, with its numbers. Which of them
// there are, Code tells. Fractions are of 1.
type Reason struct {
	Code       Code           `json:"code"`
	Second     bool           `json:"secondBatch,omitempty"` // the first batch failed, and this is about the second
	Cells      []measure.Cell `json:"cells,omitempty"`
	Rounds     int            `json:"rounds,omitempty"`
	MaxRounds  int            `json:"maxRounds,omitempty"`
	Disturbed  int            `json:"disturbed,omitempty"` // rounds
	DroppedA   int            `json:"droppedA,omitempty"`  // rounds
	DroppedB   int            `json:"droppedB,omitempty"`
	Difference float64        `json:"difference,omitempty"` // fraction
	NoiseFloor float64        `json:"noiseFloor,omitempty"` // fraction
	CPU        float64        `json:"cpu,omitempty"`        // per cent of a core
	Within     float64        `json:"within,omitempty"`     // fraction
	Ceiling    float64        `json:"ceiling,omitempty"`    // in the metric's unit
	Family     int            `json:"family,omitempty"`     // assertions
	P          float64        `json:"p,omitempty"`
	Alpha      float64        `json:"alpha,omitempty"`
	Provider   string         `json:"provider,omitempty"`
	AppliesTo  []string       `json:"appliesTo,omitempty"`
}

// words are the reason as a part of the verdict's sentence.
func (r Reason) words(v Verdict) string {
	if r.Second {
		return r.ofSecond(v)
	}
	switch r.Code {
	case Elsewhere:
		return fmt.Sprintf("it applies to %v, this lab is %q", r.AppliesTo, r.Provider)
	case NotMeasured:
		if len(r.Cells) == 2 {
			return fmt.Sprintf("no %s was measured for %s nor for %s", v.Metric.Name, r.Cells[0], r.Cells[1])
		}
		return fmt.Sprintf("no %s was measured for %s", v.Metric.Name, r.Cells[0])
	case NeverTogether:
		return fmt.Sprintf("%s and %s were never measured in the same round", r.Cells[0], r.Cells[1])
	case CopiesDiffer:
		return r.copies() + " in these rounds, so the rounds can't tell arms apart"
	case RunCopiesDiffer:
		return r.copies() + " in this run, so the run can't tell arms apart"
	case Disturbed:
		return fmt.Sprintf("external interference was beyond the limit in %d of %d rounds, so the rounds measured a busy machine",
			r.Disturbed, r.Rounds)
	case NoControl:
		return "no arm has a second copy, so the noise is not known"
	case NoiseUnknown:
		return "two copies of one arm share too few rounds, so the noise is not known yet"
	case Drift:
		return "the rounds first showed one side ahead, then the other: something drifts"
	case ToolLimit:
		return fmt.Sprintf("the tool limits %s: its event loop took %.0f %% of a core", r.Cells[0], r.CPU)
	case Saturated:
		return fmt.Sprintf("tie: saturated, both are within %s of the shared limit of %s",
			percent(r.Within), quantity(v.Metric, r.Ceiling))
	case UnequalDrops:
		return fmt.Sprintf("%s spoiled %d rounds and %s %d, so the rounds that count may not be typical",
			v.A.Arm, r.DroppedA, v.B.Arm, r.DroppedB)
	case Undecided:
		return fmt.Sprintf("undecided after %d of at most %d rounds", r.Rounds, r.MaxRounds)
	case BelowNoise:
		return fmt.Sprintf("the difference is below this run's noise of %s", percent(r.NoiseFloor))
	case OneOfMany:
		return fmt.Sprintf("clear by itself, but not yet as one of %d assertions", r.Family)
	case ToConfirm:
		return "the first batch failed; a second on fresh pods has to confirm it"
	}
	return string(r.Code)
}

// ofSecond words what the confirming batch lacks.
func (r Reason) ofSecond(v Verdict) string {
	switch r.Code {
	case CopiesDiffer:
		return "the first batch failed, but in the second " + r.copies()
	case Disturbed:
		return fmt.Sprintf("the first batch failed, but external interference was beyond the limit in %d of the second's %d rounds",
			r.Disturbed, r.Rounds)
	case NotConfirmed:
		return "the first batch failed; the second, on fresh pods, does not confirm it"
	}
	r.Second = false
	return "in the second batch " + r.words(v)
}

func (r Reason) copies() string {
	return fmt.Sprintf("two copies of %s differ by %s", r.Cells[0], percent(r.Difference))
}
