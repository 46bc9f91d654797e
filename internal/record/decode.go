package record

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// DecodePlan reads a recorded plan of this version or an earlier one. The result
// has the present shape, with the version it was written in. No plan at all, as
// in a journal that was made by hand, is the zero Plan.
func DecodePlan(data json.RawMessage) (Plan, error) {
	if len(data) == 0 {
		return Plan{}, nil
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	switch {
	case head.Version > PlanVersion:
		return Plan{}, fmt.Errorf("plan: written by a newer cniperf: plan version %d, this one reads up to %d", head.Version, PlanVersion)
	case head.Version == 0: // the first had no number yet
		return decodeV1(data)
	case head.Version != PlanVersion:
		return Plan{}, fmt.Errorf("plan: there is no plan version %d: versions are 2 to %d, or absent", head.Version, PlanVersion)
	}
	// Strictly: what a reader overlooks, it would compare as if it were the same.
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var p Plan
	if err := d.Decode(&p); err != nil {
		return Plan{}, fmt.Errorf("plan of version %d: %w", head.Version, err)
	}
	return p, nil
}
