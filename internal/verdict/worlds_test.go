package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
)

// CNIPERF_LONG=1 simulates as many runs as METHOD asks for; the short version
// finds a broken rule, not a subtle one.
func simulations() int {
	if os.Getenv("CNIPERF_LONG") != "" {
		return 20000
	}
	return 1500
}

// arms of a simulated comparison: the two compared, and the second copy of one.
const (
	armA = iota
	armB
	armCopy
	arms
)

// podSets is how many pairs of pods of every arm take turns in the rounds, as in
// the profiles that ship.
const podSets = 2

// world simulates a machine on which all arms are equal. start draws what stays
// for a batch and returns the sample taken at time t of an arm's pods of a set.
type world struct {
	name  string
	stuck bool
	start func(rng *rand.Rand) func(arm, set int, t float64) float64
}

// Values are around the lab's 12 µs with its spread of 1.5 % per sample, and
// where there are two modes they are the 13 and 38 µs seen unpinned.
func nullWorlds() []world {
	const fast, slow, sd = 13.0, 38.0, 0.015
	noise := func(rng *rand.Rand) float64 { return math.Exp(sd * rng.NormFloat64()) }
	return []world{
		{"normal", false, func(rng *rand.Rand) func(int, int, float64) float64 {
			return func(int, int, float64) float64 { return 12 + 12*sd*rng.NormFloat64() }
		}},
		{"lognormal", false, func(rng *rand.Rand) func(int, int, float64) float64 {
			return func(int, int, float64) float64 { return 12 * math.Exp(0.5*rng.NormFloat64()) }
		}},
		{"bimodal", false, func(rng *rand.Rand) func(int, int, float64) float64 {
			return func(int, int, float64) float64 { return []float64{fast, slow}[rng.IntN(2)] * noise(rng) }
		}},
		{"AR(1)", false, func(rng *rand.Rand) func(int, int, float64) float64 {
			// One state of the machine, from sample to sample; half a spread is the sample's own.
			x, last := 0.0, -1.0
			return func(_, _ int, t float64) float64 {
				for ; last < t; last++ {
					x = 0.9*x + 0.1*rng.NormFloat64()
				}
				return 12 * math.Exp(x) * noise(rng)
			}
		}},
		{"linear drift", false, func(rng *rand.Rand) func(int, int, float64) float64 {
			return func(_, _ int, t float64) float64 { return 12 * (1 + 0.02*t) * noise(rng) }
		}},
		{"1 µs ticks with ties", false, func(rng *rand.Rand) func(int, int, float64) float64 {
			return func(int, int, float64) float64 { return math.Round(12 + rng.NormFloat64()) }
		}},
		{"stuck: placement drawn once per pair of pods, 13 to 38 µs", true, func(rng *rand.Rand) func(int, int, float64) float64 {
			return stuckAt(func() float64 { return fast * math.Pow(slow/fast, rng.Float64()) }, noise, rng)
		}},
		{"stuck: one of two placements per pair of pods", true, func(rng *rand.Rand) func(int, int, float64) float64 {
			return stuckAt(func() float64 { return []float64{fast, slow}[rng.IntN(2)] }, noise, rng)
		}},
	}
}

// stuckAt draws a placement for each pair of pods, for as long as it lives.
func stuckAt(draw func() float64, noise func(*rand.Rand) float64, rng *rand.Rand) func(int, int, float64) float64 {
	var level [arms][podSets]float64
	for i := range level {
		for j := range level[i] {
			level[i][j] = draw()
		}
	}
	return func(arm, set int, _ float64) float64 { return level[arm][set] * noise(rng) }
}

