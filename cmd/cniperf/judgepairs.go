package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/verdict"
)

// judgePairs prints the state of the test after every round of paired values, and
// returns the last one's word.
func (o judgeOptions) judgePairs(stdin io.Reader, w io.Writer) (verdict.Outcome, error) {
	better := measure.Direction(o.direction)
	if better != "" && better != measure.LowerIsBetter && better != measure.HigherIsBetter {
		return "", fmt.Errorf("--direction is %q: want %s or %s", o.direction, measure.LowerIsBetter, measure.HigherIsBetter)
	}
	if math.IsNaN(o.theta) || math.IsInf(o.theta, 0) {
		return "", fmt.Errorf("--theta is %v: want a finite number", o.theta)
	}
	bound, err := verdict.NewBound(o.alpha, o.maxRounds)
	if err != nil {
		return "", err
	}
	pairs, better, err := o.readPairs(stdin, better)
	if err != nil {
		return "", err
	}
	sequence := verdict.NewSequence(bound, o.theta)
	metric := measure.Metric{Name: "value", Better: better}
	out := csv.NewWriter(w)
	rows := [][]string{{"round", "n", "wins", "ties", "e_pass", "e_fail", "median_ratio", "low", "high", "verdict"}}
	for _, p := range pairs {
		if sequence.Outcome() == verdict.Inconclusive {
			d, err := measure.LogRatio(measure.Value{Metric: metric, Value: p.A}, measure.Value{Metric: metric, Value: p.B})
			if err != nil {
				return "", fmt.Errorf("%s: round %d: %w", o.pairs, p.Round, err)
			}
			sequence.Add(d)
		}
		rows = append(rows, row(p.Round, sequence))
	}
	if err := out.WriteAll(rows); err != nil {
		return "", fmt.Errorf("writing the rounds: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s: %s\n", sequence.Outcome(), verdict.ExplainPairs(sequence, better)); err != nil {
		return "", fmt.Errorf("writing the verdict: %w", err)
	}
	return sequence.Outcome(), nil
}

// readPairs reads all rows first: a file with a bad row must not leave lines
// behind that look like a verdict.
func (o judgeOptions) readPairs(stdin io.Reader, better measure.Direction) ([]verdict.Pair, measure.Direction, error) {
	if o.pairs != "-" {
		f, err := os.Open(o.pairs)
		if err != nil {
			return nil, "", err
		}
		defer f.Close()
		stdin = f
	}
	reader := verdict.NewPairsReader(stdin, better)
	var pairs []verdict.Pair
	for {
		p, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", o.pairs, err)
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 {
		return nil, "", fmt.Errorf("%s: no rounds in it", o.pairs)
	}
	return pairs, reader.Better(), nil
}

func row(round int, s *verdict.Sequence) []string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
	return []string{
		strconv.Itoa(round), strconv.Itoa(s.N()), strconv.Itoa(s.Wins), strconv.Itoa(s.Ties),
		number(s.Pass), number(s.Fail), number(math.Exp(s.Median())),
		number(math.Exp(s.Low)), number(math.Exp(s.High)), string(s.Outcome()),
	}
}
