// Command podrun starts benchmark tools inside pods.
//
//	podrun serve -cpu last -- ARGV            become the server, pinned
//	podrun run -id ID -cpu last -timeout 5s -port N -- ARGV   run a client, certify its output
//	podrun fetch -id ID                       print a finished run's output again
//	podrun wait-listen -port N -timeout 5s    wait until something listens here (-udp: has the port)
//	podrun observe                            answer questions about the node on standard input
//
// run pins the tool, limits its time and its output, snapshots the counters of
// the pod's interfaces and of the node's processors around it, and ends the
// output with the trailer of internal/trailer. The output is kept in -dir until
// the next run, so that a cut exec stream loses nothing.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cniperf/cniperf/internal/trailer"
)

// maxOutput bounds what one run may print; a tool that exceeds it is ended.
const maxOutput = 16 << 20

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "podrun:", err)
		os.Exit(125)
	}
}

type options struct {
	id, cpu, dir string
	port         int // to wait for, or of the server whose sockets are looked for
	udp          bool
	timeout      time.Duration
	argv         []string
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("want one of serve, run, fetch, wait-listen, observe")
	}
	var o options
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	fs.StringVar(&o.id, "id", "", "name of the run")
	fs.StringVar(&o.cpu, "cpu", "", "CPU to pin to: a number, last, or empty for none")
	fs.StringVar(&o.dir, "dir", "/run/podrun", "where outputs are kept")
	fs.DurationVar(&o.timeout, "timeout", 0, "when the tool is killed")
	fs.IntVar(&o.port, "port", 0, "port to wait for; with run, the server's port, by which the tool's sockets are found")
	fs.BoolVar(&o.udp, "udp", false, "the port is UDP")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	o.argv = fs.Args()
	switch args[0] {
	case "serve":
		return serve(o)
	case "run":
		return measure(o, os.Stdout)
	case "fetch":
		return fetch(o, os.Stdout)
	case "wait-listen":
		return waitListen(o)
	case "observe":
		return observe(os.Stdin, os.Stdout)
	default:
		return fmt.Errorf("unknown command %q", args[0])
	}
}

func serve(o options) error {
	if _, err := pin(o.cpu); err != nil {
		return err
	}
	path, err := lookup(o.argv)
	if err != nil {
		return err
	}
	return fmt.Errorf("exec %s: %w", path, syscall.Exec(path, o.argv, os.Environ()))
}

func measure(o options, out io.Writer) error {
	file, err := outputFile(o)
	if err != nil {
		return err
	}
	if o.timeout <= 0 {
		return errors.New("run wants a -timeout above zero")
	}
	path, err := lookup(o.argv)
	if err != nil {
		return err
	}
	if err := forget(o.dir); err != nil {
		return err
	}
	cpus, err := pin(o.cpu)
	if err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
	defer cancel()
	var output limited
	cmd := exec.CommandContext(ctx, path, o.argv[1:]...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	output.full = cancel

	t := trailer.Trailer{CPUs: cpus}
	if t.Before, err = snapshot(); err != nil {
		return err
	}
	found := make(chan []string, 1)
	watch, stopWatching := context.WithCancel(ctx)
	go func() { found <- findPeers(watch, o) }()
	started := time.Now()
	runErr := cmd.Run()
	t.Elapsed = time.Since(started)
	stopWatching()
	t.Peers = <-found
	if t.After, err = snapshot(); err != nil {
		return err
	}
	var exited *exec.ExitError
	if runErr != nil && !errors.As(runErr, &exited) {
		return fmt.Errorf("start %s: %w", path, runErr)
	}
	t.Exit = cmd.ProcessState.ExitCode()
	t.ToolCPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		t.Involuntary = usage.Nivcsw
	}
	t.Flooded = output.over
	t.TimedOut = errors.Is(ctx.Err(), context.DeadlineExceeded)
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		t.Signal = unix.SignalName(ws.Signal())
	}

	whole, err := trailer.Append(output.buf.Bytes(), t)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".tmp", whole, 0o644); err != nil {
		return fmt.Errorf("keep output: %w", err)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		return fmt.Errorf("keep output: %w", err)
	}
	_, err = out.Write(whole)
	return err
}

