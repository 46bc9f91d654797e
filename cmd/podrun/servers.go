package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/podrun"
)

// answerServers answers each line of in with a line that holds podrun.Servers.
// One exec lasts for the pod's life, since a new one costs more than a question.
func answerServers(dir string, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		state, err := serverState("/proc", dir)
		if err != nil {
			state = podrun.Servers{Error: err.Error()}
		}
		if err := encoder.Encode(state); err != nil {
			return err
		}
	}
	return lines.Err()
}

// serverState reads how the supervised servers stand by now.
func serverState(proc, dir string) (podrun.Servers, error) {
	var state supervised
	b, err := os.ReadFile(stateFile(dir))
	if err != nil {
		return podrun.Servers{}, fmt.Errorf("the supervisor has not started its servers yet: %w", err)
	}
	if err := json.Unmarshal(b, &state); err != nil {
		return podrun.Servers{}, fmt.Errorf("%s: %w", stateFile(dir), err)
	}
	answer := podrun.Servers{Boot: state.Boot}
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return answer, err
	}
	if _, answer.PerCPU, err = parseStat(stat); err != nil {
		return answer, err
	}
	if answer.Machine, err = bootID(proc); err != nil {
		return answer, err
	}
	if answer.Ran, err = containerRan("/sys/fs/cgroup"); err != nil {
		return answer, err
	}
	children, err := childrenByParent(proc)
	if err != nil {
		return answer, err
	}
	for _, s := range state.Servers {
		p, err := serverProcess(proc, s, children)
		if err != nil {
			return answer, fmt.Errorf("server %s: %w", s.Name, err)
		}
		answer.Processes = append(answer.Processes, p)
	}
	return answer, nil
}

// containerRan is the CPU time of this container's cgroup; 0 where the kernel
// doesn't tell.
func containerRan(root string) (time.Duration, error) {
	return cgroupTime(root,
		cgroupFile{"cpu.stat", "usage_usec", time.Microsecond},
		cgroupFile{"cpuacct/cpuacct.usage", "", time.Nanosecond},
		cgroupFile{"cpu,cpuacct/cpuacct.usage", "", time.Nanosecond})
}

// bootID is the number that the kernel gave itself when it started.
func bootID(proc string) (string, error) {
	b, err := os.ReadFile(filepath.Join(proc, "sys/kernel/random/boot_id"))
	return strings.TrimSpace(string(b)), err
}

// serverProcess adds up what a server, its threads and its descendants took.
func serverProcess(proc string, s supervisedServer, children map[int][]int) (podrun.Process, error) {
	p := podrun.Process{Name: s.Name, PID: s.PID}
	family := []int{s.PID}
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i]]...)
	}
	for _, pid := range family {
		ran, waited, err := scheduled(proc, pid)
		if errors.Is(err, os.ErrNotExist) && pid != s.PID {
			continue // a child that has ended is in its parent's account
		}
		if err != nil {
			return p, err
		}
		p.Ran += ran
		p.Waited += waited
	}
	dir := filepath.Join(proc, strconv.Itoa(s.PID))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return p, err
	}
	f, err := statFields(stat)
	if err != nil {
		return p, err
	}
	p.Ran += f.reaped
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return p, err
	}
	if p.Forced, p.CPUs, err = parseStatus(status); err != nil {
		return p, err
	}
	p.Listening, err = listens(proc, s.Port, s.UDP)
	return p, err
}

// scheduled is how long the threads of a process have run and waited, from
// /proc/PID/task/TID/schedstat: two numbers of nanoseconds, and one of turns.
func scheduled(proc string, pid int) (ran, waited time.Duration, err error) {
	tasks, err := os.ReadDir(filepath.Join(proc, strconv.Itoa(pid), "task"))
	if err != nil {
		return 0, 0, err
	}
	for _, task := range tasks {
		file := filepath.Join(proc, strconv.Itoa(pid), "task", task.Name(), "schedstat")
		b, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			return 0, 0, err
		}
		r, w, err := parseSchedstat(b)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", file, err)
		}
		ran += r
		waited += w
	}
	return ran, waited, nil
}

