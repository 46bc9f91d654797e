package docs_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/cniperf/cniperf/"

var arrow = regexp.MustCompile(`(?m)^\s*(\w+) --> (\w+)$`)

// rooms are the names that a package has in the diagram: features/run is both run
// and features. None if it isn't ours.
func rooms(pkg string) []string {
	path, ours := strings.CutPrefix(pkg, module)
	if !ours {
		return nil
	}
	parts := strings.Split(path, "/")
	if parts[0] == "features" && len(parts) > 1 {
		return []string{"features", parts[1]}
	}
	return parts[:1]
}

// forbidden tells whether the diagram has no arrow for an import.
func forbidden(arrows map[[2]string]bool, from, to string) bool {
	f, t := rooms(from), rooms(to)
	if f == nil || t == nil || f[len(f)-1] == t[len(t)-1] {
		return false
	}
	for _, a := range f {
		for _, b := range t {
			if arrows[[2]string{a, b}] {
				return false
			}
		}
	}
	return true
}

func diagram(t *testing.T) map[[2]string]bool {
	t.Helper()
	_, text, found := strings.Cut(page(t, "docs/developers/architecture.md"), "```mermaid\n")
	require.True(t, found)
	text, _, _ = strings.Cut(text, "```")
	arrows := map[[2]string]bool{}
	for _, m := range arrow.FindAllStringSubmatch(text, -1) {
		arrows[[2]string{m[1], m[2]}] = true
	}
	require.NotEmpty(t, arrows)
	return arrows
}

// Every import between two rooms is an arrow of the diagram.
func TestTheDiagramHasEveryImport(t *testing.T) {
	arrows := diagram(t)
	cmd := exec.Command("go", "list", "-tags", "perf", "-f", `{{.ImportPath}} {{join .Imports " "}}{{if eq .Name "e2e"}} {{join .TestImports " "}}{{end}}`,
		"./e2e", "./cmd/...", "./features/...", "./fixtures/...", "./internal/...", "./manifests/...", "./kind/...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err)
	seen := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Fields(line)
		for _, to := range f[1:] {
			if rooms(to) != nil {
				seen++
			}
			assert.False(t, forbidden(arrows, f[0], to), "%s imports %s: no arrow of the diagram allows it", f[0], to)
		}
	}
	assert.Greater(t, seen, 50, "go list told of the imports")
}

func TestTheDiagramForbids(t *testing.T) {
	arrows := diagram(t)
	for _, c := range [][2]string{
		{"internal/verdict", "features/plan"}, {"fixtures/lab", "features/run"}, {"features/proof", "fixtures/lab"},
		{"features/tool/sockperf", "fixtures/lab"}, {"features/plan", "features/run"}, {"manifests", "internal/strict"},
	} {
		assert.True(t, forbidden(arrows, module+c[0], module+c[1]), "%s → %s", c[0], c[1])
	}
}
