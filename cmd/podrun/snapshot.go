package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cniperf/cniperf/internal/trailer"
)

func snapshot() (trailer.Snapshot, error) {
	var s trailer.Snapshot
	dev, err := os.ReadFile("/proc/net/dev")
	if err != nil {
		return s, err
	}
	if s.Interfaces, err = parseNetDev(dev); err != nil {
		return s, err
	}
	for name, c := range s.Interfaces {
		if c.Link, err = interfaceNumber(name, "iflink"); err != nil {
			return s, err
		}
		if c.MTU, err = interfaceNumber(name, "mtu"); err != nil {
			return s, err
		}
		s.Interfaces[name] = c
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return s, err
	}
	if s.CPU, s.PerCPU, err = parseStat(stat); err != nil {
		return s, err
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return s, err
	}
	one, _, _ := strings.Cut(string(load), " ")
	if s.Load1, err = strconv.ParseFloat(one, 64); err != nil {
		return s, fmt.Errorf("/proc/loadavg: %w", err)
	}
	if s.Machine, err = bootID("/proc"); err != nil {
		return s, err
	}
	s.Throttled, err = throttled("/sys/fs/cgroup")
	return s, err
}

// interfaceNumber reads a number of an interface: its "mtu", or the index of the
// device it is tied to, "iflink"; 0 for one that is gone by now.
func interfaceNumber(name, which string) (int, error) {
	b, err := os.ReadFile(filepath.Join("/sys/class/net", name, which))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

func parseNetDev(b []byte) (map[string]trailer.Counters, error) {
	ifaces := map[string]trailer.Counters{}
	for line := range strings.Lines(string(b)) {
		name, rest, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		f := strings.Fields(rest)
		if len(f) != 16 {
			return nil, fmt.Errorf("/proc/net/dev: %d fields in %q, want 16", len(f), line)
		}
		var n [4]uint64
		for i, column := range []int{0, 1, 8, 9} {
			v, err := strconv.ParseUint(f[column], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("/proc/net/dev: %q: %w", line, err)
			}
			n[i] = v
		}
		ifaces[strings.TrimSpace(name)] = trailer.Counters{RxBytes: n[0], RxPackets: n[1], TxBytes: n[2], TxPackets: n[3]}
	}
	return ifaces, nil
}

// parseStat reads the lines of /proc/stat about processors, the first of which
// is the sum of the others:
// cpuN user nice system idle iowait irq softirq steal …
func parseStat(b []byte) (all trailer.CPUTime, each map[int]trailer.CPUTime, err error) {
	each = map[int]trailer.CPUTime{}
	if !bytes.HasPrefix(b, []byte("cpu ")) {
		first, _, _ := bytes.Cut(b, []byte("\n"))
		return all, nil, fmt.Errorf("/proc/stat begins with %q", first)
	}
	for line := range strings.Lines(string(b)) {
		number, isCPU := strings.CutPrefix(line, "cpu")
		f := strings.Fields(line)
		if !isCPU {
			break
		}
		if len(f) < 9 {
			return all, nil, fmt.Errorf("/proc/stat: %d fields in %q", len(f), line)
		}
		var n [9]uint64
		for i := 1; i < 9; i++ {
			if n[i], err = strconv.ParseUint(f[i], 10, 64); err != nil {
				return all, nil, fmt.Errorf("/proc/stat: %q: %w", line, err)
			}
		}
		t := trailer.CPUTime{User: n[1] + n[2], System: n[3] + n[6], Softirq: n[7], Steal: n[8], Idle: n[4] + n[5]}
		if number[0] == ' ' {
			all = t
			continue
		}
		cpu, err := strconv.Atoi(strings.TrimPrefix(f[0], "cpu"))
		if err != nil {
			return all, nil, fmt.Errorf("/proc/stat: %q: %w", line, err)
		}
		each[cpu] = t
	}
	return all, each, nil
}