// batchOf measures whole rounds in random order, as the scheduler does.
func batchOf(rng *rand.Rand, w world, rounds int, effect float64) []measure.Round {
	sample := w.start(rng)
	cells := [arms]measure.Cell{cell("a"), cell("b"), control("a")}
	out := make([]measure.Round, rounds)
	for i := range out {
		out[i] = measure.Round{Index: i + 1, Values: map[measure.Cell]measure.Values{}}
		for place, arm := range rng.Perm(arms) {
			x := sample(arm, i%podSets, float64(i*arms+place))
			if arm != armB {
				x *= effect
			}
			out[i].Values[cells[arm]] = measure.Values{{Metric: measure.Latency, Value: x}}
		}
	}
	return out
}

type tally struct{ pass, fail, inconclusive, n int }

func (t *tally) add(o Outcome) {
	t.n++
	switch o {
	case Pass:
		t.pass++
	case Fail:
		t.fail++
	default:
		t.inconclusive++
	}
}

func (t tally) share(k int) float64 { return float64(k) / float64(t.n) }

// In worlds without any difference neither pass nor fail may come more often
// than alpha allows: of the sign test by itself (the worst case, since every
// other rule only takes verdicts away) and of the whole procedure. Where
// placement is stuck the sign test is wrong by nature, and the A/A control has to
// tell.
func TestNullWorlds(t *testing.T) {
	runs := simulations()
	for _, p := range []struct {
		alpha  float64
		rounds int
	}{{.05, 12}, {.01, 20}} {
		a := ordering("a", "b", Gate)
		a.Alpha, a.MaxRounds = p.alpha, p.rounds
		th := thresholds(a)
		b := bound(t, p.alpha, p.rounds)
		limit := p.alpha + 3*math.Sqrt(p.alpha*(1-p.alpha)/float64(runs))
		table := []string{
			fmt.Sprintf("α %v one-sided, at most %d rounds, %d runs; limit α + 3 SE = %.4f", p.alpha, p.rounds, runs, limit), "",
			"| world | sign test: pass | fail | whole procedure: pass | fail | inconclusive | inconclusive where the two copies lie over 5 % apart |",
			"|---|---|---|---|---|---|---|",
		}
		for i, w := range nullWorlds() {
			rng := rand.New(rand.NewPCG(uint64(i), uint64(p.rounds)))
			var test, whole, seen tally
			for range runs {
				rounds := batchOf(rng, w, p.rounds, 1)
				ds, err := measure.LogRatios(rounds, cell("a"), cell("b"), "latency")
				require.NoError(t, err)
				// The test alone stops at the first crossing, as judge --pairs does.
				s := NewSequence(b, 0)
				for _, d := range ds {
					if s.Outcome() == Inconclusive {
						s.Add(d)
					}
				}
				test.add(s.Outcome())

				c := Comparison{Rounds: rounds, PodSets: podSets}
				vs, err := Judge(th, "kind", c)
				require.NoError(t, err)
				if vs[0].NeedsConfirmation {
					c.Confirming = batchOf(rng, w, p.rounds, 1)
					vs, err = Judge(th, "kind", c)
					require.NoError(t, err)
				}
				whole.add(vs[0].Outcome)
				aa, err := measure.LogRatios(rounds, control("a"), cell("a"), "latency")
				require.NoError(t, err)
				if math.Abs(measure.Median(aa)) > 0.05 {
					seen.add(vs[0].Outcome)
				}
			}
			noticed := "—"
			if w.stuck {
				noticed = fmt.Sprintf("%.4f of %d", seen.share(seen.inconclusive), seen.n)
				assert.GreaterOrEqual(t, seen.share(seen.inconclusive), .95, w.name)
				assert.GreaterOrEqual(t, whole.share(whole.inconclusive), .95, w.name)
			} else {
				for what, k := range map[string]int{"pass": test.pass, "fail": test.fail} {
					assert.LessOrEqual(t, test.share(k), limit, "%s: false %s of the sign test", w.name, what)
				}
				assert.LessOrEqual(t, whole.pass, test.pass, w.name)
				assert.LessOrEqual(t, whole.share(whole.fail), limit*limit, "%s: a fail takes two batches", w.name)
			}
			table = append(table, fmt.Sprintf("| %s | %.4f | %.4f | %.4f | %.4f | %.4f | %s |", w.name, test.share(test.pass),
				test.share(test.fail), whole.share(whole.pass), whole.share(whole.fail), whole.share(whole.inconclusive), noticed))
		}
		t.Log("\n" + strings.Join(table, "\n"))
	}
}

