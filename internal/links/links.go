// Package links reads what `ip -details -json link` tells of a machine's network
// interfaces. What an interface is, its kind says; its name says only what somebody
// called it.
package links

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Command prints what Parse reads.
func Command() []string { return []string{"ip", "-details", "-json", "link", "show"} }

// Link is a network interface.
type Link struct {
	Name string
	// Kind is netlink's kind of the link, such as veth, vxlan or macvlan; "" for a
	// device of hardware and for loopback.
	Kind string
	// MTU in bytes.
	MTU int
	Up  bool
}

// Parse reads the output of Command. That no link is in it is an error: there is
// always loopback.
func Parse(output []byte) ([]Link, error) {
	var raw []struct {
		Name  string   `json:"ifname"`
		MTU   int      `json:"mtu"`
		Flags []string `json:"flags"`
		Info  struct {
			Kind string `json:"info_kind"`
		} `json:"linkinfo"`
	}
	if err := json.Unmarshal(output, &raw); err != nil {
		return nil, fmt.Errorf("ip link: %w", err)
	}
	var out []Link
	for _, r := range raw {
		// iproute2 prints an empty object for what it was told to leave out.
		if r.Name == "" {
			continue
		}
		if r.MTU <= 0 {
			return nil, fmt.Errorf("ip link: %s has no MTU", r.Name)
		}
		out = append(out, Link{Name: r.Name, Kind: r.Info.Kind, MTU: r.MTU, Up: slices.Contains(r.Flags, "UP")})
	}
	if len(out) == 0 {
		return nil, errors.New("ip link: no links")
	}
	return out, nil
}

// Tunnel tells whether the link wraps packets into others or encrypts them.
func (l Link) Tunnel() bool { return IsTunnel(l.Kind) }

// IsTunnel tells whether links of a kind wrap packets into others or encrypt them.
// Kinds are named as by iproute2 and as by the library netlink, which calls tun
// tuntap.
func IsTunnel(kind string) bool {
	switch kind {
	case "vxlan", "geneve", "ipip", "sit", "gre", "gretap", "erspan", "ip6tnl", "ip6gre", "ip6gretap", "ip6erspan",
		"vti", "vti6", "xfrm", "wireguard", "bareudp", "gtp", "openvpn", "ovpn", "tun", "tuntap", "ppp", "macsec", "amt",
		"batadv":
		return true
	}
	return false
}
