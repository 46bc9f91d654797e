package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/cniperf/cniperf/internal/nic"
)

// tools are the Debian packages whose versions decide what is measured.
var tools = []string{"iperf3", "netperf", "redis-server", "redis-tools", "sockperf"}

// facts are what decides whether runs on this node can be compared, and no API of
// Kubernetes knows: its CPU and the interface by which it reaches the other node, and
// the tools of this image. What it doesn't have is left out.
func facts(ctx context.Context, root, via string) (map[string]string, error) {
	read := func(path string) string {
		b, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
	model, cores := processors(read("proc/cpuinfo"))
	found := map[string]string{
		"cpu": model, "cores": strconv.Itoa(cores), "kernel": release(),
		"governor":    read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
		"clocksource": read("sys/devices/system/clocksource/clocksource0/current_clocksource"),
	}
	if via != "" {
		found["nic"], found["offloads"] = via, nic.Offloads(via)
		found["mtu"] = read(filepath.Join("sys/class/net", via, "mtu"))
		found["nic-driver"], found["nic-firmware"] = nic.Driver(via)
	}
	if err := packages(ctx, found); err != nil {
		return nil, err
	}
	for name, value := range found {
		if value == "" || value == "0" {
			delete(found, name)
		}
	}
	return found, nil
}

// processors are the model and the number of the machine's CPUs.
func processors(cpuinfo string) (model string, n int) {
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "processor":
			n++
		case "model name":
			model = strings.TrimSpace(value)
		}
	}
	return model, n
}

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// packages adds the exact versions of the tools' packages, and one hash for all
// packages of this image. An image without Debian's packages has none.
func packages(ctx context.Context, found map[string]string) error {
	cmd := exec.CommandContext(ctx, "dpkg-query", "--show", "--showformat", "${db:Status-Abbrev} ${Package} ${Version} ${Architecture}\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	list, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("dpkg-query: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	versions := installed(string(list))
	for _, name := range tools {
		found["package "+name] = versions[name]
	}
	sum := sha256.Sum256(list)
	found["packages"] = fmt.Sprintf("%d, hash %s", len(versions), hex.EncodeToString(sum[:8]))
	return nil
}

// installed are the versions by package in dpkg-query's list.
func installed(list string) map[string]string {
	versions := map[string]string{}
	for line := range strings.Lines(list) {
		if f := strings.Fields(line); len(f) == 4 && f[0] == "ii" {
			versions[f[1]] = f[2]
		}
	}
	return versions
}
