// Command licenses lists the licence of every module that cniperf's programs and suite
// are linked from. It fails on a module without one that it knows, and on one that asks
// more of a user than to be named.
//
//	go -C hack/licenses run . ../..
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// accepted are the licences that only want to be named.
var accepted = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MPL-2.0", "Unlicense", "Zlib"}

// names are those that files with licences have, before any dot. LICENSE.docs is of what
// is not compiled.
var names = []string{"LICENSE", "LICENCE", "COPYING", "UNLICENSE"}

// examined are the licences that a person has read, of modules whose files the library
// does not know: spiderpool's LICENSE is Apache-2.0 with a word of it mistyped.
var examined = map[string]string{"github.com/spidernet-io/spiderpool": "Apache-2.0"}

// known is how much of a file must be the text of licences, in percent.
const known = 75

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := list(root, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

// list writes a line for each module: its path, version and licences.
func list(root string, out io.Writer) error {
	modules, err := linked(root)
	if err != nil {
		return err
	}
	var errs []error
	w := bufio.NewWriter(out)
	for _, m := range modules {
		found, err := licences(m)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", m.path, m.version, err))
		}
		fmt.Fprintf(w, "%s %s %s\n", m.path, m.version, strings.Join(found, " "))
	}
	return errors.Join(append(errs, w.Flush())...)
}

type module struct{ path, version, dir string }

// linked are the modules whose packages are compiled, in order.
func linked(root string) ([]module, error) {
	const form = `{{with .Module}}{{if not .Main}}{{.Path}}	{{.Version}}	{{.Dir}}{{end}}{{end}}`
	cmd := exec.Command("go", "list", "-deps", "-tags", "perf", "-test", "-f", form, "./cmd/...", "./e2e/...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	said, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.Bytes())
	}
	var all []module
	for line := range strings.Lines(string(said)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 {
			all = append(all, module{f[0], f[1], f[2]})
		}
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return slices.Compact(all), nil
}

// licences are those of a module's own files, by their SPDX names. One that is not
// accepted, and none at all, are errors.
func licences(m module) ([]string, error) {
	if id := examined[m.path]; id != "" {
		return []string{id}, nil
	}
	files, err := os.ReadDir(m.dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, f := range files {
		base, of, _ := strings.Cut(strings.ToUpper(f.Name()), ".")
		if f.IsDir() || of == "DOCS" || !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(base, n) }) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.dir, f.Name()))
		if err != nil {
			return nil, err
		}
		cover := licensecheck.Scan(text)
		if cover.Percent < known {
			continue
		}
		for _, match := range cover.Match {
			found = append(found, match.ID)
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 0 {
		return nil, errors.New("no file with a licence that is known: look at it, and name it in hack/licenses/main.go")
	}
	for _, id := range found {
		if !slices.Contains(accepted, id) {
			return found, fmt.Errorf("licence %s is not among those that only want to be named", id)
		}
	}
	return found, nil
}
