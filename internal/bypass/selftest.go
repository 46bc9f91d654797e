package bypass

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/cilium/ebpf"
)

// SelfTest makes one loopback connection of its own, sends a byte each way and
// returns an error unless the kernel counted an accelerated connection and two
// moved messages. The process must belong to the accelerated cgroup. Call it
// before others' traffic matters: its own is counted too.
func (a *Accelerator) SelfTest(ctx context.Context) error {
	before, err := a.Counters()
	if err != nil {
		return err
	}
	if err := a.echo(ctx); err != nil {
		return fmt.Errorf("loopback connection of the self-test: %w", err)
	}
	after, err := a.Counters()
	if err != nil {
		return err
	}
	if after.Connections == before.Connections || after.Messages < before.Messages+2 {
		return fmt.Errorf("own loopback connection was not accelerated (counters %+v, then %+v): this process must run inside cgroup %s",
			before, after, a.cgroup.Name())
	}
	return nil
}

func (a *Accelerator) echo(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	// Where only some ports are accelerated, this one is too for the moment.
	port := uint32(listener.Addr().(*net.TCPAddr).Port)
	if err := a.objects.Ports.Update(port, uint8(1), ebpf.UpdateNoExist); err == nil {
		defer func() { _ = a.objects.Ports.Delete(port) }()
	} else if !errors.Is(err, ebpf.ErrKeyExist) {
		return fmt.Errorf("allow port %d: %w", port, err)
	}
	client, err := (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	server, err := listener.Accept()
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = client.SetDeadline(deadline)
		_ = server.SetDeadline(deadline)
	}
	for _, way := range []struct{ from, to net.Conn }{{client, server}, {server, client}} {
		if _, err := way.from.Write([]byte{1}); err != nil {
			return err
		}
		if _, err := io.ReadFull(way.to, make([]byte, 1)); err != nil {
			return err
		}
	}
	return nil
}
