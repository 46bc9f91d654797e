package hack_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runner is a job's machine: programs that note how they were called, and the files
// that GitHub gives a job.
type runner struct {
	dir string
	env []string
}

func newRunner(t *testing.T) runner {
	t.Helper()
	r := runner{dir: t.TempDir()}
	require.NoError(t, os.MkdirAll(filepath.Join(r.dir, "bin"), 0o755))
	r.env = append(os.Environ(), "PATH="+filepath.Join(r.dir, "bin")+":"+os.Getenv("PATH"), "CNIPERF=cniperf",
		"GITHUB_OUTPUT="+filepath.Join(r.dir, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(r.dir, "summary"),
		"GITHUB_REPOSITORY=o/r", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=2", "RUNS="+filepath.Join(r.dir, "runs"), "RUNNER_TEMP="+r.dir,
		"GITHUB_ENV="+filepath.Join(r.dir, "env"), "GITHUB_PATH="+filepath.Join(r.dir, "path"))
	return r
}

// program puts a program into the path that notes its arguments and then runs script.
func (r runner) program(t *testing.T, name, script string) {
	t.Helper()
	text := "#!/bin/bash\nprintf '%s\\n' \"" + name + " $*\" >>" + filepath.Join(r.dir, "calls") + "\n" + script + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "bin", name), []byte(text), 0o755))
}

