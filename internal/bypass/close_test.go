//go:build bpf

package bypass

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckAsksTheKernel(t *testing.T) {
	a := accelerate(t, Options{})
	require.NoError(t, a.SelfTest(t.Context()))
	found, err := a.Check()
	require.NoError(t, err)
	assert.NotZero(t, found.SockopsProgram)
	assert.NotZero(t, found.MsgProgram)

	msg := link.RawDetachProgramOptions{Target: a.objects.Sockets.FD(), Program: a.objects.BypassMsg, Attach: ebpf.AttachSkMsgVerdict}
	require.NoError(t, link.RawDetachProgram(msg))
	_, err = a.Check()
	require.ErrorContains(t, err, "not attached to the sockhash")
	require.NoError(t, link.RawAttachProgram(link.RawAttachProgramOptions{Target: msg.Target, Program: msg.Program, Attach: msg.Attach}))
	_, err = a.Check()
	require.NoError(t, err)

	require.NoError(t, a.link.Close())
	_, err = a.Check()
	require.ErrorContains(t, err, "not among those attached")
	require.ErrorContains(t, a.SelfTest(t.Context()), "was not accelerated")
	a.link = nil
}

func TestFindCgroup(t *testing.T) {
	_, err := FindCgroup(t.TempDir())
	require.ErrorContains(t, err, "no cgroup2 hierarchy at")
}

func TestHalfClose(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			asWithout(t, func(t *testing.T) string {
				client, server := pair(t, f)
				var afterwards [2]error
				n := less(8 << 20)
				// Each end in turn: write, close for writing, read what still comes.
				all(t, func() error {
					err := errors.Join(write(client, 1, n, 9000), client.CloseWrite())
					_, afterwards[0] = client.Write([]byte{1})
					return errors.Join(err, read(client, 2, n), wantEOF(client))
				}, func() error {
					err := errors.Join(read(server, 1, n), wantEOF(server), write(server, 2, n, 9000), server.CloseWrite())
					_, afterwards[1] = server.Write([]byte{1})
					return err
				})
				return fmt.Sprintf("write after close of client: %s, of server: %s", outcome(afterwards[0]), outcome(afterwards[1]))
			})
		})
	}
}

// The end of file never overtakes the bytes before it.
func TestCloseRightAfterWrite(t *testing.T) {
	a := accelerate(t, Options{})
	for n := range less(3000) {
		client, server := pair(t, families[n%len(families)])
		require.NoError(t, write(client, uint64(n), n%5000, 500))
		require.NoError(t, client.Close())
		require.NoError(t, read(server, uint64(n), n%5000))
		require.NoError(t, wantEOF(server))
		require.NoError(t, server.Close())
	}
	assert.Zero(t, counters(t, a).Errors)
}

func TestReset(t *testing.T) {
	for _, c := range []struct {
		name     string
		scenario func(client, server *net.TCPConn) []error
	}{
		{"with nothing unread", func(client, server *net.TCPConn) []error {
			_, err := client.Write([]byte("x"))
			return []error{err, read1(server, "x"), reset(client), read1(server, ""), try(server), try(server)}
		}},
		{"with bytes unread", func(client, server *net.TCPConn) []error {
			_, err := client.Write([]byte("hello"))
			return []error{err, reset(client), pollReset(server), read1(server, "hello"), read1(server, ""), try(server)}
		}},
		{"while the other end waits", func(client, server *net.TCPConn) []error {
			_, err := client.Write([]byte("x"))
			waiting := make(chan error, 1)
			first := read1(server, "x")
			go func() { waiting <- read1(server, "") }()
			return []error{err, first, reset(client), <-waiting, try(server)}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			asWithout(t, func(t *testing.T) string {
				client, server := pair(t, families[0])
				var said string
				for _, err := range c.scenario(client, server) {
					said += outcome(err) + "; "
				}
				return said
			})
		})
	}
}

// kill -9 of the sender: the receiver still gets every byte, then the end.
// kill -9 of the receiver: the sender gets an error, soon.
func TestKilledPeer(t *testing.T) {
	for _, f := range families[:2] {
		t.Run(f.name, func(t *testing.T) {
			a := accelerate(t, Options{})
			for range less(20) {
				listener, err := net.Listen("tcp", net.JoinHostPort(f.listen, "0"))
				require.NoError(t, err)
				sender := start(t, "send", listener.Addr().String())
				conn, err := listener.Accept()
				require.NoError(t, err)
				require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
				kill(sender)
				require.NoError(t, read(conn, 7, killedBytes))
				require.NoError(t, wantEOF(conn))
				require.NoError(t, conn.Close())

				receiver := start(t, "receive", listener.Addr().String())
				conn, err = listener.Accept()
				require.NoError(t, err)
				require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
				failed := make(chan error, 1)
				go func() { failed <- write(conn, 8, 1<<30, 10_000) }()
				require.Eventually(t, func() bool { return counters(t, a).Messages > 0 }, patience, time.Millisecond)
				kill(receiver)
				err = <-failed
				require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE), "%v", err)
				require.NoError(t, errors.Join(conn.Close(), listener.Close()))
			}
			require.Eventually(t, func() bool { return entries(t, a) == 0 }, patience, 50*time.Millisecond)
		})
	}
}

