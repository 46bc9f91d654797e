// Package house holds tests of the house itself: which package may import what, and
// how large types, functions and files may be.
package house

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/cniperf/cniperf/"

// rule says what the packages below a path may not import, by prefixes of import
// paths. Packages of this module are written from its root, as ./internal.
type rule struct {
	of, why string
	never   []string
	// only is all that may be imported of this module; nil for no such limit.
	only []string
}

// cluster is what reaches a cluster, or is made to test one.
var cluster = []string{"k8s.io/", "sigs.k8s.io/controller-runtime", "sigs.k8s.io/e2e-framework"}

// pure are the packages that a verdict can be reached by without any cluster.
func pure(of string) rule {
	return rule{of: of, why: "it is pure: it knows no cluster", never: cluster, only: []string{"./internal"}}
}

var rules = []rule{
	{of: "./manifests", why: "it is data", only: []string{}},
	{of: "./kind", why: "it is data", only: []string{}},
	{of: "./hack", why: "it is data: the images' recipes", only: []string{}},
	{of: "./internal", why: "internal imports internal alone", only: []string{"./internal"}},
	{of: "./fixtures", why: "imports go one way", only: []string{"./fixtures", "./manifests", "./kind", "./hack", "./internal"}},
	{of: "./features", why: "imports go one way", only: []string{"./features", "./fixtures", "./manifests", "./kind", "./internal"}},
	{of: "./features/plan", why: "a plan knows nothing of runs", never: []string{"./features/run"}},
	{of: "./features/tool", why: "tools get plain values", never: cluster, only: []string{"./features/tool", "./internal"}},
	{of: "./features/proof", why: "proofs get plain values", never: cluster, only: []string{"./features/proof", "./internal"}},
	pure("./internal/rounds"), pure("./internal/analysis"), pure("./internal/verdict"),
	pure("./internal/journal"), pure("./internal/measure"), pure("./internal/record"),
}

// within tells whether a package is one of those, or below one.
func within(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
	})
}

// broken are the rules that an import breaks, by their reasons.
func broken(from, to string) []string {
	if inner, ours := strings.CutPrefix(to, module); ours {
		to = "./" + inner
	}
	var why []string
	for _, r := range rules {
		if !within(from, []string{r.of}) {
			continue
		}
		if within(to, r.never) || r.only != nil && strings.HasPrefix(to, "./") && !within(to, r.only) {
			why = append(why, r.of+": "+r.why)
		}
	}
	return why
}

// imports lists, by folder, what the module's packages import, whatever their build
// tags; test files may import what they want.
func imports(t *testing.T, root string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, none := os.Stat(filepath.Join(path, "go.mod"))
			if path != root && (none == nil || d.Name() == "testdata" || d.Name() == "runs" || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			to, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			all["./"+filepath.ToSlash(folder)] = append(all["./"+filepath.ToSlash(folder)], to)
		}
		return nil
	})
	require.NoError(t, err)
	return all
}

func TestImportsGoOneWay(t *testing.T) {
	all := imports(t, "../..")
	for _, room := range []string{"./features/run", "./features/plan", "./fixtures/lab", "./internal/verdict", "./cmd/cniperf"} {
		require.NotEmpty(t, all[room], "its imports are read")
	}
	for from, list := range all {
		for _, to := range list {
			assert.Empty(t, broken(from, to), "%s imports %s", from, to)
		}
	}
}

func TestTheRulesForbid(t *testing.T) {
	for _, c := range [][2]string{
		{"./internal/report", module + "features/plan"},
		{"./internal/history", module + "manifests"},
		{"./internal/rounds", "k8s.io/client-go/rest"},
		{"./internal/verdict", "sigs.k8s.io/e2e-framework/pkg/env"},
		{"./fixtures/cni/calico", module + "features/run"},
		{"./features/plan", module + "features/run"},
		{"./features/proof", module + "fixtures/lab"},
		{"./features/tool/sockperf", module + "fixtures/workload"},
		{"./features/tool/sockperf", "k8s.io/api/core/v1"},
		{"./features/run", module + "e2e"},
		{"./manifests", module + "internal/strict"},
	} {
		assert.NotEmpty(t, broken(c[0], c[1]), "%s → %s", c[0], c[1])
	}
	assert.Empty(t, broken("./features/run", module+"fixtures/lab"))
	assert.Empty(t, broken("./internal/rounds", module+"internal/measure"))
}