// run runs a script of hack/ci and returns its output and exit code.
func (r runner) run(t *testing.T, script string, env []string, args ...string) (string, int) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("ci", script))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Env = r.dir, append(r.env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.NotNil(t, cmd.ProcessState, "%v", err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (r runner) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return string(text)
}

// suite is a cniperf whose run leaves a report and ends with code.
func (r runner) suite(t *testing.T, code int) {
	r.program(t, "cniperf", fmt.Sprintf(`
case $1 in
run | qualify)
	[ "$2" != --help ] || exit 0
	while [ $# -gt 1 ] && [ "$1" != -run-dir ]; do shift; done
	mkdir -p "$2" && printf '# cniperf run x: the sentence\n\ntable\n' >"$2/report.md"
	exit %d ;;
esac`, code))
}

func TestMeasure(t *testing.T) {
	for code, verdict := range map[int]string{0: "pass", 1: "fail", 2: "inconclusive", 3: "infrastructure", 130: "interrupted"} {
		t.Run(verdict, func(t *testing.T) {
			r := newRunner(t)
			r.suite(t, code)
			out, ended := r.run(t, "measure.sh", []string{"PROFILE=nightly", "TIMEOUT=280m", "FLAGS=-gate=false\n-labels=tool=$(touch pwned) x"})
			require.Zero(t, ended, "the steps after it keep and tell what happened: %s", out)
			output := r.read(t, "output")
			assert.Contains(t, output, "verdict="+verdict+"\n")
			assert.Contains(t, output, fmt.Sprintf("code=%d\n", code))
			assert.Contains(t, output, "sentence=cniperf run x: the sentence\n")
			assert.Regexp(t, `run=.*/runs/\d{8}t\d{6}z-nightly-7-2\n`, output)
			assert.Contains(t, r.read(t, "summary"), "table")
			calls := r.read(t, "calls")
			assert.Contains(t, calls, "cniperf doctor --fix\n")
			assert.Contains(t, calls, "-gate=false -labels=tool=$(touch pwned) x\n")
			assert.NoFileExists(t, filepath.Join(r.dir, "pwned"))
		})
	}
	t.Run("a machine that can't", func(t *testing.T) {
		r := newRunner(t)
		r.program(t, "cniperf", "exit 3")
		_, ended := r.run(t, "measure.sh", nil)
		assert.Zero(t, ended)
		assert.Contains(t, r.read(t, "output"), "verdict=infrastructure\n")
		assert.NotContains(t, r.read(t, "calls"), "cniperf run")
	})
	for _, bad := range []string{"PROFILE=../x", "PROFILE=a b", "TIMEOUT=soon", "TIMEOUT=1m;id"} {
		r := newRunner(t)
		r.suite(t, 0)
		out, ended := r.run(t, "measure.sh", []string{bad})
		assert.Equal(t, 3, ended, bad)
		assert.Contains(t, out, " is not ", bad)
		assert.Empty(t, r.read(t, "calls"))
	}
}

func TestQualifyInputs(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0", 64)
	for _, good := range []string{"v1.1.0", "v1.2.0-rc1", "checkout", "ghcr.io/o/agent:v1.1.0", "localhost:5000/a/b" + digest, "ghcr.io/o/agent:v1" + digest} {
		r := newRunner(t)
		r.suite(t, 1)
		out, code := r.run(t, "qualify.sh", []string{"BASELINE=v1.0.0", "CANDIDATE=" + good})
		assert.Zero(t, code, "%s: %s", good, out)
		assert.Contains(t, r.read(t, "calls"), "--baseline v1.0.0 --candidate "+good+" ")
		assert.Contains(t, r.read(t, "output"), "verdict=fail\n")
	}
	for _, bad := range []string{"", "latest", "v1", "1.1.0", "v1.1.0; id", "$(id)", "ghcr.io/o/agent", "ghcr.io/o/agent:v1 --x", "-v", "a/b@sha256:12", "v1.1.0\nx"} {
		r := newRunner(t)
		r.suite(t, 0)
		out, code := r.run(t, "qualify.sh", []string{"BASELINE=v1.0.0", "CANDIDATE=" + bad})
		assert.Equal(t, 3, code, "%q", bad)
		assert.Contains(t, out, "CANDIDATE is not a version, an image reference or checkout")
		assert.Empty(t, r.read(t, "calls"), "%q", bad)
	}
	r := newRunner(t)
	r.program(t, "cniperf", "exit 1")
	_, code := r.run(t, "qualify.sh", []string{"BASELINE=v1.0.0", "CANDIDATE=checkout"})
	assert.Zero(t, code)
	assert.Contains(t, r.read(t, "output"), "verdict=infrastructure\n", "a cniperf without qualify")
}

func TestGate(t *testing.T) {
	r := newRunner(t)
	for code, want := range map[string]int{"0": 0, "1": 1, "2": 0, "3": 3, "130": 130, "77": 3, "": 3, "x": 3} {
		_, ended := r.run(t, "gate.sh", nil, code)
		assert.Equal(t, want, ended, code)
	}
	out, _ := r.run(t, "gate.sh", nil, "2")
	assert.Contains(t, out, "::warning")
	out, _ = r.run(t, "gate.sh", nil, "3")
	assert.Contains(t, out, "says nothing about any datapath")
}

func TestHistory(t *testing.T) {
	r := newRunner(t)
	runs := filepath.Join(r.dir, "runs")
	r.program(t, "gh", `
case $1 in
api) echo "$ID" ;;
run) for n in 20261101 20261102 20261103; do mkdir -p "`+runs+`/${n}t000000z-nightly"; done ;;
esac`)
	out, code := r.run(t, "history.sh", []string{"KEEP=2", "ID=41"}, "fetch")
	require.Zero(t, code, out)
	assert.Contains(t, r.read(t, "calls"), "gh run download 41 --repo o/r --name nightly-runs --dir "+runs)
	assert.NoDirExists(t, filepath.Join(runs, "20261101t000000z-nightly"), "older nights go")
	assert.DirExists(t, filepath.Join(runs, "20261102t000000z-nightly"))

	r.program(t, "cniperf", `echo "macvlan is slower since 20261103"; exit 1`)
	out, code = r.run(t, "history.sh", nil, "judge")
	assert.Zero(t, code, out)
	assert.Contains(t, r.read(t, "calls"), "cniperf history --profile nightly "+runs+"/20261102t000000z-nightly/ "+runs+"/20261103t000000z-nightly/")
	assert.Contains(t, r.read(t, "output"), "verdict=fail\nsentence=macvlan is slower since 20261103\n")

	first := newRunner(t)
	first.program(t, "gh", "")
	out, code = first.run(t, "history.sh", nil, "fetch")
	assert.Zero(t, code, out)
	assert.Contains(t, out, "no night before")
	for _, bad := range [][]string{{"KEEP=all"}, {"PROFILE=$(id)"}} {
		_, code = first.run(t, "history.sh", bad, "judge")
		assert.Equal(t, 3, code)
	}
	_, code = first.run(t, "history.sh", nil, "forget")
	assert.Equal(t, 2, code)
}

func TestIssue(t *testing.T) {
	for name, test := range map[string]struct {
		verdict, open string
		want, not     string
	}{
		"first bad night":  {"fail", "", "gh issue create --repo o/r --label performance-regression", "gh issue comment"},
		"another one":      {"fail", "12", "gh issue comment 12 --repo o/r", "gh issue create"},
		"over":             {"pass", "12", "gh issue close 12 --repo o/r", "gh issue create"},
		"nothing was":      {"pass", "", "gh issue list", "gh issue close"},
		"can't tell":       {"inconclusive", "12", "gh issue list", "gh issue c"},
		"the run broke":    {"infrastructure", "12", "gh issue list", "gh issue c"},
		"somebody ends it": {"interrupted", "", "gh issue list", "gh issue c"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t)
			r.program(t, "gh", `[ "$2" != list ] || echo "`+test.open+`"; while [ $# -gt 0 ]; do [ "$1" != --body-file ] || cp "$2" "`+r.dir+`/body"; shift; done`)
			out, code := r.run(t, "issue.sh", []string{"RUN_URL=https://example.org/7"}, test.verdict, "macvlan is 12 % slower; `id` $(id)")
			require.Zero(t, code, out)
			assert.Contains(t, r.read(t, "calls"), test.want)
			assert.NotContains(t, r.read(t, "calls"), test.not)
			if test.verdict == "fail" {
				assert.Contains(t, r.read(t, "body"), "macvlan is 12 % slower; `id` $(id)\n\nRun: https://example.org/7\n")
			}
		})
	}
	r := newRunner(t)
	r.program(t, "gh", "")
	_, code := r.run(t, "issue.sh", nil, "sunny", "x")
	assert.Equal(t, 3, code)
}