func fetch(o options, out io.Writer) error {
	file, err := outputFile(o)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("run %s has no finished output here: %w", o.id, err)
	}
	_, err = out.Write(b)
	return err
}

// waitListen is a readiness probe that sends nothing to the server: a probe
// that connects would be a client of sockperf's.
func waitListen(o options) error {
	deadline := time.Now().Add(o.timeout)
	want := fmt.Sprintf(":%04X", o.port)
	// The kernel's states: 0A is LISTEN, 07 an unconnected UDP socket.
	protocol, state := "tcp", "0A"
	if o.udp {
		protocol, state = "udp", "07"
	}
	for {
		for _, table := range []string{"/proc/net/" + protocol, "/proc/net/" + protocol + "6"} {
			b, err := os.ReadFile(table)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			for line := range strings.Lines(string(b)) {
				f := strings.Fields(line)
				if len(f) > 3 && strings.HasSuffix(f[1], want) && f[3] == state {
					return nil
				}
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nothing listens on %s port %d", protocol, o.port)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// findPeers looks for sockets connected to o.port until it finds one or ctx
// ends. Connect-time load balancing shows here: the kernel's peer is then not
// the address that was dialled.
func findPeers(ctx context.Context, o options) []string {
	if o.port == 0 {
		return nil
	}
	for {
		peers, err := connectedTo(o.port, o.udp)
		if err == nil && len(peers) > 0 {
			return peers
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// connectedTo lists the remote ends of established sockets of this network
// namespace whose remote port is the given one.
func connectedTo(port int, udp bool) ([]string, error) {
	table := "/proc/net/tcp"
	if udp {
		table = "/proc/net/udp"
	}
	b, err := os.ReadFile(table)
	if err != nil {
		return nil, err
	}
	return parsePeers(b, port), nil
}

// established is the kernel's state of a connected socket, UDP's too.
const established = "01"

func parsePeers(table []byte, port int) []string {
	var peers []string
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 4 || f[3] != established {
			continue
		}
		addr, portHex, ok := strings.Cut(f[2], ":")
		raw, err := strconv.ParseUint(addr, 16, 32)
		if n, portErr := strconv.ParseUint(portHex, 16, 16); !ok || err != nil || portErr != nil || int(n) != port {
			continue
		}
		// The kernel prints the address as one number of this machine's byte order.
		var ip [4]byte
		binary.NativeEndian.PutUint32(ip[:], uint32(raw))
		peer := netip.AddrPortFrom(netip.AddrFrom4(ip), uint16(port)).String()
		if !slices.Contains(peers, peer) {
			peers = append(peers, peer)
		}
	}
	slices.Sort(peers)
	return peers
}

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

func lookup(argv []string) (string, error) {
	if len(argv) == 0 {
		return "", errors.New("no command given after --")
	}
	return exec.LookPath(argv[0])
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

func outputFile(o options) (string, error) {
	if !idPattern.MatchString(o.id) {
		return "", fmt.Errorf("-id %q: want letters, digits, dot, dash or underscore", o.id)
	}
	return filepath.Join(o.dir, o.id+".out"), nil
}

// forget removes earlier outputs: the caller has read them when it starts
// another run.
func forget(dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.out*"))
	if err != nil {
		return err
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// limited keeps at most maxOutput bytes and ends the tool beyond that. exec
// writes to it from one goroutine, since stdout and stderr are the same writer.
// The buffer is not embedded: io.Copy would fill it past Write, by ReadFrom.
type limited struct {
	buf  bytes.Buffer
	full func()
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > maxOutput {
		l.over = true
		l.full()
		return 0, fmt.Errorf("output exceeds %d bytes", maxOutput)
	}
	return l.buf.Write(p)
}
