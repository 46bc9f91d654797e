package verdict

import (
	"fmt"
	"math"
	"strings"

	"github.com/cniperf/cniperf/internal/measure"
)

// Explain says a verdict in one sentence: what was found, in how many rounds, how
// sure, and where nothing was decided why and what could have been. It needs
// nothing but the verdict, so a recorded one is explained as a fresh one.
func Explain(v Verdict) string {
	if v.Outcome == Skipped {
		return fmt.Sprintf("%s: not judged, %s", pair(v), v.why())
	}
	e := v.Evidence
	subject := fmt.Sprintf("%s is %s%s", sideA(v), advantage(v.Metric, e.median(), sideB(v)), context(v))
	rounds := fmt.Sprintf("%d of %d rounds, %s%s", decisive(v), e.N, e.interval(v.Metric), confirmed(v))
	switch {
	case v.Outcome == Inconclusive:
		return fmt.Sprintf("%s: no verdict, %s; %s, %s%s",
			pair(v), v.why(), found(v), e.interval(v.Metric), e.couldSee())
	case v.NonInferiority:
		within := choose(v.Outcome == Pass, "within", "beyond")
		return fmt.Sprintf("%s, %s the %s allowed: %s", subject, within, percent(e.Margin), rounds)
	case e.Margin > 0:
		more := choose(v.Outcome == Pass, "more than", "less than")
		return fmt.Sprintf("%s, %s the %s claimed: %s", subject, more, percent(e.Margin), rounds)
	}
	return subject + ": " + rounds
}

func (v Verdict) why() string {
	if v.Why == nil {
		return "no reason is recorded"
	}
	return v.Why.words(v)
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// decisive is how many rounds speak for the outcome.
func decisive(v Verdict) int {
	if v.Outcome == Fail {
		return v.Evidence.N - v.Evidence.Wins
	}
	return v.Evidence.Wins
}

func confirmed(v Verdict) string {
	if v.Outcome != Fail {
		return ""
	}
	return ", confirmed on fresh pods"
}

func found(v Verdict) string {
	return fmt.Sprintf("%s %s in the median, ahead in %d of %d rounds",
		sideA(v), advantage(v.Metric, v.Evidence.median(), ""), v.Evidence.Wins, v.Evidence.N)
}

// median is the median log cost ratio, NaN where there is none.
func (e *Evidence) median() float64 {
	if e.MedianRatio == nil {
		return math.NaN()
	}
	return math.Log(*e.MedianRatio)
}

// interval words the confidence sequence in the direction of the median.
func (e *Evidence) interval(m measure.Metric) string {
	if e.Low == nil || e.High == nil {
		return interval(m, e.median(), math.Inf(-1), math.Inf(1), e.Confidence)
	}
	return interval(m, e.median(), math.Log(*e.Low), math.Log(*e.High), e.Confidence)
}

func (e *Evidence) couldSee() string {
	switch {
	case e.Detectable != nil:
		return fmt.Sprintf("; an effect of %s would have been seen", percent(*e.Detectable))
	case e.Rounds == 0 || !reaches(E(e.Rounds, e.Rounds), e.Bound):
		return "; so few rounds could not have shown any effect"
	}
	return ""
}

// gain is by what fraction A's value is better than B's for a log cost ratio:
// less time, or more per second. Negative is worse.
func gain(m measure.Metric, logRatio float64) float64 {
	if m.Better == measure.HigherIsBetter {
		return math.Expm1(-logRatio)
	}
	return -math.Expm1(logRatio)
}

// advantage words a gain over another side, or over none: "41 % faster than
// calico", "12 % behind calico in transactions", "3 % faster".
func advantage(m measure.Metric, logRatio float64, than string) string {
	g := gain(m, logRatio)
	percentile, time := strings.CutPrefix(m.Name, measure.Latency.Name)
	word, joint, of := choose(g >= 0, "lower", "higher"), " than ", " in "+m.Name
	switch {
	case time:
		word, of = choose(g >= 0, "faster", "slower"), ""
		if percentile != "" {
			of = " at " + strings.TrimPrefix(percentile, "-")
		}
	case m.Better == measure.HigherIsBetter:
		word, joint = choose(g >= 0, "ahead", "behind"), choose(g >= 0, " of ", " ")
	}
	if than == "" {
		joint = ""
	}
	return percent(math.Abs(g)) + " " + word + joint + than + of
}

// interval words a confidence interval of log cost ratios in the direction of the
// median.
func interval(m measure.Metric, median, low, high, confidence float64) string {
	if math.IsInf(low, 0) || math.IsInf(high, 0) {
		return "no interval yet"
	}
	a, b := gain(m, high), gain(m, low)
	if gain(m, median) < 0 {
		a, b = -b, -a
	}
	// Rounded down: a confidence is never said to be more than it is.
	return fmt.Sprintf("%d %% interval %s", int(math.Floor(confidence*100)), span(a, b))
}

// span is two percentages with their unit once.
func span(a, b float64) string {
	x, y := strings.TrimSuffix(percent(a), " %"), percent(b)
	if strings.HasPrefix(x, "−") || strings.HasPrefix(y, "−") {
		return x + " to " + y
	}
	return x + "–" + y
}

// percent writes a fraction, with a decimal below ten per cent.
func percent(x float64) string {
	x *= 100
	sign := choose(x < 0, "−", "")
	x = math.Abs(x)
	if x < 9.95 {
		text := strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0")
		if text == "0" {
			sign = ""
		}
		return sign + text + " %"
	}
	return fmt.Sprintf("%s%.0f %%", sign, x)
}

// quantity writes a value of a metric with its unit.
func quantity(m measure.Metric, x float64) string {
	if m == measure.Throughput {
		return fmt.Sprintf("%.3g Gbit/s", x/1e9)
	}
	return fmt.Sprintf("%g %s", x, m.Unit)
}

// pair names the two sides and how they were measured.
func pair(v Verdict) string {
	return fmt.Sprintf("%s against %s%s", sideA(v), sideB(v), context(v))
}

func sideA(v Verdict) string { return side(v.A, v.B) }
func sideB(v Verdict) string { return side(v.B, v.A) }

// side is the arm, with path or placement only where they set the two apart.
func side(c, other measure.Cell) string {
	name := c.Arm
	if c.Path != other.Path {
		name += " " + pathWords(c.Path)
	}
	if c.Placement != other.Placement {
		name += " (" + c.Placement + ")"
	}
	return name
}

// context is what both sides share. Across nodes is the ordinary case and not
// said, nor is a benchmark that its metric already names.
func context(v Verdict) string {
	text := ""
	if v.A.Path == v.B.Path {
		text += " " + pathWords(v.A.Path)
	}
	if v.A.Placement == v.B.Placement && v.A.Placement != measure.CrossNode {
		text += " (" + v.A.Placement + ")"
	}
	if !strings.HasSuffix(v.A.Benchmark, "-"+v.Metric.Name) {
		text += ", " + v.A.Benchmark
	}
	return text
}

func pathWords(path string) string {
	switch path {
	case measure.PodIP:
		return "by Pod IP"
	case measure.ClusterIP:
		return "by ClusterIP"
	case measure.HostIP:
		return "by host IP"
	}
	return "by " + path
}
