package page

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile is what a cluster might say to be taken for somebody else: it clears the
// screen, names the window, goes back over its line, turns the text round, breaks out
// of a cell, and makes a heading, a tag, code, a link and an image.
var hostile = map[string]struct{ text, markdown string }{
	"a\n\x1b[31mb\u009b\rc|d":          {"a  [31mb  c|d", `a  \[31mb  c\|d`},
	"\x1b]0;PASS\a\x1b[2J":             {" ]0;PASS  [2J", ` \]0;PASS  \[2J`},
	"fail\u202essap\u2066x\u200by":     {"fail ssap x y", "fail ssap x y"},
	"a\u2028# b\u2029c":                {"a # b c", "a # b c"},
	`x\|y`:                             {`x\|y`, `x\\\|y`},
	"<img src=x onerror=alert(1)>`rm`": {"<img src=x onerror=alert(1)>`rm`", "&lt;img src=x onerror=alert(1)>'rm'"},
	"![PASS](https://x/y.png)":         {"![PASS](https://x/y.png)", `!\[PASS\](https://x/y.png)`},
	"a\n::error::b\n## c":              {"a ::error::b ## c", "a ::error::b ## c"},
}

func TestWhatWasSaidStaysInItsPlace(t *testing.T) {
	for said, want := range hostile {
		for _, markdown := range []bool{false, true} {
			p := &Page{Markdown: markdown}
			p.Heading("%s", said)
			p.Paragraph("it said %s", said)
			p.List([]string{"item " + said})
			p.Table("l", []string{"x"}, [][]string{{"cell " + said}})
			var b bytes.Buffer
			require.NoError(t, p.To(&b))
			printed := want.text
			if markdown {
				printed = want.markdown
			}
			assert.Equal(t, 4, strings.Count(b.String(), printed), "%q in %q", printed, b.String())
			assert.NotContains(t, b.String(), "\x1b")
			assert.Equal(t, map[bool]int{false: 8, true: 9}[markdown], strings.Count(b.String(), "\n"), "no line of its own")
		}
	}
}

func TestLinesKeepsLinesAndTabs(t *testing.T) {
	assert.Equal(t, "it said  [2J\nand\tmore", Lines("it said \x1b[2J\nand\tmore"))
}
