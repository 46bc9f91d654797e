//go:build bpf

package bypass

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// netns is a throwaway network namespace with its loopback up.
type netns struct{ name string }

var namespaces atomic.Int32

func namespace(t testing.TB) netns {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
	for _, tool := range []string{"ip", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: %v", tool, err)
		}
	}
	ns := netns{fmt.Sprintf("cniperf-%d-%d", os.Getpid(), namespaces.Add(1))}
	run(t, "ip netns add "+ns.name)
	t.Cleanup(func() { run(t, "ip netns del "+ns.name) })
	run(t, "ip -n "+ns.name+" link set lo up")
	return ns
}

func run(t testing.TB, command string) {
	t.Helper()
	words := strings.Fields(command)
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	require.NoError(t, err, "%s: %s", command, out)
}

// do calls f on a thread inside the namespace; sockets made there stay there.
func (ns netns) do(t testing.TB, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		handle, err := os.Open("/var/run/netns/" + ns.name)
		if err == nil {
			err = errors.Join(unix.Setns(int(handle.Fd()), unix.CLONE_NEWNET), handle.Close())
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	require.NoError(t, <-done)
}

func (ns netns) listen(t testing.TB, address string) (listener net.Listener) {
	t.Helper()
	ns.do(t, func() (err error) {
		listener, err = net.Listen("tcp", address)
		return err
	})
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func (ns netns) dial(t testing.TB, from, address string) (conn net.Conn) {
	t.Helper()
	ns.do(t, func() (err error) {
		dialer := net.Dialer{Timeout: patience, Control: option(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)}
		if from != "" {
			if dialer.LocalAddr, err = net.ResolveTCPAddr("tcp", from); err != nil {
				return err
			}
		}
		conn, err = dialer.Dial("tcp", address)
		return err
	})
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func exchange(t testing.TB, client, server net.Conn, seed uint64, n int) {
	t.Helper()
	all(t,
		func() error { return write(client, seed, n, 1000) },
		func() error { return read(server, seed, n) },
		func() error { return write(server, seed+1, n, 1000) },
		func() error { return read(client, seed+1, n) })
}

// Two pods of a node: a veth pair between two namespaces, IPv4 and IPv6.
func TestBetweenNamespaces(t *testing.T) {
	left, right := namespace(t), namespace(t)
	run(t, "ip -n "+left.name+" link add v0 type veth peer name v0 netns "+right.name)
	for i, ns := range []netns{left, right} {
		run(t, fmt.Sprintf("ip -n %s addr add 198.18.240.%d/24 dev v0", ns.name, i+1))
		run(t, fmt.Sprintf("ip -n %s addr add 2001:2::%d/64 dev v0 nodad", ns.name, i+1))
		run(t, "ip -n "+ns.name+" link set v0 up")
	}
	for _, address := range []string{"198.18.240.2", "2001:2::2"} {
		t.Run(address, func(t *testing.T) {
			a := accelerate(t, Options{})
			listener := right.listen(t, net.JoinHostPort(address, "0"))
			for n := range less(500) {
				client := left.dial(t, "", listener.Addr().String())
				server, err := listener.Accept()
				require.NoError(t, err)
				require.NoError(t, server.SetDeadline(time.Now().Add(patience)))
				for range 10 {
					require.NoError(t, errors.Join(write(client, uint64(n), 50, 50), read(server, uint64(n), 50)))
					require.NoError(t, errors.Join(write(server, uint64(n), 50, 50), read(client, uint64(n), 50)))
				}
				require.NoError(t, errors.Join(client.Close(), server.Close()))
			}
			c := counters(t, a)
			t.Logf("%+v", c)
			assert.EqualValues(t, less(500), c.Connections)
			assert.NotZero(t, c.Messages)
		})
	}
}

// The very same addresses and ports in two namespaces, at once: no byte crosses.
func TestSameTupleInTwoNamespaces(t *testing.T) {
	one, two := namespace(t), namespace(t)
	a := accelerate(t, unlimited)
	type ends struct{ client, server net.Conn }
	var open []ends
	for _, ns := range []netns{one, two} {
		listener := ns.listen(t, "127.0.0.1:7000")
		client := ns.dial(t, "127.0.0.1:7001", "127.0.0.1:7000")
		server, err := listener.Accept()
		require.NoError(t, err)
		require.NoError(t, server.SetDeadline(time.Now().Add(patience)))
		t.Cleanup(func() { _ = server.Close() })
		open = append(open, ends{client, server})
	}
	n := less(4 << 20)
	all(t,
		func() error { return write(open[0].client, 1, n, 1000) }, func() error { return read(open[0].server, 1, n) },
		func() error { return write(open[1].client, 2, n, 1000) }, func() error { return read(open[1].server, 2, n) },
		func() error { return write(open[0].server, 3, n, 1000) }, func() error { return read(open[0].client, 3, n) },
		func() error { return write(open[1].server, 4, n, 1000) }, func() error { return read(open[1].client, 4, n) })
	c := counters(t, a)
	assert.EqualValues(t, 2, c.Connections)
	assert.EqualValues(t, 4*n, c.Bytes)
}

// The same addresses and ports again and again, closed and reset in turn.
func TestTupleUsedAnew(t *testing.T) {
	ns := namespace(t)
	a := accelerate(t, Options{})
	listener := ns.listen(t, "127.0.0.1:7000")
	times := less(500)
	for n := range times {
		client := ns.dial(t, "127.0.0.1:7001", "127.0.0.1:7000")
		server, err := listener.Accept()
		require.NoError(t, err)
		require.NoError(t, server.SetDeadline(time.Now().Add(patience)))
		exchange(t, client, server, uint64(n), 3000)
		// The client resets, so that its port is free at once; the server's
		// end stays open into the next connection.
		require.NoError(t, reset(client.(*net.TCPConn)))
		defer func() { _ = server.Close() }()
	}
	assert.EqualValues(t, times, counters(t, a).Connections)
}

// A translated destination, as of a ClusterIP: the ends don't see the same
// addresses. It works, by TCP.
func TestTranslatedDestination(t *testing.T) {
	ns := namespace(t)
	run(t, "ip -n "+ns.name+" addr add 198.18.250.1/32 dev lo")
	listener := ns.listen(t, "198.18.250.1:0")
	run(t, fmt.Sprintf("ip netns exec %s iptables -t nat -A OUTPUT -d 198.18.250.9 -p tcp --dport 80 -j DNAT --to-destination %s", ns.name, listener.Addr()))
	run(t, "ip -n "+ns.name+" route add 198.18.250.9/32 dev lo")
	a := accelerate(t, Options{})
	client := ns.dial(t, "", "198.18.250.9:80")
	server, err := listener.Accept()
	require.NoError(t, err)
	defer func() { _ = server.Close() }()
	exchange(t, client, server, 1, 1<<20)
	assert.Zero(t, counters(t, a))
}

// option sets an option of a socket before it connects or listens.
func option(level, name, value int) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var set error
		err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), level, name, value) })
		return errors.Join(err, set)
	}
}

// waitClosed waits until a socket was closed or reset by its peer.
func waitClosed(fd int) error {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds, int(patience.Milliseconds()))
	if err == nil && n == 0 {
		return io.ErrNoProgress
	}
	return err
}
