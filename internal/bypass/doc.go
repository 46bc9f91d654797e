// Package bypass accelerates TCP between sockets of one node: what one end
// sends is moved straight into the receive queue of the other, without the
// TCP/IP stack in between. The eBPF programs and the rules that keep the byte
// stream intact are in bpf/bypass.c; docs/developers/bypass.md tells them at length.
package bypass
