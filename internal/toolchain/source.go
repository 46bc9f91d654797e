package toolchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/module"
)

// Module is the path of cniperf's module.
const Module = "github.com/cniperf/cniperf"

// SourceEnv is the variable that names the folder of cniperf's source where that is
// known: cniperf tells the suite so, and the action tells cniperf.
const SourceEnv = "CNIPERF_SOURCE"

// ErrNoSource says that cniperf's own source is in no place that it knows.
var ErrNoSource = errors.New("the source of cniperf is not in reach")

// Source returns the folder of cniperf's own source: the one that SourceEnv names,
// else that of the module around the folder work, be it cniperf itself or one that
// requires it, else that of the version which this program was built from. It is
// downloaded if need be.
func Source(ctx context.Context, work string) (string, error) {
	if told := os.Getenv(SourceEnv); told != "" {
		return told, nil
	}
	m, err := required(ctx, work)
	if err != nil {
		return "", err
	}
	if m.Dir != "" {
		return m.Dir, nil
	}
	if m.Version == "" {
		info, _ := debug.ReadBuildInfo()
		if m.Version = Version(info); m.Version == "" {
			return "", fmt.Errorf("%w: this cniperf was built from a changed source tree, and neither is %s that tree nor does a go.mod of it require %s: "+
				"run it there", ErrNoSource, work, Module)
		}
	}
	return download(ctx, m.Version)
}

// Version returns the version of cniperf that a program was built from; "" if that
// was a source tree, or one that had changed, and not a version that others can get.
func Version(info *debug.BuildInfo) string {
	if info == nil {
		return ""
	}
	m := &info.Main
	for _, d := range info.Deps {
		if d.Path == Module {
			m = d
		}
	}
	// What was built from a tree with changes has +dirty, and no hash.
	if m.Path != Module || m.Replace != nil || module.Check(m.Path, m.Version) != nil || strings.Contains(m.Version, "+dirty") {
		return ""
	}
	return m.Version
}

type moduleInfo struct{ Version, Dir, Error string }

// required returns what the module around the folder work says of cniperf; nothing
// if there is no module or it requires none. Its vendor folder has no suite, so it
// is not looked at.
func required(ctx context.Context, work string) (moduleInfo, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-mod=readonly", "-f", `{"Version": "{{.Version}}", "Dir": "{{.Dir}}"}`, Module)
	cmd.Dir = work
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && ctx.Err() == nil:
		return moduleInfo{}, nil // no module, or none that knows cniperf
	case err != nil:
		return moduleInfo{}, fmt.Errorf("%w: go list -m %s: %w: cniperf needs Go", ErrNoSource, Module, err)
	}
	var m moduleInfo
	if err := json.Unmarshal(out, &m); err != nil {
		return m, fmt.Errorf("%w: go list -m %s: %w", ErrNoSource, Module, err)
	}
	return m, nil
}

// download returns the folder of a version in the module cache. It asks outside of
// every module, for go would write into the go.sum of one around it.
func download(ctx context.Context, version string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", Module+"@"+version)
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var m moduleInfo
	if jsonErr := json.Unmarshal(out, &m); jsonErr == nil && m.Error != "" {
		return "", fmt.Errorf("%w: %s@%s: %s", ErrNoSource, Module, version, m.Error)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s@%s: %w: %s", ErrNoSource, Module, version, err, strings.TrimSpace(stderr.String()))
	}
	return m.Dir, nil
}
