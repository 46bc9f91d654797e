// Command tcpip-bypass accelerates TCP between the sockets of one node, among
// them those of its pods; see docs/developers/bypass.md.
//
//	tcpip-bypass run        attach, serve status, detach on SIGTERM
//	tcpip-bypass status     what the kernel says is attached; exit code 0 only if ready
//	tcpip-bypass counters   totals since run began
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/internal/bypass"
)

// answerTimeout bounds one question to the running accelerator, and its self-test.
const answerTimeout = 5 * time.Second

// maxAnswer bounds what status and counters read, in bytes.
const maxAnswer = 1 << 20

// status is what the running accelerator says of itself.
type status struct {
	Ready bool `json:"ready"`
	// Reason says why it is not ready.
	Reason string `json:"reason,omitempty"`
	bypass.Attachment
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "tcpip-bypass:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "tcpip-bypass",
		Short:         "Accelerate TCP between the sockets of this node",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	socket := root.PersistentFlags().String("socket", "/run/cniperf/tcpip-bypass.sock", "unix socket of the running accelerator")

	var options bypass.Options
	var ports []uint
	var selfTest bool
	run := &cobra.Command{
		Use:   "run",
		Short: "Attach to the node's cgroup2 root until SIGTERM",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, port := range ports {
				if port == 0 || port > math.MaxUint16 {
					return fmt.Errorf("--port %d: not a port", port)
				}
				options.Ports = append(options.Ports, uint16(port))
			}
			return serve(cmd.Context(), *socket, options, selfTest, cmd.OutOrStdout())
		},
	}
	flags := run.Flags()
	flags.StringVar(&options.Cgroup, "cgroup", "/sys/fs/cgroup", "cgroup2 folder to accelerate, or the mount point of a hybrid layout")
	flags.UintSliceVar(&ports, "port", nil, "listening port to accelerate, repeatable (default: all)")
	flags.Uint32Var(&options.MaxSockets, "max-sockets", 65536, "accelerated sockets at a time, two per connection")
	flags.Uint64Var(&options.MaxQueuedBytes, "max-queued-bytes", 1<<20, "bytes that may wait for a receiver before its sender goes back to TCP")
	flags.Uint32Var(&options.MaxQueuedMessages, "max-queued-messages", 1024, "messages that may wait likewise")
	flags.BoolVar(&selfTest, "self-test", true, "prove the acceleration with an own loopback connection before saying ready")

	ask := func(use, short, path string) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return query(cmd.Context(), *socket, path, cmd.OutOrStdout())
		}}
	}
	root.AddCommand(run,
		ask("status", "Print what is attached as JSON; fail unless ready", "/status"),
		ask("counters", "Print the totals as JSON", "/counters"))
	return root
}

func serve(ctx context.Context, socket string, options bypass.Options, selfTest bool, out io.Writer) (err error) {
	listener, err := listen(ctx, socket)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()

	accelerator, err := bypass.Attach(options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, accelerator.Close()) }()
	if selfTest {
		testing, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		if err := accelerator.SelfTest(testing); err != nil {
			return err
		}
	}
	attachment, err := accelerator.Check()
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(status{Ready: true, Attachment: attachment}); err != nil {
		return err
	}

	server := &http.Server{Handler: handler(accelerator), ReadHeaderTimeout: answerTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve status on %s: %w", socket, err)
	case <-ctx.Done():
		return server.Close()
	}
}

// listen takes the socket, unless another accelerator answers on it.
func listen(ctx context.Context, socket string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		return nil, fmt.Errorf("folder of the status socket: %w", err)
	}
	if conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket); err == nil {
		_ = conn.Close()
		return nil, fmt.Errorf("another accelerator answers on %s: end it first, or choose another -socket", socket)
	}
	// Left by one that was killed.
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove stale status socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("status socket: %w", err)
	}
	return listener, nil
}

func handler(accelerator *bypass.Accelerator) http.Handler {
	answer := func(w http.ResponseWriter, code int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		attachment, err := accelerator.Check()
		if err != nil {
			answer(w, http.StatusServiceUnavailable, status{Reason: err.Error(), Attachment: attachment})
			return
		}
		answer(w, http.StatusOK, status{Ready: true, Attachment: attachment})
	})
	mux.HandleFunc("GET /counters", func(w http.ResponseWriter, _ *http.Request) {
		counters, err := accelerator.Counters()
		if err != nil {
			answer(w, http.StatusServiceUnavailable, status{Reason: err.Error()})
			return
		}
		answer(w, http.StatusOK, counters)
	})
	return mux
}

// query prints the answer of the running accelerator and fails unless it is a good one.
func query(ctx context.Context, socket, path string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://tcpip-bypass"+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("ask the accelerator on %s (is `tcpip-bypass run` running here?): %w", socket, err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(out, io.LimitReader(response.Body, maxAnswer)); err != nil {
		return fmt.Errorf("read the accelerator's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", response.Status)
	}
	return nil
}
