// Package nic asks the kernel what a network interface is: its driver, its firmware
// and which of its offloads are on.
package nic

import (
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Driver names the interface's driver and, where it has one, its firmware's version.
// Both are empty where the kernel doesn't say.
func Driver(name string) (driver, firmware string) {
	fd, err := socket()
	if err != nil {
		return "", ""
	}
	defer unix.Close(fd)
	info, err := unix.IoctlGetEthtoolDrvinfo(fd, name)
	if err != nil {
		return "", ""
	}
	firmware = unix.ByteSliceToString(info.Fw_version[:])
	if firmware == "N/A" { // as some drivers write nothing
		firmware = ""
	}
	return unix.ByteSliceToString(info.Driver[:]), firmware
}

// socket is any: the request is about the namespace that it is of.
func socket() (int, error) { return unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0) }

// Offloads tells which of the interface's offloads are on, as ethtool's older requests
// answer: every driver knows these. It is "" where the kernel doesn't say.
func Offloads(name string) string {
	fd, err := socket()
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	var said []string
	for _, o := range []struct {
		offload string
		request uint32
	}{
		{"rx-checksum", unix.ETHTOOL_GRXCSUM}, {"tx-checksum", unix.ETHTOOL_GTXCSUM}, {"scatter-gather", unix.ETHTOOL_GSG},
		{"tso", unix.ETHTOOL_GTSO}, {"gso", unix.ETHTOOL_GGSO}, {"gro", unix.ETHTOOL_GGRO},
	} {
		on, err := ethtoolValue(fd, name, o.request)
		switch {
		case err != nil:
		case on:
			said = append(said, o.offload+" on")
		default:
			said = append(said, o.offload+" off")
		}
	}
	return strings.Join(said, ", ")
}

// ethtoolValue makes one of the requests whose answer is a number.
func ethtoolValue(fd int, nic string, request uint32) (bool, error) {
	value := struct{ request, answer uint32 }{request: request}
	ifreq := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // the kernel copies a whole struct ifreq
	}{data: unsafe.Pointer(&value)}
	copy(ifreq.name[:unix.IFNAMSIZ-1], nic)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&ifreq))); errno != 0 {
		return false, errno
	}
	return value.answer != 0, nil
}
