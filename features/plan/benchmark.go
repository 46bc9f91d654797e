package plan

import (
	"errors"

	"github.com/cniperf/cniperf/features/tool"
	"github.com/cniperf/cniperf/features/tool/toolbox"
)

// Benchmark is a tool with its parameters.
type Benchmark = tool.Benchmark

// validateBenchmark checks a benchmark of the catalogue, as its tool wants it.
func validateBenchmark(b Benchmark, at []any) error {
	if !nameRE.MatchString(b.Name) {
		return wrong(append(at, "name"), "benchmark %q: want lower-case letters, digits and dashes as its name", b.Name)
	}
	err := toolbox.Validate(b)
	if field := (*tool.FieldError)(nil); errors.As(err, &field) {
		return wrong(append(at, field.Field), "%w", err)
	}
	return err
}
