// Package counter subtracts what counts up only: packets, bytes, clock ticks. A
// difference of two readings is a number only where the later one isn't smaller.
package counter

import "fmt"

// BackError tells that a counter went back between two readings: it was reset, or
// what it belongs to was made anew. What it counted meanwhile nobody knows.
type BackError struct {
	Counter       string // its name, for people
	Before, After uint64
}

func (e *BackError) Error() string {
	return fmt.Sprintf("counter %s went back from %d to %d", e.Counter, e.Before, e.After)
}

// Delta is what the counter of that name counted between two readings, in its own
// unit. The error is a *BackError.
func Delta(name string, before, after uint64) (uint64, error) {
	if after < before {
		return 0, &BackError{Counter: name, Before: before, After: after}
	}
	return after - before, nil
}

// Reading is one counter, read twice.
type Reading struct {
	Name          string
	Before, After uint64
}

// Deltas are the differences of several counters, in their order, or the
// *BackError of the first that went back.
func Deltas(readings ...Reading) ([]uint64, error) {
	deltas := make([]uint64, len(readings))
	for i, r := range readings {
		var err error
		if deltas[i], err = Delta(r.Name, r.Before, r.After); err != nil {
			return nil, err
		}
	}
	return deltas, nil
}
