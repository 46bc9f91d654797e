package run

import (
	"fmt"
	"os"
	"path/filepath"
)

// projectRoot is the folder that holds this module's recipes: the working
// directory or the nearest one above it with a go.mod.
func projectRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no go.mod in %s or above: run cniperf in its source tree, where the image recipes are", dir)
		}
	}
}

// terminalOrStdout is the terminal if there is one, since go test keeps a
// test's own output back until it ends.
func terminalOrStdout() *os.File {
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		return tty
	}
	return os.Stdout
}
