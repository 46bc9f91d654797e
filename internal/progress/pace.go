package progress

import (
	"slices"
	"time"
)

// The bounds of a pace: what lies beyond says more about a fault than about the
// machine.
const (
	minPace = 0.25
	maxPace = 10
)

// seedWeight is how much expected time a seed counts as, so that one short stage
// does not outweigh a calibration.
const seedWeight = 30 * time.Second

// pace is how many times longer than on the reference machine the stages took
// here: the ratio of the sums of what they took and what was expected. Of a stage
// that ran beside others only the share of time counts that no other stage has
// counted yet, so that what runs at once is not counted twice.
type pace struct {
	took, expected time.Duration
	counted        []span // without overlaps
}

type span struct{ from, to time.Time }

// Pace is how many times longer than on the reference machine stages take here,
// between 0.25 and 10; 1 as long as nothing is known.
func (r *Reporter) Pace() float64 {
	if r == nil {
		return 1
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pace.factor()
}

// SeedPace tells the pace that a calibration of the machine expects, before any
// stage has ended. It counts as much as stages of 30 s.
func (r *Reporter) SeedPace(factor float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	factor = min(max(factor, minPace), maxPace)
	r.pace.took += time.Duration(factor * float64(seedWeight))
	r.pace.expected += seedWeight
}

func (p *pace) factor() float64 {
	if p.expected <= 0 {
		return 1
	}
	return min(max(float64(p.took)/float64(p.expected), minPace), maxPace)
}

func (p *pace) scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) * p.factor())
}

// learn counts a stage that ended well. One without an expectation on the
// reference machine tells nothing.
func (p *pace) learn(started time.Time, took, expected time.Duration) {
	if expected <= 0 || took <= 0 {
		return
	}
	s := span{started, started.Add(took)}
	fresh := s.to.Sub(s.from)
	for _, c := range p.counted {
		fresh -= s.overlap(c)
	}
	p.took += fresh
	p.expected += time.Duration(float64(expected) * float64(fresh) / float64(took))
	p.cover(s)
}

func (s span) overlap(o span) time.Duration {
	from, to := s.from, s.to
	if o.from.After(from) {
		from = o.from
	}
	if o.to.Before(to) {
		to = o.to
	}
	return max(0, to.Sub(from))
}

// cover adds a span to those that were counted.
func (p *pace) cover(s span) {
	p.counted = slices.DeleteFunc(p.counted, func(c span) bool {
		if c.to.Before(s.from) || c.from.After(s.to) {
			return false
		}
		if c.from.Before(s.from) {
			s.from = c.from
		}
		if c.to.After(s.to) {
			s.to = c.to
		}
		return true
	})
	p.counted = append(p.counted, s)
}
