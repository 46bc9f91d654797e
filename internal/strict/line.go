// Package strict decodes YAML files in which nothing may be unknown, and finds the
// line that an error is about.
package strict

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v3"
)

// ErrEmpty is the error of a file without any document.
var ErrEmpty = errors.New("line 1: the file is empty")

// Decode reads the one document of data into v. A field that v lacks, a value of
// the wrong type and a second document are errors, those of yaml with their line;
// so is ErrEmpty.
func Decode(data []byte, v any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(v); errors.Is(err, io.EOF) {
		return ErrEmpty
	} else if err != nil {
		return err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("more than one YAML document: want one")
	}
	return nil
}

// Line is the line of the value at a path of keys and list positions in a
// document or, where that is missing, of what should hold it.
func Line(n *yaml.Node, path ...any) int {
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	for _, step := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		var next *yaml.Node
		switch step := step.(type) {
		case int:
			if n.Kind == yaml.SequenceNode && step < len(n.Content) {
				next = n.Content[step]
			}
		case string:
			for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == step {
					next = n.Content[i+1]
				}
			}
		}
		if next == nil {
			break
		}
		n = next
	}
	return n.Line
}