// Detaching with bytes moved but not read: nothing is lost, order is kept, the
// connection goes on by TCP, and the kernel frees everything at its end.
func TestDetachWithOpenConnections(t *testing.T) {
	path := cgroup(t)
	a, err := Attach(Options{Cgroup: path})
	require.NoError(t, err)
	found, err := a.Check()
	require.NoError(t, err)
	client, server := pair(t, families[0])
	const n = 100_000
	require.NoError(t, write(client, 1, n, 1000))
	require.EqualValues(t, n, counters(t, a).Bytes)
	require.NoError(t, a.Close())
	assert.NotContains(t, attachedIDs(t, path), found.SockopsProgram)

	require.NoError(t, write(client, 2, n, 1000))
	require.NoError(t, read(server, 1, n))
	require.NoError(t, read(server, 2, n))
	all(t,
		func() error { _, err := io.CopyN(server, server, 10*n); return err },
		func() error { return write(client, 3, 10*n, 5000) },
		func() error { return read(client, 3, 10*n) })
	require.NoError(t, errors.Join(client.CloseWrite(), wantEOF(server), server.Close(), client.Close()))
	wantFreed(t, found)
}

// A killed loader detaches nothing by itself, the kernel does: new connections
// are plain, open ones lose nothing.
func TestKilledLoader(t *testing.T) {
	path := cgroup(t)
	before := attachedIDs(t, path)
	loader := start(t, "attach", path)
	attached := attachedIDs(t, path)
	require.Len(t, attached, len(before)+1)
	client, server := pair(t, families[0])
	const n = 100_000
	require.NoError(t, write(client, 1, n, 1000))
	kill(loader)
	assert.ElementsMatch(t, before, attachedIDs(t, path))
	require.NoError(t, write(client, 2, n, 1000))
	require.NoError(t, read(server, 1, n))
	require.NoError(t, read(server, 2, n))
	require.NoError(t, errors.Join(client.Close(), wantEOF(server), server.Close()))

	client, server = pair(t, families[0])
	require.NoError(t, errors.Join(write(client, 3, n, 1000), read(server, 3, n)))
}

func TestOlderConnectionsStayPlain(t *testing.T) {
	path := cgroup(t)
	client, server := pair(t, families[0])
	a, err := Attach(Options{Cgroup: path})
	require.NoError(t, err)
	for n := range 1000 {
		require.NoError(t, errors.Join(write(client, uint64(n), 100, 100), read(server, uint64(n), 100)))
		require.NoError(t, errors.Join(write(server, uint64(n), 100, 100), read(client, uint64(n), 100)))
	}
	assert.Zero(t, counters(t, a))
	require.NoError(t, a.Close())
}

func attachedIDs(t testing.TB, path string) []ebpf.ProgramID {
	t.Helper()
	folder, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = folder.Close() }()
	ids, err := attachedTo(int(folder.Fd()), ebpf.AttachCGroupSockOps)
	require.NoError(t, err)
	return ids
}

func wantFreed(t testing.TB, found Attachment) {
	t.Helper()
	require.Eventually(t, func() bool {
		msg, err1 := ebpf.NewProgramFromID(found.MsgProgram)
		sockops, err2 := ebpf.NewProgramFromID(found.SockopsProgram)
		sockets, err3 := ebpf.NewMapFromID(found.SocketMap)
		_, _, _ = msg.Close(), sockops.Close(), sockets.Close()
		return errors.Is(err1, os.ErrNotExist) && errors.Is(err2, os.ErrNotExist) && errors.Is(err3, os.ErrNotExist)
	}, patience, 50*time.Millisecond, "programs or sockhash still in the kernel")
}

func wantEOF(conn net.Conn) error {
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("want end of file, got %d bytes, %w", n, err)
	}
	return nil
}

// outcome is the part of an error that both runs of a scenario share.
func outcome(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}

func reset(conn *net.TCPConn) error { return errors.Join(conn.SetLinger(0), conn.Close()) }

func try(conn net.Conn) error {
	_, err := conn.Write([]byte("y"))
	return err
}

func read1(conn net.Conn, want string) error {
	got := make([]byte, 100)
	n, err := conn.Read(got)
	if err == nil && string(got[:n]) != want {
		return fmt.Errorf("read %q, want %q", got[:n], want)
	}
	return err
}

// pollReset waits until the reset has arrived, without consuming anything.
func pollReset(conn *net.TCPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var state error
	err = raw.Control(func(fd uintptr) { state = waitClosed(int(fd)) })
	return errors.Join(err, state)
}
