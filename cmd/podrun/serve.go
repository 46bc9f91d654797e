package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cniperf/cniperf/internal/podrun"
)

// supervised is what the supervisor writes down for podrun servers.
type supervised struct {
	Boot    string             `json:"boot"`
	Servers []supervisedServer `json:"servers"`
}

type supervisedServer struct {
	podrun.Server
	PID int `json:"pid"`
}

func stateFile(dir string) string { return filepath.Join(dir, "servers.json") }

// podIPVariable holds the pod's address, from the downward API.
const podIPVariable = "POD_IP"

// serve starts the servers of a pod and supervises them from one pinned process.
// When one ends, all end and serve returns an error: the kubelet then starts the
// container again, and every server is as new.
func serve(cpu, dir, text string) error {
	servers, err := podrun.DecodeServers(text)
	if err != nil {
		return err
	}
	if _, err := pin(cpu); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	type ended struct {
		name string
		err  error
	}
	over := make(chan ended, len(servers))
	var started []*exec.Cmd
	defer func() {
		for _, cmd := range started {
			// It may have ended by itself.
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}()
	state := supervised{Boot: fmt.Sprint(time.Now().UnixNano())}
	for _, s := range servers {
		cmd, err := start(s)
		if err != nil {
			return err
		}
		started = append(started, cmd)
		state.Servers = append(state.Servers, supervisedServer{s, cmd.Process.Pid})
		go func() { over <- ended{s.Name, cmd.Wait()} }()
	}
	if err := writeState(dir, state); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case e := <-over:
		if e.err == nil {
			e.err = errors.New("without an error")
		}
		return fmt.Errorf("server %s ended: %w", e.name, e.err)
	}
}

// start runs a server in a process group of its own. The caller's thread is
// pinned, and so is what it starts.
func start(s podrun.Server) (*exec.Cmd, error) {
	argv := s.Command(os.Getenv(podIPVariable))
	path, err := lookup(argv)
	if err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	cmd := exec.Command(path, argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	return cmd, nil
}

func writeState(dir string, state supervised) error {
	b, err := json.Marshal(state)
	if err != nil {
		return err
	}
	file := stateFile(dir)
	if err := os.WriteFile(file+".tmp", b, 0o644); err != nil {
		return fmt.Errorf("write down the servers: %w", err)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		return fmt.Errorf("write down the servers: %w", err)
	}
	return nil
}
