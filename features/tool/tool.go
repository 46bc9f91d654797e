// Package tool is what a benchmark tool is to the rest: the check of its
// parameters, its command lines and the parser of what it prints. Each tool is a
// package below this one; package toolbox names them all.
package tool

import (
	"net/netip"
	"time"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

// Messages is how many messages were answered, of a tool that counts them.
var Messages = measure.Metric{Name: "messages", Unit: "1", Better: measure.HigherIsBetter}

// Tool is one benchmark tool.
type Tool struct {
	Name  string // in the catalogue and on cniperf's command line
	Alias string // another name on the command line; empty for none
	// Reads says which of its outputs Read takes, in lines of at most 60
	// characters, for cniperf parse --help.
	Reads string
	// Validate bounds the benchmark's parameters and refuses those of other tools.
	// What is wrong with a parameter is a *FieldError.
	Validate func(Benchmark) error
	// Prepare is the command that runs once before the first sample of a server;
	// nil where the tool needs none.
	Prepare func(Benchmark, netip.Addr) ([]string, error)
	// Run is how the client measures one sample.
	Run func(Benchmark, Sample) (Run, error)
	// Read reads any of the tool's outputs, one result for each test in it. Asked is
	// the length ordered, zero if unknown. It returns results or an error.
	Read func(raw []byte, asked time.Duration) ([]output.Result, error)
	// ManyTests tells that one output holds several tests. The names of their metrics
	// end in the test's name.
	ManyTests bool
}

// Sample is what one run of a tool is to measure.
type Sample struct {
	Addr   netip.Addr // what the client dials
	Path   measure.Path
	Length time.Duration // whole seconds
	// Published asks for the published page's own command line, as far as it can be:
	// what makes the output readable by a program (-J, --csv) or lets netperf through
	// a Service is added. What the page has no command for runs as ever.
	Published bool
}

// Run is one sample's command line and what to make of its output.
type Run struct {
	Argv  []string
	Parse func(raw []byte) (output.Result, error)
	// Unit is what the processor time of the client's node is divided by. The zero
	// Unit is a run whose time can't be: the tool idles for a part of it.
	Unit Unit
}

// OneTest makes a Tool's Read of a parser whose output holds one test.
func OneTest(parse func([]byte, time.Duration) (output.Result, error)) func([]byte, time.Duration) ([]output.Result, error) {
	return func(raw []byte, asked time.Duration) ([]output.Result, error) {
		r, err := parse(raw, asked)
		if err != nil {
			return nil, err
		}
		return []output.Result{r}, nil
	}
}
