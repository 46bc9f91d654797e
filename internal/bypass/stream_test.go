//go:build bpf

package bypass

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// unlimited moves every byte, however slow the receiver is.
var unlimited = Options{MaxQueuedBytes: 1 << 40, MaxQueuedMessages: math.MaxUint32}

func TestPingPong(t *testing.T) {
	for i, f := range families {
		t.Run(f.name, func(t *testing.T) {
			a := accelerate(t, Options{})
			rounds := less([]int{1_000_000, 100_000, 100_000}[i])
			client, server := pair(t, f)
			require.NoError(t, errors.Join(client.SetDeadline(time.Now().Add(10*patience)), server.SetDeadline(time.Now().Add(10*patience))))
			all(t, func() error {
				var message [14]byte
				for range rounds {
					if _, err := io.ReadFull(server, message[:]); err != nil {
						return err
					}
					if _, err := server.Write(message[:]); err != nil {
						return err
					}
				}
				return nil
			}, func() error {
				var message, answer [14]byte
				for n := range rounds {
					binary.BigEndian.PutUint64(message[:], uint64(n))
					if _, err := client.Write(message[:]); err != nil {
						return err
					}
					if _, err := io.ReadFull(client, answer[:]); err != nil {
						return err
					}
					if answer != message {
						return fmt.Errorf("round %d: sent %x, got %x", n, message, answer)
					}
				}
				return nil
			})
			assert.Equal(t, Counters{Connections: 1, Messages: uint64(2 * rounds), Bytes: uint64(28 * rounds)}, counters(t, a))
		})
	}
}

// Every byte both ways at once, all moved, and with the passage from moved
// bytes to TCP that the default limits bring about.
func TestTransfer(t *testing.T) {
	for _, limit := range []struct {
		name string
		Options
	}{{"all moved", unlimited}, {"default limits", Options{}}, {"small limits", Options{MaxQueuedBytes: 20_000, MaxQueuedMessages: 10}}} {
		for _, f := range families {
			t.Run(limit.name+"/"+f.name, func(t *testing.T) {
				a := accelerate(t, limit.Options)
				n := less(128 << 20)
				client, server := pair(t, f)
				all(t,
					func() error { return write(client, 1, n, 100_000) },
					func() error { return write(server, 2, n, 3000) },
					func() error { return read(client, 2, n) },
					func() error { return read(server, 1, n) })
				c := counters(t, a)
				t.Logf("%+v", c)
				assert.EqualValues(t, 1, c.Connections)
				if limit.MaxQueuedBytes == unlimited.MaxQueuedBytes {
					assert.EqualValues(t, 2*n, c.Bytes)
					assert.Zero(t, c.Fallbacks)
				}
			})
		}
	}
}

func TestManyShortConnections(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			a := accelerate(t, Options{})
			listener, err := net.Listen("tcp", net.JoinHostPort(f.listen, "0"))
			require.NoError(t, err)
			defer func() { _ = listener.Close() }()
			go func() { // echo until end of file
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go func() {
						_, _ = io.Copy(conn, unspliced{conn})
						_ = conn.Close()
					}()
				}
			}()
			_, port, err := net.SplitHostPort(listener.Addr().String())
			require.NoError(t, err)
			connections := less(4000)
			var next atomic.Int64
			one := func(n int) error {
				conn, err := net.DialTimeout("tcp", net.JoinHostPort(f.dial, port), patience)
				if err != nil {
					return err
				}
				defer func() { _ = conn.Close() }()
				if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
					return err
				}
				size := n % 3000
				if err := write(conn, uint64(n), size, 700); err != nil {
					return err
				}
				if n%2 == 0 { // either end closes first
					if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
						return err
					}
				}
				if err := read(conn, uint64(n), size); err != nil {
					return fmt.Errorf("connection %d: %w", n, err)
				}
				return nil
			}
			worker := func() error {
				for n := next.Add(1); n <= int64(connections); n = next.Add(1) {
					if err := one(int(n)); err != nil {
						return err
					}
				}
				return nil
			}
			all(t, worker, worker, worker, worker, worker, worker, worker, worker)
			c := counters(t, a)
			t.Logf("%+v", c)
			assert.EqualValues(t, connections, c.Connections)
			assert.Zero(t, c.Errors)
			// Nothing stays in the maps when the connections are gone.
			require.Eventually(t, func() bool { return entries(t, a) == 0 }, patience, 50*time.Millisecond)
		})
	}
}

// unspliced hides that a reader is a socket: io.Copy between two TCP sockets
// uses splice(2), which sees no moved bytes (docs/developers/bypass.md, limits).
type unspliced struct{ io.Reader }

// entries counts what the maps hold of connections.
func entries(t testing.TB, a *Accelerator) (n int) {
	t.Helper()
	var key bypassEnd
	var value uint64
	queues := a.objects.Queues.Iterate()
	for queues.Next(&key, &value) {
		n++
	}
	require.NoError(t, queues.Err())
	sockets := a.objects.Sockets.Iterate()
	for sockets.Next(&key, &value) {
		n++
	}
	require.NoError(t, sockets.Err())
	return n
}

func TestTLS(t *testing.T) {
	a := accelerate(t, unlimited)
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"peer"}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(crand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(certificate)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)

	rawClient, rawServer := pair(t, families[0])
	client := tls.Client(rawClient, &tls.Config{ServerName: "peer", RootCAs: roots})
	server := tls.Server(rawServer, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}})
	n := less(64 << 20)
	all(t,
		func() error { _, err := io.CopyN(server, server, int64(n)); return err },
		func() error { return write(client, 3, n, 40_000) },
		func() error { return read(client, 3, n) })
	c := counters(t, a)
	assert.Greater(t, c.Bytes, uint64(2*n))
	assert.Zero(t, c.Fallbacks)
}

