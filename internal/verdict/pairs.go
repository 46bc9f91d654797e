package verdict

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/internal/measure"
)

// Pair is one round of a comparison of two columns.
type Pair struct {
	Round int
	A, B  float64
}

// PairsReader reads rounds from CSV with the columns round,a,b and optionally
// direction (lower or higher, the same in every row). A header of these very
// names is allowed and not required, empty lines are left out. Rounds count up, from any
// whole number and with gaps; values are finite and above zero. Errors name the
// line.
type PairsReader struct {
	csv    *csv.Reader
	better measure.Direction // "" until known
	last   int
	begun  bool
}

// NewPairsReader reads from r. better is the direction that was asked for, or
// empty to take the file's own and otherwise lower.
func NewPairsReader(r io.Reader, better measure.Direction) *PairsReader {
	br := bufio.NewReader(r)
	// Spreadsheets begin their CSV with a byte order mark.
	if mark, err := br.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = br.Discard(3)
	}
	c := csv.NewReader(br)
	c.FieldsPerRecord = -1 // checked here, for the message
	c.TrimLeadingSpace = true
	c.ReuseRecord = true
	return &PairsReader{csv: c, better: better, last: -1}
}

// Better is the direction of the rows read so far.
func (p *PairsReader) Better() measure.Direction {
	if p.better == "" {
		return measure.LowerIsBetter
	}
	return p.better
}

// Read gives the next round, or io.EOF after the last.
func (p *PairsReader) Read() (Pair, error) {
	record, err := p.csv.Read()
	if err != nil {
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return Pair{}, fmt.Errorf("line %d: %w", bad.Line, bad.Err)
		}
		return Pair{}, err
	}
	first := !p.begun
	p.begun = true
	if first && isHeader(record) {
		return p.Read()
	}
	line, _ := p.csv.FieldPos(0)
	pair, err := p.row(record)
	if err != nil {
		return Pair{}, fmt.Errorf("line %d: %w", line, err)
	}
	return pair, nil
}

func isHeader(record []string) bool {
	names := strings.ToLower(strings.ReplaceAll(strings.Join(record, ","), " ", ""))
	return names == "round,a,b" || names == "round,a,b,direction"
}

func (p *PairsReader) row(record []string) (Pair, error) {
	if len(record) != 3 && len(record) != 4 {
		return Pair{}, fmt.Errorf("%d columns: want round,a,b or round,a,b,direction", len(record))
	}
	round, err := strconv.Atoi(strings.TrimSpace(record[0]))
	if err != nil || round < 0 {
		return Pair{}, fmt.Errorf("round is %q: want a whole number", record[0])
	}
	if round <= p.last {
		return Pair{}, fmt.Errorf("round %d after round %d: rounds must count up, each once", round, p.last)
	}
	a, err := value("a", record[1])
	if err != nil {
		return Pair{}, err
	}
	b, err := value("b", record[2])
	if err != nil {
		return Pair{}, err
	}
	if len(record) == 4 {
		better := measure.Direction(strings.TrimSpace(record[3]))
		if better != measure.LowerIsBetter && better != measure.HigherIsBetter {
			return Pair{}, fmt.Errorf("direction is %q: want %s or %s", record[3], measure.LowerIsBetter, measure.HigherIsBetter)
		}
		if p.better != "" && better != p.better {
			return Pair{}, fmt.Errorf("direction is %s, where it was %s before", better, p.better)
		}
		p.better = better
	}
	p.last = round
	return Pair{Round: round, A: a, B: b}, nil
}

func value(column, text string) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(x > 0) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("%s is %q: want a finite number above zero", column, text)
	}
	return x, nil
}

// ExplainPairs says in one sentence what a sequence of pairs came to.
func ExplainPairs(s *Sequence, better measure.Direction) string {
	m := measure.Metric{Name: measure.Latency.Name, Unit: "us", Better: better}
	if better == measure.HigherIsBetter {
		m.Name = "value"
	}
	threshold := ""
	if s.Theta != 0 {
		threshold = fmt.Sprintf(" %s the log ratio %g", choose(s.Outcome() == Fail, "above", "below"), s.Theta)
	}
	ties := ""
	if s.Ties > 0 {
		ties = fmt.Sprintf(" and %d ties", s.Ties)
	}
	evidence := func(k int) string {
		return fmt.Sprintf("%d of %d rounds%s%s, %s", k, s.N(), ties, threshold, interval(m, s.Median(), s.Low, s.High, s.Confidence()))
	}
	switch {
	case s.Rounds() == 0:
		return "no rounds"
	case s.Outcome() == Pass:
		return fmt.Sprintf("a is %s: %s", advantage(m, s.Median(), "b"), evidence(s.Wins))
	case s.Outcome() == Fail:
		return fmt.Sprintf("a is %s: %s", advantage(m, s.Median(), "b"), evidence(s.Losses))
	}
	could := "so few rounds could not have shown any effect"
	if d := s.Detectable(); !math.IsInf(d, 1) {
		could = fmt.Sprintf("an effect of %s would have been seen", percent(math.Expm1(d)))
	}
	return fmt.Sprintf("a is %s in the median, undecided: %s; %s", advantage(m, s.Median(), "b"), evidence(s.Wins), could)
}
