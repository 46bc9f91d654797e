//go:build anywhere

package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/cniperf/cniperf/internal/toolchain"
)

const released = "v0.0.1"

// zipped is a file of this working tree, as a release of it would have it.
type zipped struct{ root, path string }

func (z zipped) Path() string                 { return z.path }
func (z zipped) Lstat() (os.FileInfo, error)  { return os.Lstat(filepath.Join(z.root, z.path)) }
func (z zipped) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(z.root, z.path)) }

// moduleProxy makes a folder that serves this working tree as a version.
func moduleProxy(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	git := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	git.Dir = root
	out, err := git.Output()
	require.NoError(t, err)
	var files []zip.File
	for _, path := range strings.Fields(string(out)) {
		// A folder with a go.mod is a module of its own, which go leaves out as well.
		_, inner := os.Lstat(filepath.Join(root, filepath.Dir(path), "go.mod"))
		if _, err := os.Lstat(filepath.Join(root, path)); err == nil && (inner != nil || filepath.Dir(path) == ".") {
			files = append(files, zipped{root, path})
		}
	}
	versions := filepath.Join(t.TempDir(), toolchain.Module, "@v")
	require.NoError(t, os.MkdirAll(versions, 0o755))
	f, err := os.Create(filepath.Join(versions, released+".zip"))
	require.NoError(t, err)
	require.NoError(t, zip.Create(f, module.Version{Path: toolchain.Module, Version: released}, files))
	require.NoError(t, f.Close())
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"list": released + "\n", released + ".mod": string(gomod), released + ".info": fmt.Sprintf(`{"Version":%q}`, released),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(versions, name), []byte(text), 0o644))
	}
	return strings.TrimSuffix(versions, "/"+toolchain.Module+"/@v")
}

// moduleCache is the user's module cache by links, but for cniperf: so nothing is
// fetched again, and our version stays out of it.
func moduleCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	from, to := strings.TrimSpace(string(out)), t.TempDir()
	var link func(from, to string, open ...string)
	link = func(from, to string, open ...string) {
		require.NoError(t, os.MkdirAll(to, 0o755))
		entries, err := os.ReadDir(from)
		require.NoError(t, err)
		for _, e := range entries {
			switch name := e.Name(); {
			case name == "cniperf" || name == "lock":
			case slices.Contains(open, name):
				link(filepath.Join(from, name), filepath.Join(to, name), open...)
			default:
				require.NoError(t, os.Symlink(filepath.Join(from, name), filepath.Join(to, name)))
			}
		}
	}
	link(from, to, "cache", "download", "github.com")
	// Its folders can't be written to, and couldn't be removed.
	t.Cleanup(func() {
		_ = filepath.WalkDir(filepath.Join(to, "github.com", "cniperf"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(path, 0o755)
			}
			return err
		})
	})
	return to
}

// elsewhere is a user without cniperf's source tree and without an engine.
type elsewhere struct {
	dir, cache string
	env        []string
}

func newElsewhere(t *testing.T, proxy, cache string) elsewhere {
	t.Helper()
	bin := t.TempDir()
	for _, program := range []string{"go", "sh", "cat", "git", "true"} {
		path, err := exec.LookPath(program)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(bin, program)))
	}
	out, err := exec.Command("go", "env", "GOPROXY").Output()
	require.NoError(t, err)
	return elsewhere{dir: t.TempDir(), cache: cache, env: append(os.Environ(),
		"PATH="+bin, "GOMODCACHE="+cache, "GOPROXY=file://"+proxy+","+strings.TrimSpace(string(out)),
		"GOSUMDB=off", "GOWORK=off", "CGO_ENABLED=0", "CNIPERF_CACHE="+t.TempDir(),
		"GOFLAGS=-buildvcs=false "+strings.Join(toolchain.Flags(), " ")+" -ldflags=-s",
	)}
}

func (e elsewhere) run(t *testing.T, words ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir, cmd.Env = e.dir, e.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.NotNil(t, cmd.ProcessState, "%s: %v", words, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// module lists what lies in the module cache of cniperf.
func (e elsewhere) module(t *testing.T) []string {
	t.Helper()
	var files []string
	require.NoError(t, filepath.WalkDir(filepath.Join(e.cache, "github.com", "cniperf"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			files = append(files, fmt.Sprint(path, info.Mode(), info.Size(), info.ModTime()))
		}
		return err
	}))
	return files
}

// Nothing looks for cniperf's source tree around the user: from an empty folder and
// from another module all works, is compiled from the module cache, and leaves that
// as it was.
func TestCniperfRunsFromAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles cniperf and its suite from a module proxy")
	}
	proxy, cache := moduleProxy(t), moduleCache(t)
	empty := newElsewhere(t, proxy, cache)
	program := toolchain.Module + "/cmd/cniperf@" + released

	out, _ := empty.run(t, "go", "run", program, "doctor")
	assert.Contains(t, out, "container engine", "doctor looked at the machine")
	assert.NotContains(t, out, "go.mod")
	before := empty.module(t)
	require.NotEmpty(t, before)

	out, code := empty.run(t, "go", "run", program, "run", "-profile", "smoke", "-dry-run")
	assert.Zero(t, code, out)
	assert.Contains(t, out, "dry run of profile smoke")
	assert.Contains(t, out, "cluster ebpf (made by kind):")

	other := newElsewhere(t, proxy, cache)
	gomod := "module example.org/spiderpool\n\ngo 1.26.0\n\nrequire " + toolchain.Module + " " + released + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(other.dir, "go.mod"), []byte(gomod), 0o644))
	out, code = other.run(t, "go", "test", "-mod=mod", toolchain.Module+"/e2e", "-tags", "perf", "-v", "-timeout", "60m", "-args", "-profile", "smoke", "-dry-run")
	assert.Zero(t, code, out)
	assert.Contains(t, out, "dry run of profile smoke")

	assert.Equal(t, before, empty.module(t), "the module cache is not written to")
	left, err := os.ReadDir(empty.dir)
	require.NoError(t, err)
	assert.Empty(t, left, "a dry run makes nothing")
}
