package journal

import (
	"fmt"
	"strings"

	"github.com/cniperf/cniperf/internal/interference"
	"github.com/cniperf/cniperf/internal/measure"
)

// DropCode says why a round does not count.
type DropCode string

const (
	// InvalidSample: the sample of Cell did not count, for the reason in Detail.
	InvalidSample DropCode = "invalid-sample"
	// Interference: others disturbed the round, by the numbers in Beyond.
	Interference DropCode = "interference"
	// Ended: the run ended in the round, for the reason in Detail.
	Ended DropCode = "ended"
)

// Drop is why a round does not count.
type Drop struct {
	Code   DropCode              `json:"code"`
	Cell   *measure.Cell         `json:"cell,omitempty"`
	Detail string                `json:"detail,omitempty"`
	Beyond []interference.Excess `json:"beyond,omitempty"`
}

// String is the reason in words.
func (d Drop) String() string {
	switch d.Code {
	case InvalidSample:
		if d.Cell == nil {
			return d.Detail
		}
		return fmt.Sprintf("%s: %s", d.Cell, d.Detail)
	case Interference:
		if len(d.Beyond) == 0 {
			return "external interference: " + d.Detail
		}
		said := make([]string, len(d.Beyond))
		for i, e := range d.Beyond {
			said[i] = e.String()
		}
		return "external interference: " + strings.Join(said, ", ")
	}
	return d.Detail
}

// oldInterference began the text of a round that was dropped because of
// interference, before reasons had codes.
const oldInterference = "others disturbed it: "

// Dropped is why the round does not count, and whether it doesn't. The text of
// an earlier version is the detail of an invalid sample without a cell, unless
// it tells of interference.
func (r Round) Dropped() (Drop, bool) {
	switch {
	case r.Valid:
		return Drop{}, false
	case r.Why != nil:
		return *r.Why, true
	case r.Interrupted:
		return Drop{Code: Ended, Detail: r.Cause}, true
	case strings.HasPrefix(r.Cause, oldInterference):
		return Drop{Code: Interference, Detail: strings.TrimPrefix(r.Cause, oldInterference)}, true
	}
	return Drop{Code: InvalidSample, Detail: r.Cause}, true
}
