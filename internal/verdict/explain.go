package verdict

import (
	"fmt"
	"math"
	"strings"

	"github.com/cniperf/cniperf/internal/measure"
)

// explain says a judged verdict in one sentence: what was found, in how many
// rounds, how sure, and where nothing was decided why and what could have been.
func explain(v Verdict, c *judged) string {
	s := c.first.main
	subject := fmt.Sprintf("%s is %s%s", sideA(v), advantage(v.Metric, s.Median(), sideB(v)), context(v))
	switch {
	case v.Outcome == Inconclusive:
		return fmt.Sprintf("%s: no verdict, %s; %s, %s%s", pair(v), v.Reason, found(v, s), interval(v.Metric, s), couldSee(v, s))
	case c.assertion.nonInferiority():
		return fmt.Sprintf("%s, %s the %s allowed: %d of %d rounds, %s%s", subject,
			choose(v.Outcome == Pass, "within", "beyond"), percent(c.first.margin), decisive(v, s), s.N(), interval(v.Metric, s), confirmed(v))
	case c.assertion.Margin > 0:
		return fmt.Sprintf("%s, %s the %s claimed: %d of %d rounds, %s%s", subject,
			choose(v.Outcome == Pass, "more than", "less than"), percent(c.assertion.Margin), decisive(v, s), s.N(), interval(v.Metric, s), confirmed(v))
	}
	return fmt.Sprintf("%s: %d of %d rounds, %s%s", subject, decisive(v, s), s.N(), interval(v.Metric, s), confirmed(v))
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// decisive is how many rounds speak for the outcome.
func decisive(v Verdict, s *Sequence) int {
	if v.Outcome == Fail {
		return s.Losses
	}
	return s.Wins
}

func confirmed(v Verdict) string {
	if v.Outcome != Fail {
		return ""
	}
	return ", confirmed on fresh pods"
}

func found(v Verdict, s *Sequence) string {
	return fmt.Sprintf("%s %s in the median, ahead in %d of %d rounds",
		sideA(v), advantage(v.Metric, s.Median(), ""), s.Wins, s.N())
}

func couldSee(v Verdict, s *Sequence) string {
	switch {
	case v.Evidence.Detectable != nil:
		return fmt.Sprintf("; an effect of %s would have been seen", percent(*v.Evidence.Detectable))
	case math.IsInf(s.Detectable(), 1):
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

// interval words the confidence sequence in the direction of the median.
func interval(m measure.Metric, s *Sequence) string {
	if math.IsInf(s.Low, 0) || math.IsInf(s.High, 0) {
		return "no interval yet"
	}
	a, b := gain(m, s.High), gain(m, s.Low)
	if gain(m, s.Median()) < 0 {
		a, b = -b, -a
	}
	// Rounded down: a confidence is never said to be more than it is.
	return fmt.Sprintf("%d %% interval %s", int(math.Floor(s.Confidence()*100)), span(a, b))
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
