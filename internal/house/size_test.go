package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a reader can hold in mind: methods of a type, lines of a function and of a file.
const (
	mostMethods       = 15
	mostFunctionLines = 60
	mostFileLines     = 300
)

// larger are the types and files that are larger than that, with what they may have.
// None may grow, and no other may join them.
var larger = map[string]int{
	"internal/htmlreport.Report": 36,
	"features/proof.evidence":    17,

	"fixtures/machine/judge.go":             378,
	"fixtures/machine/facts.go":             352,
	"fixtures/cni/install.go":               343,
	"fixtures/cni/render.go":                342,
	"fixtures/cni/spiderpool/spiderpool.go": 331,
	"fixtures/cni/uninstall.go":             312,
	"fixtures/cni/bypass/bypass.go":         309,
}

func allowed(name string, usual int) int { return max(usual, larger[name]) }

func TestTypesFunctionsAndFilesStaySmall(t *testing.T) {
	root := filepath.Join("..", "..")
	methods := map[string]int{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || name == "hack/images" || name == "runs" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := bytes.Count(text, []byte("\n"))
		assert.LessOrEqual(t, lines, allowed(name, mostFileLines), "lines of %s: split it by purpose", name)
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1
			assert.LessOrEqual(t, lines, mostFunctionLines, "lines of %s in %s", f.Name.Name, name)
			if of := receiver(f); of != "" {
				methods[filepath.Dir(name)+"."+of]++
			}
		}
		return nil
	}))
	require.NotEmpty(t, methods)
	for name, n := range methods {
		assert.LessOrEqual(t, n, allowed(name, mostMethods), "methods of %s: it does more than one thing", name)
	}
}

// receiver is the name of the type that a method is of, "" for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}
