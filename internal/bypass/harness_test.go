//go:build bpf

package bypass

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// patience bounds every wait of these tests; a hang is a failure, not a timeout of go test.
const patience = 90 * time.Second

// helperRole is the environment variable that makes the test binary a helper process.
const helperRole = "CNIPERF_BYPASS_HELPER"

func TestMain(m *testing.M) {
	if role := os.Getenv(helperRole); role != "" {
		if err := helper(role, os.Getenv("ADDRESS")); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var cgroups atomic.Int32

// cgroup moves this process into a throwaway cgroup2 child until the test ends.
func cgroup(t testing.TB) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: loads eBPF programs and makes cgroups")
	}
	root, err := FindCgroup("")
	if err != nil {
		t.Skipf("needs cgroup2: %v", err)
	}
	membership, err := os.ReadFile("/proc/self/cgroup")
	require.NoError(t, err)
	var own string
	for line := range strings.Lines(string(membership)) {
		if path, found := strings.CutPrefix(strings.TrimSpace(line), "0::"); found {
			own = filepath.Join(root, path)
		}
	}
	require.NotEmpty(t, own, "this process is in no cgroup2")
	child := filepath.Join(root, fmt.Sprintf("cniperf-bypass-test-%d-%d", os.Getpid(), cgroups.Add(1)))
	require.NoError(t, os.Mkdir(child, 0o755))
	enter := func(folder string) error {
		return os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
	}
	t.Cleanup(func() {
		require.NoError(t, enter(own))
		require.NoError(t, os.Remove(child))
	})
	require.NoError(t, enter(child))
	return child
}

// accelerate attaches to a throwaway cgroup that holds this process.
func accelerate(t testing.TB, o Options) *Accelerator {
	t.Helper()
	o.Cgroup = cgroup(t)
	a, err := Attach(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

func counters(t testing.TB, a *Accelerator) Counters {
	t.Helper()
	c, err := a.Counters()
	require.NoError(t, err)
	return c
}

// asWithout runs a scenario plain and accelerated and wants the same outcome.
func asWithout(t *testing.T, scenario func(t *testing.T) string) {
	t.Helper()
	cgroup(t)
	plain := scenario(t)
	a := accelerate(t, Options{})
	accelerated := scenario(t)
	require.Equal(t, plain, accelerated)
	require.NotZero(t, counters(t, a).Messages, "nothing was moved: the scenario proves nothing")
	t.Log(plain)
}

// family is where to listen and what to dial.
type family struct{ name, listen, dial string }

var families = []family{
	{"IPv4", "127.0.0.1", "127.0.0.1"},
	{"IPv6", "::1", "::1"},
	{"IPv4 to a dual-stack listener", "::", "127.0.0.1"},
}

// pair returns both ends of a new connection.
func pair(t testing.TB, f family) (client, server *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(f.listen, "0"))
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	c, err := net.Dial("tcp", net.JoinHostPort(f.dial, port))
	require.NoError(t, err)
	s, err := listener.Accept()
	require.NoError(t, err)
	for _, conn := range []net.Conn{c, s} {
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		t.Cleanup(func() { _ = conn.Close() })
	}
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// write sends n reproducible bytes in pieces of random length.
func write(w io.Writer, seed uint64, n, largest int) error {
	data, sizes := source(seed), rand.New(rand.NewPCG(seed, 1))
	buffer := make([]byte, largest)
	for n > 0 {
		piece := buffer[:min(n, 1+sizes.IntN(largest))]
		_, _ = io.ReadFull(data, piece)
		if _, err := w.Write(piece); err != nil {
			return err
		}
		n -= len(piece)
	}
	return nil
}

// read wants the n bytes that write sends, byte for byte.
func read(r io.Reader, seed uint64, n int) error {
	data := source(seed)
	got, want := make([]byte, 256<<10), make([]byte, 256<<10)
	for at := 0; at < n; {
		k, err := r.Read(got[:min(len(got), n-at)])
		_, _ = io.ReadFull(data, want[:k])
		if !bytes.Equal(got[:k], want[:k]) {
			return fmt.Errorf("other bytes than sent, between %d and %d of %d", at, at+k, n)
		}
		at += k
		if err != nil && at < n {
			return fmt.Errorf("after %d of %d bytes: %w", at, n, err)
		}
	}
	return nil
}

func source(seed uint64) io.Reader {
	var key [32]byte
	key[0] = byte(seed)
	return rand.NewChaCha8(key)
}

// all runs functions at once and wants no error of any.
func all(t testing.TB, functions ...func() error) {
	t.Helper()
	errs := make([]error, len(functions))
	var wait sync.WaitGroup
	for i, f := range functions {
		wait.Go(func() { errs[i] = f() })
	}
	wait.Wait()
	require.NoError(t, errors.Join(errs...))
}

// less shortens a test under -short.
func less(n int) int {
	if testing.Short() {
		return max(1, n/20)
	}
	return n
}

// start runs this binary as a helper process, in the same cgroup, and returns
// after its first line of output.
func start(t testing.TB, role, address string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperRole+"="+role, "ADDRESS="+address)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { kill(cmd) })
	_, err = io.ReadFull(out, make([]byte, 1))
	require.NoError(t, err, "helper %s said nothing", role)
	return cmd
}

// kill is kill -9 of a helper; it returns when the process is gone.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// killedBytes is what the helper "send" sends before it waits for its end.
const killedBytes = 300_000

func helper(role, address string) error {
	switch role {
	case "attach":
		if _, err := Attach(Options{Cgroup: address}); err != nil {
			return err
		}
	case "send", "receive":
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		if role == "send" {
			if err := write(conn, 7, killedBytes, 5000); err != nil {
				return err
			}
		}
		defer runtime.KeepAlive(conn)
	}
	fmt.Println("ready")
	// Until killed; a helper whose parent is gone ends by itself.
	for os.Getppid() != 1 {
		if _, err := unix.Poll(nil, 1000); err != nil && !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
	return nil
}
