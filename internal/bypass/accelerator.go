package bypass

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"
)

// Options say where and how much to accelerate. Zero values mean the defaults.
type Options struct {
	// Cgroup is the cgroup2 folder whose processes are accelerated, or the
	// mount point of a hybrid layout; see FindCgroup.
	Cgroup string
	// Ports are the listening ports to accelerate, at most 255; none means all.
	Ports []uint16
	// MaxSockets bounds the accelerated sockets, two per connection (65536).
	MaxSockets uint32
	// MaxQueuedBytes and MaxQueuedMessages bound what may wait for one slow
	// receiver before its sender goes back to TCP (1 MiB, 1024).
	MaxQueuedBytes    uint64
	MaxQueuedMessages uint32
}

// Counters are totals since Attach.
type Counters struct {
	// Connections whose both ends are on this node and were put into the sockhash.
	Connections uint64 `json:"connections"`
	// Messages and Bytes moved to the peer. A message is one pass of the
	// sending program: one write of up to some 64 KB.
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"`
	// Fallbacks are directions of local connections that went to TCP for good:
	// NAT in between, data sent too early, a receiver that doesn't read.
	Fallbacks uint64 `json:"fallbacks"`
	// Errors are sockets the sockhash didn't take, because it is full.
	Errors uint64 `json:"errors"`
}

// Attachment is what the kernel says is attached, not what was asked for.
type Attachment struct {
	Cgroup         string           `json:"cgroup"`
	SockopsProgram ebpf.ProgramID   `json:"sockopsProgram"`
	MsgProgram     ebpf.ProgramID   `json:"msgProgram"`
	SocketMap      ebpf.MapID       `json:"socketMap"`
	OthersAttached []ebpf.ProgramID `json:"othersAttached,omitempty"`
}

// Accelerator holds the programs in the kernel. Nothing is pinned: they go
// with the process, see Close.
type Accelerator struct {
	cgroup  *os.File
	objects bypassObjects
	link    link.Link
}

// Attach loads the programs and attaches them. Connections made from now on are
// accelerated; older ones are left alone.
func Attach(o Options) (a *Accelerator, err error) {
	path, err := FindCgroup(o.Cgroup)
	if err != nil {
		return nil, err
	}
	// Needed only before Linux 5.11, impossible without CAP_SYS_RESOURCE: where
	// it matters loading fails with its own message, to which this is added.
	memlock := rlimit.RemoveMemlock()

	spec, err := loadBypass()
	if err != nil {
		return nil, fmt.Errorf("read the embedded programs: %w", err)
	}
	if err := o.apply(spec); err != nil {
		return nil, err
	}
	a = &Accelerator{}
	if err := spec.LoadAndAssign(&a.objects, nil); err != nil {
		if memlock != nil {
			err = fmt.Errorf("%w (raising RLIMIT_MEMLOCK had failed too: %w)", err, memlock)
		}
		return nil, fmt.Errorf("load the programs into the kernel (needs CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON and Linux 6.1 or newer): %w", err)
	}
	defer func() {
		if err != nil {
			_ = a.Close()
		}
	}()
	if a.cgroup, err = os.Open(path); err != nil {
		return nil, fmt.Errorf("open cgroup: %w", err)
	}
	err = link.RawAttachProgram(link.RawAttachProgramOptions{
		Target: a.objects.Sockets.FD(), Program: a.objects.BypassMsg, Attach: ebpf.AttachSkMsgVerdict,
	})
	if err != nil {
		return nil, fmt.Errorf("attach the message program to the sockhash: %w", err)
	}
	a.link, err = link.AttachCgroup(link.CgroupOptions{Path: path, Attach: ebpf.AttachCGroupSockOps, Program: a.objects.BypassSockops})
	if err != nil {
		return nil, fmt.Errorf("attach the connection program to cgroup %s: %w", path, err)
	}
	return a, nil
}

func (o Options) apply(spec *ebpf.CollectionSpec) error {
	if len(o.Ports) != 0 {
		if err := spec.Variables[bypassVarSomePorts].Set(uint32(1)); err != nil {
			return fmt.Errorf("restrict the ports: %w", err)
		}
		for _, port := range o.Ports {
			spec.Maps[bypassMapPorts].Contents = append(spec.Maps[bypassMapPorts].Contents, ebpf.MapKV{Key: uint32(port), Value: uint8(1)})
		}
	}
	if o.MaxSockets != 0 {
		spec.Maps[bypassMapSockets].MaxEntries = o.MaxSockets
		spec.Maps[bypassMapQueues].MaxEntries = o.MaxSockets
	}
	if o.MaxQueuedBytes != 0 {
		if err := spec.Variables[bypassVarMaxBytes].Set(o.MaxQueuedBytes); err != nil {
			return fmt.Errorf("set the limit of queued bytes: %w", err)
		}
	}
	if o.MaxQueuedMessages != 0 {
		if err := spec.Variables[bypassVarMaxMessages].Set(o.MaxQueuedMessages); err != nil {
			return fmt.Errorf("set the limit of queued messages: %w", err)
		}
	}
	return nil
}