// A receiver that doesn't read makes its sender wait, as TCP does.
func TestStalledReceiver(t *testing.T) {
	for _, size := range []int{1, 64 << 10} {
		t.Run(fmt.Sprintf("writes of %d bytes", size), func(t *testing.T) {
			a := accelerate(t, Options{})
			client, server := pair(t, families[0])
			require.NoError(t, client.SetWriteBuffer(64<<10))
			require.NoError(t, client.SetWriteDeadline(time.Now().Add(3*time.Second)))
			total, message, data := 0, make([]byte, size), source(9)
			for {
				_, _ = io.ReadFull(data, message)
				n, err := client.Write(message)
				total += n
				if err != nil {
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					break
				}
			}
			c := counters(t, a)
			t.Logf("%d bytes accepted, %+v", total, c)
			assert.EqualValues(t, 1, c.Fallbacks)
			assert.LessOrEqual(t, c.Bytes, uint64(1<<20))
			assert.LessOrEqual(t, c.Messages, uint64(1024))
			require.NoError(t, read(server, 9, total))
		})
	}
}

// Bytes that went by TCP before the peer was in the sockhash must not be
// overtaken by later ones. Here the handshake's last segment waits for the
// first bytes, which therefore always take the stack.
func TestEarlyBytes(t *testing.T) {
	a := accelerate(t, Options{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	for range less(2000) {
		require.NoError(t, early(listener, net.Dialer{Control: option(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1)}))
	}
	c := counters(t, a)
	t.Logf("%+v", c)
	assert.NotZero(t, c.Fallbacks, "no early byte was provoked: the test proves nothing")
}

// early makes a connection whose client writes at once, before anyone reads, and
// wants the bytes in order.
func early(listener net.Listener, dialer net.Dialer) error {
	client, err := dialer.Dial("tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	var want []byte
	for n := range byte(20) {
		want = append(want, n)
		if _, err := client.Write(want[n:]); err != nil {
			return err
		}
	}
	server, err := listener.Accept()
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	if err := server.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(server, got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("order of bytes: %v", got)
	}
	return nil
}

// Fast Open sends before the handshake is over, whether the listener takes it
// or not; what comes after must not overtake it.
func TestFastOpen(t *testing.T) {
	for name, sysctl := range map[string]string{"taken by the listener": "519", "not taken": "5"} {
		t.Run(name, func(t *testing.T) {
			ns := namespace(t)
			a := accelerate(t, Options{})
			ns.do(t, func() error {
				if err := os.WriteFile("/proc/sys/net/ipv4/tcp_fastopen", []byte(sysctl), 0); err != nil {
					return err
				}
				config := net.ListenConfig{Control: option(unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 16)}
				listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
				if err != nil {
					return err
				}
				defer func() { _ = listener.Close() }()
				dialer := net.Dialer{Control: option(unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1)}
				for range less(400) {
					if err := early(listener, dialer); err != nil {
						return err
					}
				}
				return nil
			})
			c := counters(t, a)
			t.Logf("%+v", c)
			assert.Zero(t, c.Bytes, "no early byte was provoked: the test proves nothing")
		})
	}
}

func TestUDPIsLeftAlone(t *testing.T) {
	a := accelerate(t, Options{})
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = server.Close() }()
	client, err := net.Dial("udp", server.LocalAddr().String())
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	require.NoError(t, errors.Join(client.SetDeadline(time.Now().Add(patience)), server.SetDeadline(time.Now().Add(patience))))
	got := make([]byte, 10)
	for range 1000 {
		_, err = client.Write([]byte("question"))
		require.NoError(t, err)
		n, from, err := server.ReadFrom(got)
		require.NoError(t, err)
		_, err = server.WriteTo(got[:n], from)
		require.NoError(t, err)
		n, err = client.Read(got)
		require.NoError(t, err)
		require.Equal(t, "question", string(got[:n]))
	}
	assert.Zero(t, counters(t, a))
}

func TestOnlySomePorts(t *testing.T) {
	path := cgroup(t)
	chosen, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = chosen.Close() }()
	a, err := Attach(Options{Cgroup: path, Ports: []uint16{uint16(chosen.Addr().(*net.TCPAddr).Port)}})
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	client, server := pair(t, families[0])
	exchange(t, client, server, 1, 10_000)
	assert.Zero(t, counters(t, a))
	client, err = dialTCP(chosen.Addr())
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	accepted, err := chosen.Accept()
	require.NoError(t, err)
	defer func() { _ = accepted.Close() }()
	exchange(t, client, accepted, 1, 10_000)
	assert.EqualValues(t, 20_000, counters(t, a).Bytes)
	require.NoError(t, a.SelfTest(t.Context()))
}

func dialTCP(to net.Addr) (*net.TCPConn, error) { return net.DialTCP("tcp", nil, to.(*net.TCPAddr)) }

// A socket connected to itself is no pair, and works.
func TestSelfConnected(t *testing.T) {
	a := accelerate(t, Options{})
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer func() { _ = unix.Close(fd) }()
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	own, err := unix.Getsockname(fd)
	require.NoError(t, err)
	require.NoError(t, unix.Connect(fd, own))
	for range 100 {
		_, err = unix.Write(fd, []byte("me"))
		require.NoError(t, err)
		got := make([]byte, 2)
		_, err = unix.Read(fd, got)
		require.NoError(t, err)
		require.Equal(t, "me", string(got))
	}
	assert.Zero(t, counters(t, a).Connections)
}