func TestComment(t *testing.T) {
	for name, test := range map[string]struct{ there, want string }{
		"new":    {"", "gh api --method POST repos/o/r/issues/5/comments"},
		"edited": {"99", "gh api --method PATCH repos/o/r/issues/comments/99"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t)
			r.program(t, "gh", `[ "$2" != --paginate ] || echo "`+test.there+`"`)
			file := filepath.Join(r.dir, "report.md")
			require.NoError(t, os.WriteFile(file, []byte("# it\n"), 0o600))
			out, code := r.run(t, "comment.sh", nil, "5", file)
			require.Zero(t, code, out)
			assert.Contains(t, r.read(t, "calls"), test.want)
			_, code = r.run(t, "comment.sh", nil, "5; id", file)
			assert.Equal(t, 3, code)
		})
	}
}

func TestPublish(t *testing.T) {
	r := newRunner(t)
	r.program(t, "gh", "")
	dist := filepath.Join(r.dir, "dist")
	require.NoError(t, os.MkdirAll(dist, 0o755))
	for name, text := range map[string]string{"cniperf-v0.1.0-linux-amd64": "program", "notes.md": "notes", "sbom.spdx.json": "{}"} {
		require.NoError(t, os.WriteFile(filepath.Join(dist, name), []byte(text), 0o600))
	}
	sums := exec.Command("sh", "-c", "sha256sum cniperf-* > SHA256SUMS")
	sums.Dir = dist
	require.NoError(t, sums.Run())
	out, code := r.run(t, "publish.sh", []string{"DIST=" + dist}, "v0.1.0")
	require.Zero(t, code, out)
	assert.Contains(t, r.read(t, "calls"), "gh release create v0.1.0 --repo o/r --verify-tag")
	require.NoError(t, os.WriteFile(filepath.Join(dist, "cniperf-v0.1.0-linux-amd64"), []byte("another"), 0o600))
	_, code = r.run(t, "publish.sh", []string{"DIST=" + dist}, "v0.1.0")
	assert.NotZero(t, code, "what was changed after its checksum is not released")
	for _, bad := range []string{"", "main", "v1", "v1.0.0;id"} {
		_, code = r.run(t, "publish.sh", []string{"DIST=" + dist}, bad)
		assert.Equal(t, 3, code, bad)
	}
}

// Both compile cniperf.
func TestInstallAndRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles cniperf")
	}
	r := newRunner(t)
	out, code := r.run(t, "install.sh", nil)
	require.Zero(t, code, out)
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	assert.Equal(t, "CNIPERF_SOURCE="+root+"\n", r.read(t, "env"))
	assert.Equal(t, filepath.Join(r.dir, "cniperf-bin")+"\n", r.read(t, "path"))

	dist := filepath.Join(r.dir, "dist")
	out, code = r.run(t, "release.sh", []string{"DIST=" + dist, "ARCHITECTURES=amd64"}, "v0.1.0")
	require.Zero(t, code, out)
	assert.FileExists(t, filepath.Join(dist, "cniperf-v0.1.0-linux-amd64"))
	assert.Contains(t, r.read(t, "dist/SHA256SUMS"), "  cniperf-v0.1.0-linux-amd64\n")
	assert.Contains(t, r.read(t, "dist/notes.md"), "## ")
	for _, bad := range []string{"", "0.1.0", "v0.1.0 x"} {
		_, code = r.run(t, "release.sh", []string{"DIST=" + dist}, bad)
		assert.Equal(t, 3, code, bad)
	}
}
