package verdict

import (
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// Outcome is a verdict's word.
type Outcome string

const (
	Pass         Outcome = "pass"
	Fail         Outcome = "fail"
	Inconclusive Outcome = "inconclusive"
	Skipped      Outcome = "skipped" // not judged at all, with the reason
)

// Exit codes of a gate.
const (
	ExitPass           = 0
	ExitFail           = 1
	ExitInconclusive   = 2
	ExitInfrastructure = 3
)

// Comparison is a set of rounds measured together. Those of an arm that was left
// out midway lack its cell.
type Comparison struct {
	Name string
	// Cells are those that were to be measured, which tells whose the claims about
	// cells without a value are; none where that is not known.
	Cells []measure.Cell

	Rounds     []measure.Round
	Confirming []measure.Round // a second batch on fresh pods; none until it was asked for
	// PodSets is how many pairs of pods of every cell take turns: round i has the
	// pair (i−1) mod PodSets. Zero is taken as one.
	PodSets int

	// Dropped counts, per cell, the rounds dropped because of that cell.
	Dropped map[measure.Cell]int
	// Ceilings are shared limits by metric name, in its unit: the link's rate.
	Ceilings map[string]float64
}

// Verdict is an assertion's outcome with all it rests on.
type Verdict struct {
	Name              string         `json:"name"`
	Sentence          string         `json:"sentence"`
	Source            string         `json:"source"`
	Published         *Published     `json:"published,omitempty"`
	Role              Role           `json:"role"`
	Outcome           Outcome        `json:"outcome"`
	Why               *Reason        `json:"why,omitempty"` // of an inconclusive or skipped one
	Explanation       string         `json:"explanation"`   // one sentence for a tired person, by Explain
	NeedsConfirmation bool           `json:"needsConfirmation,omitempty"`
	Elsewhere         bool           `json:"elsewhere,omitempty"`  // skipped because it applies to other labs
	Final             bool           `json:"final"`                // no further round can change it
	Comparison        string         `json:"comparison,omitempty"` // whose rounds it is about, or would be
	A                 measure.Cell   `json:"a"`                    // claimed better
	B                 measure.Cell   `json:"b"`
	Metric            measure.Metric `json:"metric"`
	NonInferiority    bool           `json:"nonInferiority,omitempty"` // claimed is that A is at most the margin worse
	Evidence          *Evidence      `json:"evidence,omitempty"`
	Confirmation      *Evidence      `json:"confirmation,omitempty"`
}

// Evidence is what one batch of rounds shows. Ratios are of costs, A to B:
// below one is better for A whatever the metric. What isn't there yet is absent.
type Evidence struct {
	Rounds      int      `json:"rounds"` // counted
	Ties        int      `json:"ties"`
	N           int      `json:"n"`    // rounds that favour a side
	Wins        int      `json:"wins"` // of these, below Theta
	EPass       float64  `json:"ePass"`
	EFail       float64  `json:"eFail"` // the largest so far, both
	Bound       float64  `json:"bound"` // decides when reached
	P           float64  `json:"p"`     // exact, of the side that leads
	PHolm       float64  `json:"pHolm"` // the same, adjusted for the family
	Alpha       float64  `json:"alpha"`
	MaxRounds   int      `json:"maxRounds"`
	Margin      float64  `json:"margin"` // as used: a regression's is never under twice the floor
	Theta       float64  `json:"theta"`  // log cost ratio of the margin
	MedianRatio *float64 `json:"medianRatio,omitempty"`
	Low         *float64 `json:"low,omitempty"`
	High        *float64 `json:"high,omitempty"`
	Confidence  float64  `json:"confidence"` // of low to high
	NoiseFloor  *float64 `json:"noiseFloor,omitempty"`
	Detectable  *float64 `json:"detectable,omitempty"` // smallest relative effect such a batch decides in 4 of 5 cases
	DroppedA    int      `json:"droppedA"`
	DroppedB    int      `json:"droppedB"`
}

// Unmeasured are the cells that were to be measured and have no value in any round.
func (c Comparison) Unmeasured() []measure.Cell {
	var cells []measure.Cell
	for _, cell := range c.Cells {
		if !slices.ContainsFunc(c.Rounds, func(r measure.Round) bool { return len(r.Values[cell]) > 0 }) {
			cells = append(cells, cell)
		}
	}
	return cells
}
