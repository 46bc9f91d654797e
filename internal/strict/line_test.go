package strict

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestLineIsThatOfTheValueOrOfWhatShouldHoldIt(t *testing.T) {
	var root yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte("a: 1\nlist: &l\n  - x: 1\n  - x: 2\n    y: 3\nagain: *l\n"), &root))
	for line, path := range map[int][]any{
		1: {"a"},
		3: {"list", 0, "x"},
		5: {"list", 1, "y"},
		4: {"list", 1, "missing"},
	} {
		assert.Equal(t, line, Line(&root, path...), "%v", path)
	}
	assert.Equal(t, 5, Line(&root, "again", 1, "y"), "through an alias")
	assert.Equal(t, 2, Line(&root, "list", 7), "of the list, where its anchor is")
}

func TestDecodeRefuses(t *testing.T) {
	type file struct {
		A int `yaml:"a"`
	}
	for text, want := range map[string]string{
		"":                  "line 1: the file is empty",
		"a: 1\nb: 2\n":      "line 2: field b not found",
		"a: one\n":          "line 1: cannot unmarshal",
		"a: 1\n---\na: 2\n": "more than one YAML document",
		"a: 1\na: 2\n":      "line 2: mapping key \"a\" already defined",
		"a: [1\n":           "did not find expected",
		"a: 1\n# the end\n": "",
		"---\na: 1\n...\n":  "",
		"a: 1\n---\n":       "more than one YAML document",
	} {
		var v file
		err := Decode([]byte(text), &v)
		if want == "" {
			assert.NoError(t, err, text)
			continue
		}
		assert.ErrorContains(t, err, want, text)
	}
}