// Check asks the kernel whether both programs are attached where they should
// be and the maps answer. It returns an error if anything is missing, whatever
// this process remembers having done.
func (a *Accelerator) Check() (Attachment, error) {
	found := Attachment{Cgroup: a.cgroup.Name()}
	sockops, err := a.objects.BypassSockops.Info()
	if err != nil {
		return found, fmt.Errorf("ask for the connection program: %w", err)
	}
	msg, err := a.objects.BypassMsg.Info()
	if err != nil {
		return found, fmt.Errorf("ask for the message program: %w", err)
	}
	sockets, err := a.objects.Sockets.Info()
	if err != nil {
		return found, fmt.Errorf("ask for the sockhash: %w", err)
	}
	found.SockopsProgram, _ = sockops.ID()
	found.MsgProgram, _ = msg.ID()
	found.SocketMap, _ = sockets.ID()

	attached, err := attachedTo(int(a.cgroup.Fd()), ebpf.AttachCGroupSockOps)
	if err != nil {
		return found, fmt.Errorf("ask what is attached to cgroup %s: %w", found.Cgroup, err)
	}
	if !slices.Contains(attached, found.SockopsProgram) {
		return found, fmt.Errorf("connection program %d is not among those attached to cgroup %s: %v", found.SockopsProgram, found.Cgroup, attached)
	}
	found.OthersAttached = slices.DeleteFunc(attached, func(id ebpf.ProgramID) bool { return id == found.SockopsProgram })
	attached, err = attachedTo(a.objects.Sockets.FD(), ebpf.AttachSkMsgVerdict)
	if err != nil {
		return found, fmt.Errorf("ask what is attached to the sockhash: %w", err)
	}
	if !slices.Contains(attached, found.MsgProgram) {
		return found, fmt.Errorf("message program %d is not attached to the sockhash, found %v", found.MsgProgram, attached)
	}
	if _, err := a.Counters(); err != nil {
		return found, err
	}
	// Looking up an end that can't exist must find nothing, not fail.
	var cookie uint64
	if err := a.objects.Sockets.Lookup(bypassEnd{}, &cookie); !errors.Is(err, ebpf.ErrKeyNotExist) {
		return found, fmt.Errorf("the sockhash answers a lookup with: %w", err)
	}
	return found, nil
}

func attachedTo(fd int, where ebpf.AttachType) ([]ebpf.ProgramID, error) {
	result, err := link.QueryPrograms(link.QueryOptions{Target: fd, Attach: where})
	if err != nil {
		return nil, err
	}
	ids := make([]ebpf.ProgramID, len(result.Programs))
	for i, p := range result.Programs {
		ids[i] = p.ID
	}
	return ids, nil
}

// Counters returns the totals over all CPUs.
func (a *Accelerator) Counters() (Counters, error) {
	var cpus []bypassCounters
	if err := a.objects.Counted.Lookup(uint32(0), &cpus); err != nil {
		return Counters{}, fmt.Errorf("read the counters: %w", err)
	}
	var sum Counters
	for _, c := range cpus {
		sum.Connections += c.Connections
		sum.Messages += c.Messages
		sum.Bytes += c.Bytes
		sum.Fallbacks += c.Fallbacks
		sum.Errors += c.Errors
	}
	return sum, nil
}

// Close ends the acceleration. Open connections go on, by TCP. Their sockets are
// not taken out of the sockhash, since that would throw away moved bytes that
// were not read yet: the sockets hold the message program, which holds the
// sockhash, so the kernel frees both with the last of these connections.
func (a *Accelerator) Close() error {
	var errs []error
	if a.link != nil {
		errs = append(errs, a.link.Close())
	}
	if err := a.objects.Draining.Set(uint32(1)); err != nil {
		errs = append(errs, fmt.Errorf("stop moving messages: %w", err))
	}
	if a.cgroup != nil {
		errs = append(errs, a.cgroup.Close())
	}
	errs = append(errs, a.objects.Close())
	return errors.Join(errs...)
}

// cgroup2Magic is the file system type of the unified hierarchy.
const cgroup2Magic = 0x63677270

// FindCgroup returns the cgroup2 folder meant by path: path itself, or its
// folder "unified" where cgroup2 is mounted beside version 1. An empty path
// means /sys/fs/cgroup.
func FindCgroup(path string) (string, error) {
	if path == "" {
		path = "/sys/fs/cgroup"
	}
	for _, candidate := range []string{path, path + "/unified"} {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(candidate, &fs); err == nil && fs.Type == cgroup2Magic {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("no cgroup2 hierarchy at %s nor at %s/unified: mount one, or name its place", path, path)
}
