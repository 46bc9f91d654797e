package run

import (
	"fmt"
	"os"
	"path/filepath"
)

// runsFolder holds the runs' folders: it is below the working directory.
func runsFolder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	return filepath.Join(dir, "runs"), nil
}

// terminalOrStdout is the terminal if there is one, since go test keeps a
// test's own output back until it ends.
func terminalOrStdout() *os.File {
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		return tty
	}
	return os.Stdout
}
