package main

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cniperf/cniperf/internal/node"
	"github.com/cniperf/cniperf/internal/trailer"
)

// dumps bounds how often a list is asked for that changed while the kernel gave it.
const dumps = 5

// steady asks for a list until it did not change meanwhile.
func steady[T any](list func() ([]T, error)) (all []T, err error) {
	for range dumps {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return all, err
		}
	}
	return all, err
}

// readLinks returns the interfaces of this network namespace with their counters.
func readLinks() (map[string]node.Interface, error) {
	list, err := steady(netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list of links: %w", err)
	}
	addresses, err := steady(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return nil, fmt.Errorf("list of addresses: %w", err)
	}
	addressed := map[int]bool{}
	for _, a := range addresses {
		ones, bits := a.Mask.Size()
		if a.IP.IsGlobalUnicast() && ones < bits {
			addressed[a.LinkIndex] = true
		}
	}
	found := map[string]node.Interface{}
	for _, l := range list {
		a := l.Attrs()
		if a.Statistics == nil {
			return nil, fmt.Errorf("link %s: the kernel gave no counters", a.Name)
		}
		found[a.Name] = node.Interface{
			Index: a.Index, Kind: kindOf(l), Addressed: addressed[a.Index],
			Counters: trailer.Counters{
				Link: a.ParentIndex, MTU: a.MTU,
				RxBytes: a.Statistics.RxBytes, RxPackets: a.Statistics.RxPackets,
				TxBytes: a.Statistics.TxBytes, TxPackets: a.Statistics.TxPackets,
			},
		}
	}
	return found, nil
}

// kindOf is the link's kind; empty for hardware, which the library calls device.
func kindOf(l netlink.Link) string {
	if _, plain := l.(*netlink.Device); plain {
		return ""
	}
	return l.Type()
}

// way is the interface by which this namespace reaches an address; empty if it has
// no route there.
func way(address string, all map[string]node.Interface) (string, error) {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "", err
	}
	routes, err := netlink.RouteGet(ip.AsSlice())
	if errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("route to %s: %w", address, err)
	}
	for _, r := range routes {
		if name, _, ok := (node.Counts{Interfaces: all}).ByIndex(r.LinkIndex); ok {
			return name, nil
		}
	}
	return "", nil
}

// readIPsec returns the bytes of each state of IPsec; nil where the kernel has no
// IPsec. The states' keys, which the kernel gives too, stay where they are.
func readIPsec() (map[string]uint64, error) {
	states, err := steady(func() ([]netlink.XfrmState, error) { return netlink.XfrmStateList(netlink.FAMILY_ALL) })
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list of IPsec's states: %w", err)
	}
	moved := map[string]uint64{}
	for _, s := range states {
		moved[fmt.Sprintf("IPsec SPI %#x to %s", uint32(s.Spi), s.Dst)] = s.Statistics.Bytes
	}
	return moved, nil
}