func parseSchedstat(b []byte) (ran, waited time.Duration, err error) {
	f := strings.Fields(string(b))
	if len(f) != 3 {
		return 0, 0, fmt.Errorf("%q, want three numbers", b)
	}
	r, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil {
		return 0, 0, err
	}
	w, err := strconv.ParseInt(f[1], 10, 64)
	return time.Duration(r), time.Duration(w), err
}

// fields are what is read of /proc/PID/stat.
type fields struct {
	parent int
	reaped time.Duration // user and system time of the children that were waited for
}

// tick is the unit of /proc/PID/stat, USER_HZ, which is 100 on every
// architecture that Kubernetes runs on.
const tick = time.Second / 100

// statFields reads /proc/PID/stat, in which the name in parentheses may hold
// anything: PID (NAME) STATE PPID … the 16th and 17th are cutime and cstime.
func statFields(b []byte) (fields, error) {
	i := strings.LastIndexByte(string(b), ')')
	if i < 0 {
		return fields{}, fmt.Errorf("stat of a process: no name in %q", b)
	}
	f := strings.Fields(string(b[i+1:]))
	if len(f) < 15 {
		return fields{}, fmt.Errorf("stat of a process: %d fields after the name in %q", len(f), b)
	}
	var n [3]int64
	for k, at := range []int{1, 13, 14} {
		var err error
		if n[k], err = strconv.ParseInt(f[at], 10, 64); err != nil {
			return fields{}, fmt.Errorf("stat of a process: %w", err)
		}
	}
	return fields{parent: int(n[0]), reaped: time.Duration(n[1]+n[2]) * tick}, nil
}

// childrenByParent lists the processes of the pod by their parent's number.
func childrenByParent(proc string) (map[int][]int, error) {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join(proc, e.Name(), "stat"))
		if err != nil {
			continue // it has ended
		}
		f, err := statFields(b)
		if err != nil {
			return nil, err
		}
		children[f.parent] = append(children[f.parent], pid)
	}
	return children, nil
}

// parseStatus reads of /proc/PID/status how often the process was forced off its
// CPU, and the CPUs that it may run on.
func parseStatus(b []byte) (forced uint64, cpus []int, err error) {
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "nonvoluntary_ctxt_switches":
			if forced, err = strconv.ParseUint(value, 10, 64); err != nil {
				return 0, nil, fmt.Errorf("status of a process: %q: %w", line, err)
			}
		case "Cpus_allowed_list":
			if cpus, err = parseCPUList(value); err != nil {
				return 0, nil, fmt.Errorf("status of a process: %w", err)
			}
		}
	}
	if cpus == nil {
		return 0, nil, errors.New("status of a process: it names no Cpus_allowed_list")
	}
	return forced, cpus, nil
}

// parseCPUList reads the kernel's list of CPUs, such as 0-3,8.
func parseCPUList(list string) ([]int, error) {
	var cpus []int
	for part := range strings.SplitSeq(list, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err := strconv.ParseUint(low, 10, 16)
		last, lastErr := strconv.ParseUint(high, 10, 16)
		if err != nil || lastErr != nil || last < first {
			return nil, fmt.Errorf("%q is not a list of CPUs", list)
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, int(cpu))
		}
	}
	return cpus, nil
}

// listens tells that something has the port, from the kernel's table of sockets:
// a probe that connects would be a client of the benchmark's. 0A is LISTEN, 07
// an unconnected UDP socket.
func listens(proc string, port int, udp bool) (bool, error) {
	protocol, state := "tcp", "0A"
	if udp {
		protocol, state = "udp", "07"
	}
	want := fmt.Sprintf(":%04X", port)
	for _, table := range []string{protocol, protocol + "6"} {
		b, err := os.ReadFile(filepath.Join(proc, "net", table))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 3 && strings.HasSuffix(f[1], want) && f[3] == state {
				return true, nil
			}
		}
	}
	return false, nil
}