// The simulated test has the power that the exact table gives.
func TestPowerBySimulation(t *testing.T) {
	runs := simulations()
	table := []string{fmt.Sprintf("%d runs: simulated (exact)", runs), "", "| α | rounds | 1 sd | 1.25 sd | 1.5 sd | 2 sd |", "|---|---|---|---|---|---|"}
	for _, w := range shipped {
		b := bound(t, w.alpha, w.maxRounds)
		line := fmt.Sprintf("| %v | %d |", w.alpha, w.maxRounds)
		for _, effect := range []float64{1, 1.25, 1.5, 2} {
			rng := rand.New(rand.NewPCG(uint64(w.maxRounds), math.Float64bits(effect)))
			passed := 0
			for range runs {
				s := NewSequence(b, 0)
				for range w.maxRounds {
					s.Add(rng.NormFloat64() - effect)
				}
				if s.Outcome() == Pass {
					passed++
				}
			}
			exact, _ := b.Power(distuv.UnitNormal.CDF(effect))
			got := float64(passed) / float64(runs)
			assert.InDelta(t, w.power[effect][0], got, .02+3*math.Sqrt(exact*(1-exact)/float64(runs)), "alpha %v, %d rounds, %v sd", w.alpha, w.maxRounds, effect)
			line += fmt.Sprintf(" %.4f (%.4f) |", got, exact)
		}
		table = append(table, line)
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

// The confidence sequence covers the true median in all rounds at once.
func TestCoverageBySimulation(t *testing.T) {
	runs := simulations()
	for _, w := range shipped {
		b := bound(t, w.alpha, w.maxRounds)
		rng := rand.New(rand.NewPCG(9, uint64(w.maxRounds)))
		missed := 0
		for range runs {
			s := NewSequence(b, 0)
			for range w.maxRounds {
				s.Add(rng.ExpFloat64() - math.Ln2) // skewed, of median 0
			}
			if s.Low > 0 || s.High < 0 {
				missed++
			}
		}
		p := 1 - Follow(b, 0, nil).Confidence()
		assert.LessOrEqual(t, float64(missed)/float64(runs), p+3*math.Sqrt(p*(1-p)/float64(runs)))
		t.Logf("α %v, %d rounds: %.4f of the intervals cover, %.4f are promised", w.alpha, w.maxRounds, 1-float64(missed)/float64(runs), 1-p)
	}
}

// An effect of the size a batch calls detectable is detected, and one of twice
// the size nearly always, never in the wrong direction.
func TestDetectableBySimulation(t *testing.T) {
	runs := simulations() / 3
	a := ordering("a", "b", Gate)
	th := thresholds(a)
	w := nullWorlds()[0]
	rng := rand.New(rand.NewPCG(11, 12))
	var once, twice tally
	for range runs {
		vs, err := Judge(th, "kind", Comparison{Rounds: batchOf(rng, w, 20, 1), PodSets: podSets})
		require.NoError(t, err)
		require.NotNil(t, vs[0].Evidence.Detectable)
		for k, tl := range map[float64]*tally{1: &once, 2: &twice} {
			effect := math.Pow(1+*vs[0].Evidence.Detectable, -k)
			vs, err := Judge(th, "kind", Comparison{Rounds: batchOf(rng, w, 20, effect), PodSets: podSets})
			require.NoError(t, err)
			tl.add(vs[0].Outcome)
		}
	}
	t.Logf("found at the detectable effect: %.4f, at twice: %.4f of %d", once.share(once.pass), twice.share(twice.pass), runs)
	assert.GreaterOrEqual(t, twice.share(twice.pass), .95)
	assert.Zero(t, once.fail+twice.fail)
}
