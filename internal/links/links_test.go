package links

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Taken from iproute2 6.1 on Debian 12, shortened by what is not read; the vxlan is
// called as flannel and OVN call theirs, the macvlan as a tunnel would be.
const captured = `[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"qdisc":"noqueue","operstate":"UNKNOWN","link_type":"loopback","promiscuity":0},
{"ifindex":2,"ifname":"ens3","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"mq","operstate":"UP","link_type":"ether"},{},
{"ifindex":9,"ifname":"genev_sys_6081","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1450,"link_type":"ether","linkinfo":{"info_kind":"vxlan","info_data":{"id":1,"port":8472}}},
{"ifindex":10,"link":"ens3","ifname":"vxlan0","flags":["BROADCAST","MULTICAST"],"mtu":1500,"link_type":"ether","linkinfo":{"info_kind":"macvlan","info_data":{"mode":"bridge"}}}]`

func TestParse(t *testing.T) {
	got, err := Parse([]byte(captured))
	require.NoError(t, err)
	assert.Equal(t, []Link{
		{Name: "lo", MTU: 65536, Up: true}, {Name: "ens3", MTU: 1500, Up: true},
		{Name: "genev_sys_6081", Kind: "vxlan", MTU: 1450, Up: true}, {Name: "vxlan0", Kind: "macvlan", MTU: 1500},
	}, got)
	for _, bad := range []string{"", "[]", "[{}]", `[{"ifname":"lo"}]`, "Device does not exist"} {
		_, err := Parse([]byte(bad))
		assert.Error(t, err, bad)
	}
}

// A tunnel is known by what it is: names of neither say it.
func TestTunnelIsKnownByKind(t *testing.T) {
	got, err := Parse([]byte(captured))
	require.NoError(t, err)
	var tunnels []string
	for _, l := range got {
		if l.Tunnel() {
			tunnels = append(tunnels, l.Name)
		}
	}
	assert.Equal(t, []string{"genev_sys_6081"}, tunnels)
}
