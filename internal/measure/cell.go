package measure

import "strings"

// Cell names one row of a table: a benchmark run over one datapath. Control
// marks the second copy of an arm that the A/A comparison is made with.
type Cell struct {
	Arm       string `json:"arm"`
	Path      string `json:"path"`
	Placement string `json:"placement"`
	Benchmark string `json:"benchmark"`
	Control   bool   `json:"control,omitempty"`
}

// String is the cell's stable name, as "macvlan/pod-ip/cross-node/sockperf-latency".
func (c Cell) String() string {
	arm := c.Arm
	if c.Control {
		arm += "#control"
	}
	return strings.Join([]string{arm, c.Path, c.Placement, c.Benchmark}, "/")
}

// Round is one valid block: every cell of a comparison measured once, in
// random order. Values has exactly one entry per cell.
type Round struct {
	Index  int
	Values map[Cell]Values
	// Disturbed tells that others disturbed the round beyond the limit, and that it
	// counts all the same: the profile allows no more drops.
	Disturbed bool
}
