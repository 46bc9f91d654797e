package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/cniperf/cniperf/manifests"
)

const glossary = "docs/developers/glossary.md"

// typed are the values of a package's string constants of one type, read from its
// source: Go can't list the constants of a type while it runs.
func typed(t *testing.T, dir, name string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || fmt.Sprint(spec.Type) != name {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok {
					s, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					found = append(found, s)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, found, "%s has no constants of type %s: this test has to follow them", dir, name)
	return found
}

// A name that the code has and the glossary lacks is one that nobody explains.
func TestTheGlossaryHasTheNamesOfTheCode(t *testing.T) {
	names := map[string][]string{
		"record.Code":       typed(t, "internal/record", "Code"),
		"verdict.Outcome":   typed(t, "internal/verdict", "Outcome"),
		"verdict.Role":      typed(t, "internal/verdict", "Role"),
		"measure.Path":      typed(t, "internal/measure", "Path"),
		"measure.Placement": typed(t, "internal/measure", "Placement"),
		"plan.Kind":         typed(t, "features/plan", "Kind"),
		"plan.Proof":        typed(t, "features/plan", "Proof"),
	}
	profiles, err := fs.Glob(manifests.Suite, "profiles/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, profiles)
	for _, p := range profiles {
		names["profile"] = append(names["profile"], strings.TrimSuffix(filepath.Base(p), ".yaml"))
	}
	names["datapath"] = datapaths(t)

	text := page(t, glossary)
	for kind, list := range names {
		for _, name := range list {
			if kind == "verdict.Role" {
				assert.Contains(t, text, name, "%s of %s", name, kind)
				continue
			}
			assert.Contains(t, text, "`"+name+"`", "%s %s is not in %s", kind, name, glossary)
		}
	}
}

// datapaths are the names of all datapaths and CNIs.
func datapaths(t *testing.T) []string {
	t.Helper()
	b, err := fs.ReadFile(manifests.Suite, "datapaths.yaml")
	require.NoError(t, err)
	var file struct {
		Datapaths []struct{ Name string } `yaml:"datapaths"`
	}
	require.NoError(t, yaml.Unmarshal(b, &file))
	require.NotEmpty(t, file.Datapaths)
	var names []string
	for _, d := range file.Datapaths {
		names = append(names, d.Name)
	}
	return names
}
