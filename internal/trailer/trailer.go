// Package trailer is the certified end of a tool's output. An exec stream that
// is cut can still be reported as success, so podrun ends every output with one
// line that tells how the tool ended and how many bytes of which content came
// before it. An output without that line, or with another length or checksum,
// is not a sample.
package trailer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cniperf/cniperf/internal/counter"
)

// Marker begins the trailer's line.
const Marker = "#podrun "

// ErrCut tells that the output does not end in a whole trailer: the stream was
// cut, or podrun was killed.
var ErrCut = errors.New("output is cut: it does not end in podrun's trailer")

// Counters are one network interface's counters since it was made, as in
// /proc/net/dev. Link is the kernel's index of the device it is tied to: of the
// other end of a veth pair, of the device below a macvlan. MTU is in bytes.
type Counters struct {
	Link      int    `json:"link,omitempty"`
	MTU       int    `json:"mtu,omitempty"`
	RxBytes   uint64 `json:"rx_bytes"`
	RxPackets uint64 `json:"rx_packets"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxPackets uint64 `json:"tx_packets"`
}

// CPUTime is processor time since boot in clock ticks (1/100 s), a line of
// /proc/stat.
type CPUTime struct {
	User    uint64 `json:"user"`
	System  uint64 `json:"system"`
	Softirq uint64 `json:"softirq"`
	Steal   uint64 `json:"steal"`
	Idle    uint64 `json:"idle"`
}

// Busy is the time in which the CPU was neither idle nor taken away, in ticks.
func (c CPUTime) Busy() uint64 { return c.User + c.System + c.Softirq }

// Snapshot is what the client's network namespace and node had counted at one
// moment.
type Snapshot struct {
	// Machine is the kernel's boot id: two ends with one id share their CPUs.
	Machine    string              `json:"machine,omitempty"`
	Interfaces map[string]Counters `json:"interfaces"`
	CPU        CPUTime             `json:"cpu"`                    // of all CPUs together
	PerCPU     map[int]CPUTime     `json:"per_cpu"`                // of each, by its number
	Throttled  time.Duration       `json:"throttled_ns,omitempty"` // for which a quota stopped the pod
	Load1      float64             `json:"load1"`                  // the node's load average over a minute
}

// Trailer certifies the bytes before it.
type Trailer struct {
	Exit     int           `json:"exit"`             // exit code, -1 if ended by a signal
	Signal   string        `json:"signal,omitempty"` // the signal that ended the tool
	TimedOut bool          `json:"timed_out,omitempty"`
	Flooded  bool          `json:"flooded,omitempty"` // ended because its output passed the limit
	Bytes    int           `json:"bytes"`
	SHA256   string        `json:"sha256"`
	Elapsed  time.Duration `json:"elapsed_ns"`
	ToolCPU  time.Duration `json:"tool_cpu_ns"` // user and system time of the tool itself
	// ToolWaited is for how long the tool was runnable but had to wait for its CPU.
	ToolWaited time.Duration `json:"tool_waited_ns,omitempty"`
	// Involuntary counts how often the tool was made to give its CPU to another.
	Involuntary int64    `json:"involuntary"`
	CPUs        []int    `json:"cpus"`            // the CPUs the tool was allowed to run on
	Peers       []string `json:"peers,omitempty"` // ADDRESS:PORT of the tool's sockets, as the kernel has them
	Before      Snapshot `json:"before"`
	After       Snapshot `json:"after"`
}

// Append returns output followed by the trailer that certifies it. It sets
// Bytes and SHA256.
func Append(output []byte, t Trailer) ([]byte, error) {
	sum := sha256.Sum256(output)
	t.Bytes, t.SHA256 = len(output), hex.EncodeToString(sum[:])
	line, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("trailer: %w", err)
	}
	whole := append(bytes.Clone(output), '\n')
	whole = append(whole, Marker...)
	whole = append(whole, line...)
	return append(whole, '\n'), nil
}

// Split takes apart what Append made. It returns ErrCut when the end is
// missing, and another error when the content is not the certified one.
func Split(stream []byte) (output []byte, t Trailer, err error) {
	i := bytes.LastIndex(stream, []byte("\n"+Marker))
	if i < 0 || !bytes.HasSuffix(stream, []byte("\n")) {
		return nil, Trailer{}, ErrCut
	}
	output = stream[:i]
	line := bytes.TrimSuffix(stream[i+1+len(Marker):], []byte("\n"))
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return nil, Trailer{}, fmt.Errorf("%w: %w", ErrCut, err)
	}
	if len(output) != t.Bytes {
		return nil, Trailer{}, fmt.Errorf("%w: %d bytes came, podrun wrote %d", ErrCut, len(output), t.Bytes)
	}
	if sum := sha256.Sum256(output); hex.EncodeToString(sum[:]) != t.SHA256 {
		return nil, Trailer{}, fmt.Errorf("output of %d bytes does not have the checksum podrun wrote", len(output))
	}
	return output, t, nil
}

// tick is the unit of /proc/stat, USER_HZ, which is 100 on every architecture
// that Kubernetes runs on.
const tick = time.Second / 100

// NodeCPU is the processor time that the client's node spent between the two
// snapshots, softirq included, over all its CPUs. A counter that went back is a
// *counter.BackError.
func (t Trailer) NodeCPU() (time.Duration, error) {
	before, after := t.Before.CPU, t.After.CPU
	ticks, err := counter.Deltas(
		counter.Reading{Name: "user of the node's CPUs", Before: before.User, After: after.User},
		counter.Reading{Name: "system of the node's CPUs", Before: before.System, After: after.System},
		counter.Reading{Name: "softirq of the node's CPUs", Before: before.Softirq, After: after.Softirq},
	)
	if err != nil {
		return 0, err
	}
	return time.Duration(ticks[0]+ticks[1]+ticks[2]) * tick, nil
}

// Delta is what an interface of the client counted between the two snapshots. An
// interface that is missing before counts from zero; one that is missing after is
// an error, as is a counter that went back.
func (t Trailer) Delta(iface string) (Counters, error) {
	after, ok := t.After.Interfaces[iface]
	if !ok {
		return Counters{}, fmt.Errorf("the client has no interface %s after its run", iface)
	}
	return after.Since("the client's "+iface, t.Before.Interfaces[iface])
}

// Since is what the interface of that name counted since an earlier reading. A
// counter that went back is a *counter.BackError.
func (c Counters) Since(name string, before Counters) (Counters, error) {
	d, err := counter.Deltas(
		counter.Reading{Name: "rx_bytes of " + name, Before: before.RxBytes, After: c.RxBytes},
		counter.Reading{Name: "rx_packets of " + name, Before: before.RxPackets, After: c.RxPackets},
		counter.Reading{Name: "tx_bytes of " + name, Before: before.TxBytes, After: c.TxBytes},
		counter.Reading{Name: "tx_packets of " + name, Before: before.TxPackets, After: c.TxPackets},
	)
	if err != nil {
		return Counters{}, err
	}
	return Counters{Link: c.Link, MTU: c.MTU, RxBytes: d[0], RxPackets: d[1], TxBytes: d[2], TxPackets: d[3]}, nil
}
