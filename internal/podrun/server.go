// Package podrun holds what the suite tells podrun, the program inside the
// pods, and what podrun answers about the servers that it supervises.
package podrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cniperf/cniperf/internal/trailer"
)

// Server is one benchmark server of a pod.
type Server struct {
	Name string   `json:"name" yaml:"name"`
	Argv []string `json:"argv" yaml:"argv"`
	Port int      `json:"port" yaml:"port"` // on which it listens, 1 to 65535
	UDP  bool     `json:"udp,omitempty" yaml:"udp,omitempty"`
}

// PodIP stands for the pod's own address in a server's argv.
const PodIP = "POD_IP"

var serverName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// Validate returns what is wrong with a server.
func (s Server) Validate() error {
	switch {
	case !serverName.MatchString(s.Name):
		return fmt.Errorf("server %q: want lower-case letters, digits and dashes as its name", s.Name)
	case len(s.Argv) == 0 || s.Argv[0] == "":
		return fmt.Errorf("server %s: want the command that starts it", s.Name)
	case s.Port < 1 || s.Port > 65535:
		return fmt.Errorf("server %s: port is %d, want 1 to 65535", s.Name, s.Port)
	}
	return nil
}

// Command is the server's argv with the pod's address in its place.
func (s Server) Command(podIP string) []string {
	argv := slices.Clone(s.Argv)
	for i, word := range argv {
		if word == PodIP {
			argv[i] = podIP
		}
	}
	return argv
}

// EncodeServers is the value of podrun serve's flag -servers.
func EncodeServers(servers []Server) (string, error) {
	b, err := json.Marshal(servers)
	if err != nil {
		return "", fmt.Errorf("servers: %w", err)
	}
	return string(b), nil
}

// DecodeServers reads what EncodeServers wrote. No server, an unknown field and
// two servers of one name are errors.
func DecodeServers(text string) ([]Server, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	var servers []Server
	if err := d.Decode(&servers); err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	if len(servers) == 0 {
		return nil, errors.New("servers: there is none")
	}
	for i, s := range servers {
		if err := s.Validate(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(servers[:i], func(o Server) bool { return o.Name == s.Name }) {
			return nil, fmt.Errorf("server %s: is there a second time", s.Name)
		}
	}
	return servers, nil
}

// Process is one server as the kernel accounts it.
type Process struct {
	Name string `json:"name"` // the server's
	PID  int    `json:"pid"`  // within the pod
	// CPUs are those it may run on.
	CPUs []int `json:"cpus"`
	// Ran and Waited are how long it has run and how long it was runnable but
	// had to wait for its CPU, from /proc/PID/schedstat.
	Ran    time.Duration `json:"ran_ns"`
	Waited time.Duration `json:"waited_ns"`
	// Forced counts how often it had to give its CPU to another.
	Forced uint64 `json:"forced"`
	// Listening tells that its port is open.
	Listening bool `json:"listening"`
}

// Servers is the state of a server pod at one moment. Error says why there is none.
type Servers struct {
	// Boot is the number of the supervisor's start: another one means that the
	// servers were restarted, and that what they held is lost.
	Boot      string    `json:"boot"`
	Processes []Process `json:"processes"`
	// Ran is the CPU time of everything that ever ran in the pod's container, from
	// its cgroup; 0 where the kernel doesn't tell. A server may work in children
	// that nobody waits for, and whose time no process has then: netserver does.
	Ran time.Duration `json:"ran_ns,omitempty"`
	// Machine is the kernel's boot id, PerCPU the time of each of its CPUs.
	Machine string                  `json:"machine"`
	PerCPU  map[int]trailer.CPUTime `json:"per_cpu"`
	Error   string                  `json:"error,omitempty"`
}

// Process returns the server of that name.
func (s Servers) Process(name string) (Process, bool) {
	i := slices.IndexFunc(s.Processes, func(p Process) bool { return p.Name == name })
	if i < 0 {
		return Process{}, false
	}
	return s.Processes[i], true
}

// Listening tells that every server's port is open, and else names the first
// one whose port is not.
func (s Servers) Listening() (closed string, ok bool) {
	for _, p := range s.Processes {
		if !p.Listening {
			return p.Name, false
		}
	}
	return "", len(s.Processes) > 0
}
