package htmlreport

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/progress"
	"github.com/cniperf/cniperf/internal/verdict"
)

// quantity is how a metric's values are shown to people.
type quantity struct {
	unit   string
	factor float64
}

func shown(m measure.Metric) quantity {
	switch m.Unit {
	case "us":
		return quantity{"µs", 1}
	case "bit/s":
		return quantity{"Gbit/s", 1e-9}
	case "1":
		return quantity{"", 1}
	}
	return quantity{m.Unit, 1}
}

// number gives four significant digits, and all of those before the point.
func (q quantity) number(v float64) string {
	v *= q.factor
	decimals := 3
	if q.unit == "" && v == math.Trunc(v) {
		decimals = 0 // a count
	}
	for limit := 10.0; decimals > 0 && math.Abs(v) >= limit; limit *= 10 {
		decimals--
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// of is a number with its unit.
func (q quantity) of(v float64) string { return strings.TrimSpace(q.number(v) + " " + q.unit) }

// published is a figure of the page, which gives fewer digits than we measure.
func (q quantity) published(v float64) string {
	text := q.number(v)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// factor is a ratio as it is read: 0.73.
func factor(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }

// percent writes a fraction, with a decimal below ten per cent.
func percent(x float64) string {
	decimals := 0
	if math.Abs(x) < .0995 {
		decimals = 1
	}
	text := strconv.FormatFloat(100*x, 'f', decimals, 64)
	if strings.Trim(text, "-0.") == "" {
		text = "0"
	}
	return strings.Replace(text, "-", "−", 1) + " %"
}

// gain is by what fraction A is better than B for a cost ratio of A to B: less time,
// or more per second. Below zero A is worse.
func gain(m measure.Metric, ratio float64) float64 {
	if m.Better == measure.HigherIsBetter {
		return 1/ratio - 1
	}
	return 1 - ratio
}

// outcomeOf is the class, the sign and the word of an outcome: the sign is for
// readers who see no colours.
func outcomeOf(o verdict.Outcome) outcomeView {
	switch o {
	case verdict.Pass:
		return outcomeView{"pass", "✓", "PASS"}
	case verdict.Fail:
		return outcomeView{"fail", "✗", "FAIL"}
	case verdict.Inconclusive:
		return outcomeView{"inconclusive", "?", "INCONCLUSIVE"}
	case verdict.Skipped:
		return outcomeView{"skipped", "–", "SKIPPED"}
	}
	return outcomeView{"skipped", "–", strings.ToUpper(string(o))}
}

type outcomeView struct{ Class, Sign, Word string }

// worst is the outcome that a reader has to know of first; empty for none.
func worst(outcomes []verdict.Outcome) verdict.Outcome {
	for _, o := range []verdict.Outcome{verdict.Fail, verdict.Inconclusive, verdict.Pass, verdict.Skipped} {
		if slices.Contains(outcomes, o) {
			return o
		}
	}
	return ""
}

// slug turns a name into a part of a link: letters, digits and dashes. Two names that
// give one slug are set apart by the caller.
func slug(name string) string {
	mapped := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '-'
	}, name)
	const longest = 60
	return strings.Trim(mapped[:min(len(mapped), longest)], "-")
}

// shellLine prints an argv so that a shell reads it back as it was.
func shellLine(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n\"'`$&|;<>()*?[]{}#~\\!") {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

func duration(d time.Duration) string { return progress.Round(d).String() }

func instant(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// better tells in words which way a metric improves.
func better(say Texts, m measure.Metric) string {
	if m.Better == measure.HigherIsBetter {
		return say.Say("higher is better →")
	}
	return say.Say("← lower is better")
}

// plural picks the noun's form.
func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
