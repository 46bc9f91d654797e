package main

import (
	"context"
	"encoding/binary"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// findPeers looks for sockets connected to o.port until it finds one or ctx
// ends. Connect-time load balancing shows here: the kernel's peer is then not
// the address that was dialled.
func findPeers(ctx context.Context, o options) []string {
	if o.port == 0 {
		return nil
	}
	for {
		peers, err := connectedTo(o.port, o.udp)
		if err == nil && len(peers) > 0 {
			return peers
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// connectedTo lists the remote ends of established sockets of this network
// namespace whose remote port is the given one.
func connectedTo(port int, udp bool) ([]string, error) {
	table := "/proc/net/tcp"
	if udp {
		table = "/proc/net/udp"
	}
	b, err := os.ReadFile(table)
	if err != nil {
		return nil, err
	}
	return parsePeers(b, port), nil
}

// established is the kernel's state of a connected socket, UDP's too.
const established = "01"

func parsePeers(table []byte, port int) []string {
	var peers []string
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 4 || f[3] != established {
			continue
		}
		addr, portHex, ok := strings.Cut(f[2], ":")
		raw, err := strconv.ParseUint(addr, 16, 32)
		if n, portErr := strconv.ParseUint(portHex, 16, 16); !ok || err != nil || portErr != nil || int(n) != port {
			continue
		}
		// The kernel prints the address as one number of this machine's byte order.
		var ip [4]byte
		binary.NativeEndian.PutUint32(ip[:], uint32(raw))
		peer := netip.AddrPortFrom(netip.AddrFrom4(ip), uint16(port)).String()
		if !slices.Contains(peers, peer) {
			peers = append(peers, peer)
		}
	}
	slices.Sort(peers)
	return peers
}
