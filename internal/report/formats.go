package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"

	"golang.org/x/perf/benchfmt"

	"github.com/cniperf/cniperf/internal/analysis"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

// Write makes the report of a run and puts it into dir, each file whole or not
// at all: report.md, report.json, report.junit.xml and report.bench.
func Write(dir string, run *journal.Run, published Published) error {
	r := New(run, published)
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"report.md", r.Markdown},
		{"report.json", r.JSON},
		{"report.junit.xml", r.JUnit},
		{"report.bench", r.Bench},
	} {
		var b bytes.Buffer
		if err := f.write(&b); err != nil {
			return fmt.Errorf("make %s of run %s: %w", f.name, run.Header.RunID, err)
		}
		if err := journal.WriteFile(filepath.Join(dir, f.name), b.Bytes()); err != nil {
			return fmt.Errorf("write %s into %s: %w", f.name, dir, err)
		}
	}
	return nil
}

// JSON writes the report as one JSON object; Version tells its form.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

type junitSuite struct {
	XMLName    xml.Name        `xml:"testsuite"`
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Error   *junitMessage `xml:"error,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

// JUnit writes one test case per assertion: a failure for a gating fail, else
// skipped with its reason for what isn't a pass; and a case for the run itself,
// which is an error if the run stopped for another reason than a verdict.
func (r *Report) JUnit(w io.Writer) error {
	s := junitSuite{
		Name:      "cniperf",
		Time:      fmt.Sprintf("%.3f", r.Run.Duration.Seconds()),
		Timestamp: r.Run.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"run", r.Run.ID}, {"profile", r.Run.Profile}, {"seed", fmt.Sprint(r.Reproduce.Seed)},
			{"plan-hash", r.Reproduce.PlanHash}, {"cniperf", r.Reproduce.CNIPerf},
		},
	}
	whole := junitCase{Class: "cniperf", Name: "run"}
	// Codes 0 to 2 are the gate's words; anything else means that it never spoke.
	if code := r.Run.ExitCode; code == nil || *code < 0 || *code > 2 {
		whole.Error = &junitMessage{r.summary()}
		s.Errors++
	}
	s.Cases = append(s.Cases, whole)
	for _, c := range r.Comparisons {
		for _, v := range c.Verdicts {
			test := junitCase{Class: "cniperf." + c.Name, Name: v.Assertion}
			switch {
			case v.Outcome == "pass":
				test.Output = v.Sentence
			case v.Outcome == "fail" && v.Gate:
				test.Failure = &junitMessage{v.Sentence}
				s.Failures++
			case v.Outcome == "fail":
				test.Skipped = &junitMessage{"fails, but only informs: " + v.Sentence}
				s.Skipped++
			case v.Outcome == "inconclusive":
				test.Skipped = &junitMessage{"inconclusive: " + v.Sentence}
				s.Skipped++
			default:
				test.Error = &junitMessage{v.Outcome + ": " + v.Sentence}
				s.Errors++
			}
			s.Cases = append(s.Cases, test)
		}
	}
	s.Tests = len(s.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// Bench writes the valid rounds in the Go benchmark format, one line per
// sample, for benchstat and its kind. A unit is the metric's name and unit, as
// latency-us, since a line has each unit once. There is no configuration
// block: benchstat compares two files only where those are equal.
func (r *Report) Bench(w io.Writer) error {
	out := benchfmt.NewWriter(w)
	described := map[string]bool{}
	for _, c := range r.Comparisons {
		for _, rd := range c.valid {
			for _, cell := range analysis.Cells(c.valid) {
				result := &benchfmt.Result{Name: benchName(cell), Iters: 1}
				for _, v := range rd.Values[cell] {
					unit := benchUnit(v.Metric)
					if !described[unit] {
						described[unit] = true
						meta := &benchfmt.UnitMetadata{UnitMetadataKey: benchfmt.UnitMetadataKey{Unit: unit, Key: "better"}, OrigUnit: unit, Value: string(v.Better)}
						if err := out.Write(meta); err != nil {
							return err
						}
					}
					result.Values = append(result.Values, benchfmt.Value{Value: v.Value, Unit: unit})
				}
				if len(result.Values) == 0 {
					continue // such a line would be malformed
				}
				if err := out.Write(result); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// benchName ends in the placement: the format takes a number at the end, which
// a benchmark's name might have, for GOMAXPROCS.
func benchName(c measure.Cell) benchfmt.Name {
	arm := c.Arm
	if c.Control {
		arm += "#control"
	}
	return benchfmt.Name(fmt.Sprintf("/arm=%s/path=%s/benchmark=%s/placement=%s", arm, c.Path, c.Benchmark, c.Placement))
}

func benchUnit(m measure.Metric) string {
	switch m.Unit {
	case "1", "":
		return m.Name
	case "1/s":
		return m.Name + "/s"
	}
	return m.Name + "-" + m.Unit
}
