package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cniperf/cniperf/internal/trailer"
)

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
	runErr := cmd.Start()
	if runErr == nil {
		t.ToolWaited = waitedOf(cmd.Process.Pid)
		runErr = cmd.Wait()
	}
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
	ended(&t, cmd.ProcessState)
	t.Flooded = output.over
	t.TimedOut = errors.Is(ctx.Err(), context.DeadlineExceeded)
	return keep(file, output.buf.Bytes(), t, out)
}

// ended notes how a tool's process ended, and what it used.
func ended(t *trailer.Trailer, state *os.ProcessState) {
	t.Exit = state.ExitCode()
	t.ToolCPU = state.UserTime() + state.SystemTime()
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		t.Involuntary = usage.Nivcsw
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		t.Signal = unix.SignalName(ws.Signal())
	}
}

// keep writes a tool's output with its trailer to the file, where fetch finds it, and
// then to out.
func keep(file string, output []byte, t trailer.Trailer, out io.Writer) error {
	whole, err := trailer.Append(output, t)
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

// waitedOf waits until a process has ended, without reaping it, and returns for
// how long it was runnable but had to wait for its CPU. 0 where the kernel keeps
// no such account: it is for marking rounds, not for judging.
func waitedOf(pid int) time.Duration {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0
		}
		break
	}
	_, waited, err := scheduled("/proc", pid)
	if err != nil {
		return 0
	}
	return waited
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
