package docs_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
)

var (
	shell    = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	comment  = regexp.MustCompile(`(^|\s)#.*$`)
	target   = regexp.MustCompile(`(?m)^([a-z-]+):.*## `)
	variable = regexp.MustCompile(`(?m)^([A-Z]+) +\?=`)
	own      = regexp.MustCompile(`f\.(?:\w*Var\(&o\.\w+, |Func\()"([a-z-]+)"`)
	flagName = regexp.MustCompile(`--([a-z-]+)`)
)

// framework are those of e2e-framework's flags that the pages may name.
var framework = []string{"assess", "dry-run", "feature", "labels", "skip-assessment", "skip-features", "skip-labels"}

// foreign are programs of others that the pages call.
var foreign = []string{"cp", "kubectl", "mkdir", "mv", "sockperf", "taskset", "tcpip-bypass"}

// commands are those of a page's sh blocks, one a line, without comments.
func commands(text string) []string {
	var found []string
	for _, block := range shell.FindAllStringSubmatch(text, -1) {
		for _, line := range strings.Split(strings.ReplaceAll(block[1], "\\\n", " "), "\n") {
			if line = strings.TrimSpace(comment.ReplaceAllString(line, "")); line != "" {
				found = append(found, line)
			}
		}
	}
	return found
}

// reader checks commands against what the repository has.
type reader struct {
	targets, variables, flags []string
	cniperf                   string // built from this source
	help                      map[string]string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{cniperf: filepath.Join(t.TempDir(), "cniperf"), help: map[string]string{}}
	makefile, flags := page(t, "Makefile"), page(t, "features/run/flags.go")
	r.targets, r.variables = all(target, makefile), all(variable, makefile)
	r.flags = append(all(own, flags), framework...)
	require.Contains(t, r.targets, "perf")
	require.Contains(t, r.flags, "run-dir")
	out, err := exec.Command("go", "build", "-o", r.cniperf, "../cmd/cniperf").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return r
}

