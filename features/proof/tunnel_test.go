package proof

import (
	"testing"

	"github.com/cniperf/cniperf/internal/measure"
)

// An arm that claims a tunnel must have been in it, as one without must not.
func TestATunnelledArm(t *testing.T) {
	arm := Arm{Interface: "eth0", HostInterface: "cali", Service: KubeProxy, Tunnelled: true}
	for name, c := range map[string]struct {
		tunnel uint64
		words  []string
	}{
		"all of it": {1 << 20, nil},
		// Measured with sockperf's messages of 14 bytes: 809644 of 981494.
		"without Ethernet headers": {(1 << 20) * 809644 / 981494, nil},
		"half":                     {1 << 19, []string{"tunnels and IPsec of the node moved at least 70 %"}},
		"none":                     {0, []string{"tunnels and IPsec of the node moved at least 70 %"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := good(arm, measure.PodIP)
			o.Before, o.After = hosted("caliabc", map[string]uint64{"eth0": 1 << 20, "caliabc": 1 << 20, "vxlan.calico": c.tunnel}, toVIP+"/tcp", toPod+"/tcp")
			assertFailed(t, Checks(arm, s, o), c.words...)
		})
	}
}
