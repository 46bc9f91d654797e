// Package strict is what the strict decoders of YAML files share: finding the
// line that an error is about.
package strict

import "go.yaml.in/yaml/v3"

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
