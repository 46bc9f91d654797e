//go:build bpf

package bypass

import (
	"errors"
	"net"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// BenchmarkRoundTrip is one message of 14 bytes there and one back, blocking
// system calls, both ends on one CPU as in the published latency rows.
func BenchmarkRoundTrip(b *testing.B) {
	for _, arm := range []string{"off", "on"} {
		b.Run("bypass="+arm, func(b *testing.B) {
			if arm == "on" {
				accelerate(b, Options{})
			} else {
				cgroup(b)
			}
			client, server := pair(b, families[0])
			in, out := blocking(b, client), blocking(b, server)
			go func() {
				defer pin()()
				message := make([]byte, 14)
				for {
					n, err := unix.Read(out, message)
					if n <= 0 || err != nil {
						return
					}
					if _, err := unix.Write(out, message); err != nil {
						return
					}
				}
			}()
			defer pin()()
			message := make([]byte, 14)
			for b.Loop() {
				_, err1 := unix.Write(in, message)
				_, err2 := unix.Read(in, message)
				if err1 != nil || err2 != nil {
					b.Fatal(errors.Join(err1, err2))
				}
			}
			require.NoError(b, unix.Shutdown(in, unix.SHUT_RDWR))
		})
	}
}

// pin keeps the goroutine on a thread of its own on CPU 0, until the returned
// function is called.
func pin() func() {
	runtime.LockOSThread()
	var before, first unix.CPUSet
	_ = unix.SchedGetaffinity(0, &before)
	first.Set(0)
	_ = unix.SchedSetaffinity(0, &first)
	return func() {
		_ = unix.SchedSetaffinity(0, &before)
		runtime.UnlockOSThread()
	}
}

// blocking returns a descriptor of the connection for plain system calls.
func blocking(b *testing.B, conn *net.TCPConn) int {
	b.Helper()
	file, err := conn.File()
	require.NoError(b, err)
	b.Cleanup(func() { _ = file.Close() })
	fd := int(file.Fd())
	require.NoError(b, unix.SetNonblock(fd, false))
	return fd
}
