// Package toolbox is the one table of the benchmark tools.
package toolbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/features/tool/iperf3"
	"github.com/cniperf/cniperf/features/tool/netperf"
	"github.com/cniperf/cniperf/features/tool/redisbench"
	"github.com/cniperf/cniperf/features/tool/sockperf"
)

// Tools are all tools. To add one, write its package and name it here.
func Tools() []tool.Tool {
	return []tool.Tool{
		sockperf.Tool(),
		netperf.Tool(),
		iperf3.Tool(),
		redisbench.Tool(),
	}
}

// Names are the names of all tools, without aliases.
func Names() []string {
	var names []string
	for _, t := range Tools() {
		names = append(names, t.Name)
	}
	return names
}

// Named returns the tool of that name or alias, or an error that lists the known
// names.
func Named(name string) (tool.Tool, error) {
	all := Tools()
	i := slices.IndexFunc(all, func(t tool.Tool) bool { return name != "" && (t.Name == name || t.Alias == name) })
	if i < 0 {
		return tool.Tool{}, fmt.Errorf("unknown tool %q: known are %s", name, strings.Join(Names(), ", "))
	}
	return all[i], nil
}

// Validate checks a benchmark's metric, server, tool and the tool's parameters.
// The error is a *tool.FieldError.
func Validate(b tool.Benchmark) error {
	if err := b.Check(); err != nil {
		return err
	}
	if !slices.Contains(Names(), b.Tool) {
		return b.Wrong("tool", "tool is %q, want one of %s", b.Tool, strings.Join(Names(), ", "))
	}
	t, err := Named(b.Tool)
	if err != nil {
		return err
	}
	return t.Validate(b)
}

// Run is how the benchmark's tool measures one sample.
func Run(b tool.Benchmark, s tool.Sample) (tool.Run, error) {
	t, err := Named(b.Tool)
	if err != nil {
		return tool.Run{}, fmt.Errorf("benchmark %s: %w", b.Name, err)
	}
	return t.Run(b, s)
}
