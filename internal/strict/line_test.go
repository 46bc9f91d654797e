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
