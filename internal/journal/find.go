package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// newest is the folder of the run that was started last. Folders whose journal has
// no readable header are no runs.
func newest(dirs []string) (string, error) {
	var latest string
	var at time.Time
	var errs []error
	for _, dir := range dirs {
		h, err := readHeader(dir)
		switch {
		case err != nil:
			errs = append(errs, err)
		case latest == "" || !h.Started.Before(at):
			latest, at = dir, h.Started
		}
	}
	if latest == "" {
		return "", fmt.Errorf("no run can be read: %w", errors.Join(errs...))
	}
	return latest, nil
}

// readHeader reads a journal's first line.
func readHeader(dir string) (Header, error) {
	var h Header
	read := errors.New("read")
	err := Scan(dir, func(_ string, data []byte) error {
		if err := json.Unmarshal(data, &h); err != nil {
			return err
		}
		return read
	})
	if errors.Is(err, read) {
		return h, nil
	}
	return h, err
}
