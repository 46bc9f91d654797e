package run

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/cniperf/cniperf/internal/toolchain"
)

// version is the module's as the binary records it. go test records none, so
// that there it is the hash of the source, from which go test compiles what runs,
// or where that is not known of the program: other code must not resume a run.
func version(source string) (string, error) {
	info, _ := debug.ReadBuildInfo()
	if v := toolchain.Version(info); v != "" {
		return v, nil
	}
	if source == "" {
		sum, err := programHash()
		return "program " + sum, err
	}
	sum, err := sourceHash(source)
	return "devel " + sum, err
}

// programHash is over the program that runs.
func programHash() (string, error) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return "", fmt.Errorf("version of this program: %w", err)
	}
	defer f.Close()
	whole := sha256.New()
	if _, err := io.Copy(whole, f); err != nil {
		return "", fmt.Errorf("version of this program: %w", err)
	}
	return hex.EncodeToString(whole.Sum(nil)[:8]), nil
}

// sourceHash is over every file that goes into the suite: Go files but the tests
// of packages that are not the suite's own, the YAML files that are compiled in,
// and what names the dependencies.
func sourceHash(root string) (string, error) {
	tree := os.DirFS(root)
	whole := sha256.New()
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "runs" || name == "bin" || name == "testdata" || len(name) > 1 && name[0] == '.'):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		case name == "go.mod" || name == "go.sum" || filepath.Ext(name) == ".yaml":
		case filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") && filepath.Dir(path) != "e2e":
			return nil
		}
		content, err := fs.ReadFile(tree, path)
		fmt.Fprintf(whole, "%x  %s\n", sha256.Sum256(content), path)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("sources in %s: %w", root, err)
	}
	return hex.EncodeToString(whole.Sum(nil)[:8]), nil
}
