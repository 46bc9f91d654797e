package main

import (
	"fmt"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// pin restricts this thread, and what it starts, to one CPU and returns the
// CPUs it may run on. It first takes all that the pod's cpuset allows: a node
// that keeps its agents off the measuring CPU hands a narrower mask down.
func pin(cpu string) ([]int, error) {
	runtime.LockOSThread()
	var set unix.CPUSet
	for i := range len(set) * 64 {
		set.Set(i)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("widen CPU affinity: %w", err)
	}
	// The kernel fills in no more of the set than there can be CPUs.
	set.Zero()
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("read CPU affinity: %w", err)
	}
	allowed := members(set)
	if cpu == "" {
		return allowed, nil
	}
	target := allowed[len(allowed)-1]
	if cpu != "last" {
		n, err := strconv.Atoi(cpu)
		if err != nil || n < 0 || n >= len(set)*64 || !set.IsSet(n) {
			return nil, fmt.Errorf("cannot pin to CPU %q: allowed are %v", cpu, allowed)
		}
		target = n
	}
	set.Zero()
	set.Set(target)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("pin to CPU %d: %w", target, err)
	}
	return []int{target}, nil
}

func members(set unix.CPUSet) []int {
	var cpus []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			cpus = append(cpus, i)
		}
	}
	return cpus
}
