package hack_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

type step struct {
	Uses string
	Run  string
}

type workflow struct {
	Permissions map[string]string
	Concurrency any
	Jobs        map[string]struct {
		Permissions map[string]string
		Timeout     int `yaml:"timeout-minutes"`
		Steps       []step
	}
	Runs struct{ Steps []step } // of an action
}

func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	files, err := filepath.Glob("../.github/workflows/*.yml")
	require.NoError(t, err)
	all := map[string]workflow{}
	for _, file := range append(files, "../action.yml") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var w workflow
		require.NoError(t, yaml.Unmarshal(text, &w), file)
		all[filepath.Base(file)] = w
	}
	return all
}

func (w workflow) steps() []step {
	all := w.Runs.Steps
	for _, j := range w.Jobs {
		all = append(all, j.Steps...)
	}
	return all
}

var (
	pinned = regexp.MustCompile(`^[a-zA-Z0-9-]+/[a-zA-Z0-9/-]+@[0-9a-f]{40}$`)
	// called finds the script that a step runs, in this tree, the one that qualify.yml
	// checks out or the action's.
	called = regexp.MustCompile(`(?:^|"\$GITHUB_ACTION_PATH/|\.cniperf/)(hack/ci/[a-z]+\.sh)`)
)

// An action is what it was when somebody looked at it; what a job does is a script
// that the test beside this one runs; nothing from outside is put into a command line.
func TestWorkflows(t *testing.T) {
	scripts := map[string]bool{}
	for name, w := range workflows(t) {
		for _, s := range w.steps() {
			switch {
			case s.Uses != "":
				assert.Regexp(t, pinned, s.Uses, name)
			case strings.HasPrefix(s.Run, "make "):
			default:
				m := called.FindStringSubmatch(s.Run)
				if assert.NotNil(t, m, "%s runs %q, which is no script of hack/ci", name, s.Run) {
					assert.FileExists(t, "../"+m[1])
					scripts[filepath.Base(m[1])] = true
				}
			}
			assert.NotContains(t, s.Run, "${{", "%s: values go through env, where no shell reads them", name)
		}
		if name == "action.yml" {
			continue
		}
		assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, "%s: a job that needs more says so itself", name)
		assert.NotNil(t, w.Concurrency, name)
		for job, j := range w.Jobs {
			assert.Positive(t, j.Timeout, "%s, job %s", name, job)
		}
	}
	found, err := filepath.Glob("ci/*.sh")
	require.NoError(t, err)
	for _, f := range found {
		name := filepath.Base(f)
		if name != "inputs.sh" && name != "comment.sh" {
			assert.True(t, scripts[name], "no workflow runs %s", f)
		}
	}
}
