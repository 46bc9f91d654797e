package page

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatWasSaidStaysInItsPlace(t *testing.T) {
	const said = "a\n\x1b[31mb\u009b\rc|d"
	for markdown, want := range map[bool]string{false: "a  [31mb  c|d\n", true: `| a  [31mb  c\|d |`} {
		p := &Page{Markdown: markdown}
		p.Table("l", []string{"x"}, [][]string{{said}})
		var b bytes.Buffer
		require.NoError(t, p.To(&b))
		assert.Contains(t, b.String(), want)
	}
}
