package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cgroupFile is where a container's cgroup tells a time: a file, the key of its line,
// empty where the file holds the number alone, and the number's unit.
type cgroupFile struct {
	file, key string
	unit      time.Duration
}

// throttled is for how long a quota has stopped this container.
func throttled(root string) (time.Duration, error) {
	return cgroupTime(root,
		cgroupFile{"cpu.stat", "throttled_usec", time.Microsecond},
		cgroupFile{"cpu,cpuacct/cpu.stat", "throttled_time", time.Nanosecond},
		cgroupFile{"cpu/cpu.stat", "throttled_time", time.Nanosecond})
}

// cgroupTime reads the first of the files that is there and has its key: version 2 and
// version 1 of cgroups lay them out differently. Zero where there is none.
func cgroupTime(root string, files ...cgroupFile) (time.Duration, error) {
	for _, from := range files {
		b, err := os.ReadFile(filepath.Join(root, from.file))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(b)) {
			key, number, found := strings.Cut(strings.TrimSpace(line), " ")
			if !found {
				key, number = "", key
			}
			if number == "" || key != from.key {
				continue
			}
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %q: %w", from.file, line, err)
			}
			return time.Duration(n) * from.unit, nil
		}
	}
	return 0, nil
}