func all(re *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

// check tells what is wrong with a command; nil if it could run.
func (r *reader) check(command string) error {
	words := strings.Fields(command)
	switch {
	case words[0] == "make":
		return r.checkMake(words[1:])
	case words[0] == "bin/cniperf" || words[0] == "cniperf":
		return r.checkCniperf(words[1:])
	case strings.HasPrefix(command, "go run ./cmd/cniperf "):
		return r.checkCniperf(words[3:])
	case strings.HasPrefix(command, "go test "):
		return r.checkGoTest(words[2:])
	case strings.HasPrefix(words[0], "hack/"):
		return exists(words[0])
	case !slices.Contains(foreign, words[0]):
		return fmt.Errorf("%s is no command of ours", words[0])
	}
	for _, w := range words {
		if strings.HasPrefix(w, "manifests/") {
			if err := exists(w); err != nil {
				return err
			}
		}
	}
	return nil
}

func exists(path string) error {
	_, err := os.Stat(filepath.Join("..", path))
	return err
}

func (r *reader) checkMake(words []string) error {
	for _, w := range words {
		name, value, assigned := strings.Cut(w, "=")
		switch {
		case strings.HasPrefix(w, "latest"): // the rest of ARGS="-resume latest"
		case !assigned && !slices.Contains(r.targets, w):
			return fmt.Errorf("make has no target %s", w)
		case assigned && !slices.Contains(r.variables, name):
			return fmt.Errorf("make has no variable %s", name)
		case name == "PROFILE":
			if err := exists("manifests/profiles/" + value + ".yaml"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reader) checkCniperf(words []string) error {
	if words[0] == "run" {
		return r.checkFlags(words[1:], append(slices.Clone(r.flags), "timeout", "help"))
	}
	sub := words[:1]
	if words[0] == "lab" || words[0] == "images" && len(words) > 1 && slices.Contains([]string{"push", "save", "load"}, words[1]) {
		sub = words[:2]
	}
	key := strings.Join(sub, " ")
	if r.help[key] == "" {
		out, err := exec.Command(r.cniperf, append(slices.Clone(sub), "--help")...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "cniperf "+key) {
			return fmt.Errorf("cniperf %s --help: %v: %s", key, err, out)
		}
		r.help[key] = string(out)
	}
	for _, w := range words {
		if m := flagName.FindStringSubmatch(w); m != nil && !strings.Contains(r.help[key], "--"+m[1]+" ") {
			return fmt.Errorf("cniperf %s has no flag --%s", key, m[1])
		}
	}
	return nil
}

// checkFlags checks the suite's flags, which have one dash or two.
func (r *reader) checkFlags(words, flags []string) error {
	for i, w := range words {
		name, value, _ := strings.Cut(strings.TrimLeft(w, "-"), "=")
		if strings.HasPrefix(w, "-") && !slices.Contains(flags, name) {
			return fmt.Errorf("the suite has no flag -%s", name)
		}
		if i > 0 && strings.TrimLeft(words[i-1], "-") == "profile" {
			name, value = "profile", w
		}
		if name == "profile" && value != "" {
			if err := exists("manifests/profiles/" + value + ".yaml"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reader) checkGoTest(words []string) error {
	if i := slices.Index(words, "-args"); i >= 0 {
		if err := r.checkFlags(words[i+1:], r.flags); err != nil {
			return err
		}
		words = words[:i]
	}
	for _, w := range words {
		if strings.HasPrefix(w, "./") {
			dir, below := strings.CutSuffix(w, "/...")
			if files, _ := filepath.Glob(filepath.Join("..", dir, "*.go")); len(files) == 0 && !below {
				return fmt.Errorf("%s holds no Go files", w)
			}
			if err := exists(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// documented are the pages whose commands people type.
func documented(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(pages(t), func(name string) bool { return strings.HasPrefix(name, "docs/evidence/") })
}

// The two share one build of cniperf.
func TestCommands(t *testing.T) {
	r := newReader(t)
	t.Run("EveryOneExists", r.everyOneExists)
	t.Run("TheHarmlessOnesRun", r.harmlessOnesRun)
}

func (r *reader) everyOneExists(t *testing.T) {
	seen := 0
	for _, name := range documented(t) {
		for _, c := range commands(page(t, name)) {
			seen++
			assert.NoError(t, r.check(c), "%s: %s", name, c)
		}
	}
	assert.Greater(t, seen, 40)
	for _, wrong := range []string{
		"make fast", "make perf SPEED=1", "make perf PROFILE=none", "bin/cniperf sing", "bin/cniperf report --loud", "hack/none.sh",
		"go test ./e2e -tags perf -args -loud", "bin/cniperf run -loud", "bin/cniperf run -profile none", "go test ./none", "go test ./features", "kubectl apply -f manifests/none.yaml", "curl example.org",
	} {
		assert.Error(t, r.check(wrong), wrong)
	}
}

// What reads files only is run, on files like those that the pages name.
func (r *reader) harmlessOnesRun(t *testing.T) {
	dir, ran := t.TempDir(), 0
	w, err := journal.Create(filepath.Join(dir, "runs", "20261125t075204z-quick"), journal.Header{RunID: "20261125t075204z-quick", Profile: "quick"})
	require.NoError(t, err)
	require.NoError(t, w.Append(&journal.End{Outcome: "pass"}))
	require.NoError(t, w.Close())
	for name, text := range map[string]string{
		"output.txt": page(t, "features/tool/sockperf/testdata/tcp.txt"),
		"pairs.csv":  "round,a,b\n" + strings.Repeat("%d,1,2\n", 8),
	} {
		for i := 1; strings.Contains(text, "%d"); i++ {
			text = strings.Replace(text, "%d", fmt.Sprint(i), 1)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(filepath.Join(root, "manifests"), filepath.Join(dir, "manifests")))
	for _, name := range documented(t) {
		for _, c := range commands(page(t, name)) {
			words := strings.Fields(c)
			if words[0] != "bin/cniperf" || !slices.Contains([]string{"parse", "report", "judge"}, words[1]) {
				continue
			}
			ran++
			cmd := exec.Command(r.cniperf, words[1:]...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if errors.As(err, &exit) && words[1] == "judge" && strings.Contains(string(out), "nothing was measured") {
				err = nil // the run has no samples, which is no fault of the command
			}
			assert.NoError(t, err, "%s: %s\n%s", name, c, out)
		}
	}
	assert.Greater(t, ran, 5)
}
