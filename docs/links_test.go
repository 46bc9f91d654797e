// Package docs_test reads the pages that people read: links lead somewhere,
// words are those of the code, and commands exist.
package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// pages are all Markdown files of the repository that git knows, by their path
// from its root; what others wrote into test data is not ours to read.
func pages(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("git ls-files: %v: the pages are listed by git", err)
	}
	var found []string
	for _, name := range strings.Fields(string(out)) {
		if _, err := os.Stat(filepath.Join("..", name)); err == nil && !strings.Contains(name, "testdata/") {
			found = append(found, name)
		}
	}
	require.NotEmpty(t, found)
	return found
}

// page is the text of a page, by its path from the repository's root.
func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", name))
	require.NoError(t, err)
	return string(b)
}

// broken are the relative links of a page that lead to no file or no heading.
func broken(t *testing.T, name, text string) []string {
	t.Helper()
	var bad []string
	for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		target, anchor, _ := strings.Cut(m[1], "#")
		if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue
		}
		file := filepath.Join(filepath.Dir(name), target)
		if target == "" {
			file = name
		}
		if _, err := os.Stat(filepath.Join("..", file)); err != nil {
			bad = append(bad, m[1])
			continue
		}
		if anchor != "" && !hasHeading(page(t, file), anchor) {
			bad = append(bad, m[1])
		}
	}
	return bad
}

// hasHeading tells whether GitHub gives one of a page's headings that anchor.
func hasHeading(text, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		slug := noSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		if strings.ReplaceAll(slug, " ", "-") == anchor {
			return true
		}
	}
	return false
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, name := range pages(t) {
		assert.Empty(t, broken(t, name, page(t, name)), "broken links of %s", name)
	}
}

func TestABrokenLinkIsFound(t *testing.T) {
	text := "[a](nowhere.md) [b](users/own-clusters.md#no-such-heading) [c](users/own-clusters.md#installing) [d](https://example.org)"
	assert.Equal(t, []string{"nowhere.md", "users/own-clusters.md#no-such-heading"}, broken(t, "docs/x.md", text))
}
