//go:build perf

package e2e

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cniperf/cniperf/internal/toolchain"
)

// place is where the suite was started.
type place struct {
	source string // the folder of cniperf's source; empty where that isn't known
}

// findPlace goes to the folder that the user works in, where relative paths of flags
// and the runs belong. go test runs a test in its package's folder, which in another
// module lies in the module cache; the folder of the go command is the user's.
func findPlace() (place, error) {
	if source := os.Getenv(toolchain.SourceEnv); source != "" {
		return place{source}, nil // started by cniperf run, in the user's folder
	}
	parent := fmt.Sprintf("/proc/%d", os.Getppid())
	if program, err := os.Readlink(filepath.Join(parent, "exe")); err != nil || filepath.Base(program) != "go" {
		return place{}, nil
	}
	own, err := os.Getwd()
	if err != nil {
		return place{}, fmt.Errorf("folder of the suite: %w", err)
	}
	work, err := os.Readlink(filepath.Join(parent, "cwd"))
	if err == nil {
		err = os.Chdir(work)
	}
	if err != nil {
		return place{}, fmt.Errorf("folder that go test was started in: %w", err)
	}
	return place{filepath.Dir(own)}, nil
}
