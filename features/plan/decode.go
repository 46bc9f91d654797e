package plan

import (
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/cniperf/cniperf/internal/strict"
)

// fieldError is about one value of a file: its path, and what is wrong with it.
type fieldError struct {
	path []any // keys and list positions
	err  error
}

func (e *fieldError) Error() string { return e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// wrong makes a fieldError.
func wrong(path []any, format string, args ...any) error {
	return &fieldError{path, fmt.Errorf(format, args...)}
}

// maxBytes is far above any real file; what is larger isn't one.
const maxBytes = 1 << 20

// decodeStrict reads one YAML document into v, which then validates itself.
// Unknown fields and a second document are refused. Every error has its line.
func decodeStrict(r io.Reader, v any, validate func() error) error {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return err
	}
	if len(data) > maxBytes {
		return fmt.Errorf("larger than %d bytes", maxBytes)
	}
	if err := strict.Decode(data, v); err != nil {
		return err
	}
	err = validate()
	if at := (*fieldError)(nil); errors.As(err, &at) {
		var root yaml.Node
		if err := yaml.Unmarshal(data, &root); err != nil {
			return err
		}
		return fmt.Errorf("line %d: %w", strict.Line(&root, at.path...), err)
	}
	return err
}
