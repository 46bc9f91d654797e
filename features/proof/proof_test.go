package proof

import (
	"cmp"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/node"
	"github.com/cniperf/cniperf/internal/trailer"
)

// hostLink is the index of the node's end of the client's interfaces.
const hostLink = 42

const (
	server  = "198.18.0.65"
	service = "198.19.130.1"
	toPod   = server + ":12345"
	toVIP   = service + ":12345"
)

// arms claim what those of the catalogue claim.
var arms = map[string]Arm{
	"node":               {HostNetwork: true},
	"calico":             {Interface: PodInterface, HostInterface: "cali", Service: KubeProxy},
	"macvlan":            {Interface: PodInterface},
	"macvlan-kube-proxy": {Interface: "veth0", Service: KubeProxy},
	"cilium":             {Interface: PodInterface, HostInterface: "lxc", Service: SocketLB, Cilium: true},
	"bypass-on":          {Interface: PodInterface, Accelerated: true},
	"bypass-off":         {Interface: PodInterface},
}

// kinds are those of the node's tunnels. Names say nothing: one tunnel is called as a
// card is, one card as a tunnel.
var kinds = map[string]string{
	"vxlan.calico": "vxlan", "cilium_vxlan": "vxlan", "genev_sys_6081": "geneve", "flannel.1": "vxlan", "ens7": "gre",
	"wt0": "wireguard", "bond0": "bond",
}

// uplink is the interface by which a node with these reaches others.
func uplink(bytes map[string]uint64) string {
	for _, name := range []string{"bond0", "ens3", "eth0"} {
		if _, ok := bytes[name]; ok {
			return name
		}
	}
	return ""
}

// hosted is what a node counted between two answers: bytes of interfaces, the
// first of which has the index hostLink, and new connections to the addresses
// of kube-proxy's rules.
func hosted(first string, bytes map[string]uint64, rules ...string) (before, after node.Counts) {
	before = node.Counts{Interfaces: map[string]node.Interface{}, Services: map[string]uint64{}, Endpoints: map[string]uint64{}}
	after = node.Counts{Interfaces: map[string]node.Interface{}, Services: map[string]uint64{}, Endpoints: map[string]uint64{}}
	for name, n := range bytes {
		i := node.Interface{Index: 7, Kind: kinds[name], Counters: trailer.Counters{MTU: 1500, RxBytes: 900, TxBytes: 900}}
		if strings.HasPrefix(name, "e") || strings.HasPrefix(name, "bond") {
			i.Addressed, before.Via, after.Via = true, uplink(bytes), uplink(bytes)
		}
		if name == first {
			i.Index = hostLink
		}
		before.Interfaces[name] = i
		i.RxBytes += n / 2
		i.TxBytes += n / 2
		after.Interfaces[name] = i
	}
	for _, r := range rules {
		before.Services[r], after.Services[r] = 3, 4
		before.Endpoints[r], after.Endpoints[r] = 3, 4
	}
	return before, after
}

// counted is a trailer whose interfaces moved the given bytes, with the given
// peers of the tool's sockets.
func counted(bytes map[string]uint64, peers ...string) trailer.Trailer {
	t := trailer.Trailer{
		Peers:  peers,
		Before: trailer.Snapshot{Interfaces: map[string]trailer.Counters{}},
		After:  trailer.Snapshot{Interfaces: map[string]trailer.Counters{}},
	}
	for name, n := range bytes {
		t.Before.Interfaces[name] = trailer.Counters{RxBytes: 500, TxBytes: 500}
		t.After.Interfaces[name] = trailer.Counters{Link: hostLink, MTU: 1500, RxBytes: 500 + n/2, TxBytes: 500 + n/2}
	}
	return t
}

// good is an arm's sample by a path, with all that proves it.
func good(arm Arm, path measure.Path) (Sample, Observed) {
	s := Sample{Path: path, Argv: []string{"sockperf", "pp", "-i", server}, Server: server, ClusterIP: service, Port: 12345}
	peer := toPod
	if path == measure.ClusterIP {
		s.Argv[3] = service
	}
	if path == measure.ClusterIP && arm.Service == KubeProxy {
		peer = toVIP
	}
	bytes := map[string]uint64{PodInterface: 70, "veth0": 70, "lo": 0}
	bytes[cmp.Or(arm.Interface, PodInterface)] = 1 << 20
	o := Observed{Trailer: counted(bytes, peer), Agent: Agent{Found: []string{"healthy: Ok"}}}
	o.Before, o.After = hosted(arm.HostInterface+"abc", map[string]uint64{"eth0": 1 << 20, arm.HostInterface + "abc": 1 << 20, "vxlan.calico": 0}, toVIP+"/tcp", toPod+"/tcp")
	return s, o
}

// failed are the claims that don't hold.
func failed(t *testing.T, checks []journal.Check) []string {
	t.Helper()
	var claims []string
	for _, c := range checks {
		t.Logf("%v: %s: %s", c.OK, c.Claim, c.Found)
		if !c.OK {
			claims = append(claims, c.Claim)
		}
	}
	return claims
}

// assertFailed asserts that those claims fail that contain the words, and no other.
func assertFailed(t *testing.T, checks []journal.Check, words ...string) {
	t.Helper()
	claims := failed(t, checks)
	if assert.Len(t, claims, len(words), "claims that fail: %q", claims) {
		for i, w := range words {
			assert.Contains(t, claims[i], w)
		}
	}
}

func TestTheClientsProofCatchesAWrongPath(t *testing.T) {
	const (
		crossed = "of the bytes crossed the client's "
		socket  = "the client's socket is connected to "
		dialled = "the client dialled the Service's ClusterIP"
	)
	byEth0 := map[string]uint64{"eth0": 1 << 20, "veth0": 70, "lo": 0}
	byVeth0 := map[string]uint64{"eth0": 70, "veth0": 1 << 20}
	for name, tc := range map[string]struct {
		arm, path, dialled string
		trailer            trailer.Trailer
		broken             []string // words of the claims that must fail, and of no others
	}{
		"macvlan":                          {"macvlan", measure.PodIP, server, counted(byEth0, toPod), nil},
		"macvlan leaves through veth0":     {"macvlan", measure.PodIP, server, counted(byVeth0, toPod), []string{crossed + "eth0"}},
		"nothing moved":                    {"macvlan", measure.PodIP, server, counted(map[string]uint64{"eth0": 0, "lo": 1 << 20}, toPod), []string{crossed + "eth0"}},
		"no socket was seen":               {"macvlan", measure.PodIP, server, counted(byEth0), []string{socket + "the server itself"}},
		"another server":                   {"macvlan", measure.PodIP, server, counted(byEth0, "198.18.0.66:12345"), []string{socket + "the server itself"}},
		"a second server":                  {"macvlan", measure.PodIP, server, counted(byEth0, toPod, "198.18.0.66:12345"), []string{socket + "the server itself"}},
		"node beside busy pods":            {"node", measure.HostIP, server, counted(map[string]uint64{"eth0": 1 << 20, "cali123": 1 << 22}, toPod), nil},
		"node by a bond":                   {"node", measure.HostIP, server, counted(map[string]uint64{"bond0": 1 << 20, "lo": 90}, toPod), nil},
		"node beside its bond":             {"node", measure.HostIP, server, counted(map[string]uint64{"bond0": 70, "ens9": 1 << 20}, toPod), []string{crossed + "bond0"}},
		"node by another segment":          {"node", measure.HostIP, server, counted(map[string]uint64{"eth0": 1 << 10, "eth1": 1 << 20}, toPod), []string{crossed + "eth0"}},
		"calico, kube-proxy":               {"calico", measure.ClusterIP, service, counted(byEth0, toVIP), nil},
		"calico dials the pod":             {"calico", measure.ClusterIP, server, counted(byEth0, toPod), []string{socket + "the ClusterIP", dialled}},
		"macvlan, kube-proxy":              {"macvlan-kube-proxy", measure.ClusterIP, service, counted(byVeth0, toVIP), nil},
		"macvlan, kube-proxy left by eth0": {"macvlan-kube-proxy", measure.ClusterIP, service, counted(byEth0, toVIP), []string{crossed + "veth0"}},
		"cilium, socket-lb":                {"cilium", measure.ClusterIP, service, counted(byEth0, toPod), nil},
		"cilium without socket-lb":         {"cilium", measure.ClusterIP, service, counted(byEth0, toVIP), []string{socket + "the server, translated at connect time"}},
		"cilium dials the pod":             {"cilium", measure.ClusterIP, server, counted(byEth0, toPod), []string{dialled}},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := good(arms[tc.arm], tc.path)
			s.Argv = []string{"sockperf", "pp", "-i", tc.dialled}
			o := Observed{Trailer: tc.trailer}
			if arms[tc.arm].HostNetwork {
				o.Before, o.After = hosted("", moved(tc.trailer))
			}
			assertFailed(t, evidence{arms[tc.arm], s, o}.clientChecks(), tc.broken...)
		})
	}
}

// moved are the bytes of a trailer's interfaces.
func moved(t trailer.Trailer) map[string]uint64 {
	bytes := map[string]uint64{}
	for name, after := range t.After.Interfaces {
		bytes[name] = after.RxBytes + after.TxBytes - t.Before.Interfaces[name].RxBytes - t.Before.Interfaces[name].TxBytes
	}
	return bytes
}

func TestTheNodesProofCatchesAWrongPath(t *testing.T) {
	whole := map[string]uint64{"eth0": 1 << 20, "cali1": 1 << 20}
	beside := func(tunnel string) map[string]uint64 {
		return map[string]uint64{"eth0": 1 << 20, "cali1": 1 << 20, tunnel: 1 << 20}
	}
	const entered, tunnel, sized = "entered the node by the ", "tunnels and IPsec of the node moved", "has the MTU of its node's interface"
	for name, tc := range map[string]struct {
		arm, path, end string
		bytes          map[string]uint64
		rules          []string
		broken         []string
	}{
		"calico":                      {"calico", measure.PodIP, "cali1", whole, nil, nil},
		"calico by another CNI's end": {"calico", measure.PodIP, "lxc1", map[string]uint64{"eth0": 1 << 20, "lxc1": 1 << 20}, nil, []string{entered + "cali"}},
		"calico's end moved nothing":  {"calico", measure.PodIP, "cali1", map[string]uint64{"eth0": 1 << 20, "cali1": 70}, nil, []string{entered + "cali"}},
		"the end is not there":        {"calico", measure.PodIP, "cali9", whole, nil, []string{entered + "cali"}},
		"calico in a tunnel":          {"calico", measure.PodIP, "cali1", beside("vxlan.calico"), nil, []string{tunnel}},
		"in a tunnel of OVN":          {"calico", measure.PodIP, "cali1", beside("genev_sys_6081"), nil, []string{tunnel}},
		"in a tunnel of flannel":      {"calico", measure.PodIP, "cali1", beside("flannel.1"), nil, []string{tunnel}},
		"in a WireGuard of NetBird":   {"calico", measure.PodIP, "cali1", beside("wt0"), nil, []string{tunnel}},
		"in a tunnel called ens7":     {"calico", measure.PodIP, "cali1", beside("ens7"), nil, []string{tunnel}},
		"by a card called vxlan0":     {"calico", measure.PodIP, "cali1", beside("vxlan0"), nil, nil},
		"a tunnel's own keepalive":    {"calico", measure.PodIP, "cali1", map[string]uint64{"eth0": 1 << 20, "cali1": 1 << 20, "vxlan.calico": 400}, nil, nil},
		"cilium in a tunnel":          {"cilium", measure.PodIP, "lxc1", map[string]uint64{"eth0": 1 << 20, "lxc1": 1 << 20, "cilium_vxlan": 1 << 20}, nil, []string{tunnel}},
		"kube-proxy":                  {"calico", measure.ClusterIP, "cali1", whole, []string{toVIP + "/tcp", toPod + "/tcp"}, nil},
		"kube-proxy without the rule": {"calico", measure.ClusterIP, "cali1", whole, nil, []string{"KUBE-SVC", "KUBE-SEP"}},
		"kube-proxy to another pod":   {"calico", measure.ClusterIP, "cali1", whole, []string{toVIP + "/tcp"}, []string{"KUBE-SEP"}},
		"kube-proxy by UDP only":      {"calico", measure.ClusterIP, "cali1", whole, []string{toVIP + "/udp", toPod + "/udp"}, []string{"KUBE-SVC", "KUBE-SEP"}},
		"no answer from the node":     {"macvlan", measure.PodIP, "", nil, nil, []string{tunnel, sized}},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := good(arms[tc.arm], tc.path)
			o.Trailer = counted(map[string]uint64{"eth0": 1 << 20})
			o.Before, o.After = hosted(tc.end, tc.bytes, tc.rules...)
			assertFailed(t, evidence{arms[tc.arm], s, o}.hostChecks(), tc.broken...)
		})
	}
}

// On a node the interfaces of others' pods carry none of the sample, so their
// bytes don't excuse a tunnel's.
func TestOthersBytesDoNotHideATunnelOnANode(t *testing.T) {
	arm := arms["node"]
	s, o := good(arm, measure.HostIP)
	o.Trailer = counted(map[string]uint64{"eth0": 1 << 20, "cali123": 1 << 30}, toPod)
	o.Before, o.After = hosted("", map[string]uint64{"eth0": 1 << 20, "vxlan.calico": 1 << 20})
	assertFailed(t, Checks(arm, s, o), "tunnels and IPsec of the node moved")
}

func TestAnAgentThatRoutesOtherwiseIsCaught(t *testing.T) {
	s, o := good(arms["cilium"], measure.PodIP)
	assertFailed(t, Checks(arms["cilium"], s, o))
	o.Agent = Agent{Err: errors.New("host routing is Legacy")}
	checks := Checks(arms["cilium"], s, o)
	assertFailed(t, checks, "Cilium's agent")
	assert.Equal(t, "host routing is Legacy", checks[len(checks)-1].Found)
	o.Agent = Agent{}
	assertFailed(t, Checks(arms["cilium"], s, o), "Cilium's agent")
}

// bypassed is a sample beside an accelerator, with so many packets and messages.
func bypassed(arm Arm, packets, messages uint64) (Sample, Observed) {
	s, o := good(arm, measure.PodIP)
	o.Accelerator = Accelerator{Present: true, Before: 50, After: 50 + messages}
	end := o.Trailer.After.Interfaces[PodInterface]
	end.TxPackets += packets
	o.Trailer.After.Interfaces[PodInterface] = end
	return s, o
}

func TestTheAcceleratorsCounterProvesIt(t *testing.T) {
	for name, tc := range map[string]struct {
		arm               string
		packets, messages uint64
		broken            []string
	}{
		"accelerated":            {"bypass-on", 40, 200_000, nil},
		"not attached":           {"bypass-on", 200_010, 0, []string{"less than a tenth", "tcpip-bypass moved at least 1000"}},
		"packets beside it":      {"bypass-on", 200_010, 200_000, []string{"less than a tenth"}},
		"plain":                  {"bypass-off", 200_010, 0, nil},
		"plain, but accelerated": {"bypass-off", 40, 200_000, []string{"tcpip-bypass moved none"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := bypassed(arms[tc.arm], tc.packets, tc.messages)
			assertFailed(t, Checks(arms[tc.arm], s, o), tc.broken...)
		})
	}
}

func TestPacketsProveTheArchivedAccelerator(t *testing.T) {
	for name, tc := range map[string]struct {
		arm               string
		packets, messages uint64
		broken            []string
	}{
		"accelerated":             {"bypass-on", 40, 100_000, nil},
		"not attached":            {"bypass-on", 200_010, 100_000, []string{"less than a tenth"}},
		"plain":                   {"bypass-off", 200_010, 100_000, nil},
		"plain, but accelerated":  {"bypass-off", 40, 100_000, []string{"every message"}},
		"one way only":            {"bypass-off", 150_000, 100_000, []string{"every message"}},
		"a tool that counts none": {"bypass-on", 40, 0, []string{"less than a tenth"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := bypassed(arms[tc.arm], tc.packets, 0)
			o.Accelerator.Silent, o.Answered = true, float64(tc.messages)
			assertFailed(t, Checks(arms[tc.arm], s, o), tc.broken...)
		})
	}
}

func TestTheNodeIsAskedWhatItsArmNeeds(t *testing.T) {
	sample := func(path measure.Path) Sample {
		return Sample{Path: path, Server: server, ClusterIP: service, Port: 12345}
	}
	assert.Equal(t, node.Question{Service: toVIP + "/tcp", Towards: server}, Question(arms["calico"], sample(measure.ClusterIP)))
	assert.Equal(t, node.Question{Towards: server}, Question(arms["calico"], sample(measure.PodIP)))
	assert.Equal(t, node.Question{Cilium: true, Towards: server}, Question(arms["cilium"], sample(measure.ClusterIP)))
}

// IPsec encrypts without an interface; only its states tell.
func TestIPsecIsSeenWithoutAnInterface(t *testing.T) {
	const state = "IPsec SPI 0x3 to 198.18.0.15"
	for name, tc := range map[string]struct {
		before, after map[string]uint64
		found         string
		ok            bool
	}{
		"none":             {nil, nil, "the node has no tunnel", true},
		"of somebody else": {map[string]uint64{state: 5000}, map[string]uint64{state: 5100}, state + " 100 bytes", true},
		"the sample's":     {map[string]uint64{state: 5000}, map[string]uint64{state: 5000 + 1<<20}, state + " 1048576 bytes", false},
		"a new state":      {nil, map[string]uint64{state: 1 << 20}, state + " 1048576 bytes", false},
		"a state is gone":  {map[string]uint64{state: 5000}, nil, "the node's " + state + " is gone", false},
		"it went back":     {map[string]uint64{state: 5000}, map[string]uint64{state: 4000}, "went back from 5000 to 4000", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := good(arms["macvlan"], measure.PodIP)
			delete(o.Before.Interfaces, "vxlan.calico")
			delete(o.After.Interfaces, "vxlan.calico")
			o.Before.IPsec, o.After.IPsec = tc.before, tc.after
			c := evidence{arms["macvlan"], s, o}.encapsulated()
			assert.Equal(t, tc.ok, c.OK)
			assert.Contains(t, c.Found, tc.found)
		})
	}
}

// An observer of an older image gives names alone, by which every tunnel would pass.
func TestAnAnswerWithoutKindsProvesNothing(t *testing.T) {
	s, o := good(arms["macvlan"], measure.PodIP)
	for name, i := range o.After.Interfaces {
		i.Kind, i.MTU = "", 0
		o.After.Interfaces[name] = i
	}
	c := evidence{arms["macvlan"], s, o}.encapsulated()
	assert.False(t, c.OK)
	assert.Contains(t, c.Found, "another version's")
}

func TestAnUnequalMTUIsCaught(t *testing.T) {
	for name, tc := range map[string]struct {
		pod, uplink int
		via, parent string // the node's way to the server, and the device below the client's
		ok          bool
	}{
		"equal":                       {1500, 1500, "eth0", "caliabc", true},
		"jumbo frames everywhere":     {9000, 9000, "eth0", "caliabc", true},
		"room was left for a tunnel":  {1450, 1500, "eth0", "caliabc", false},
		"the node alone has jumbos":   {1500, 9000, "eth0", "caliabc", false},
		"no route: what is below it":  {1500, 1500, "", "eth0", true},
		"no route, and smaller":       {1400, 1500, "", "eth0", false},
		"no route, and nothing below": {1500, 1500, "", "", false},
		"the way is gone since":       {1500, 1500, "gone0", "eth0", false},
		"the client's is not known":   {0, 0, "eth0", "eth0", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := good(arms["calico"], measure.PodIP)
			end := o.Trailer.After.Interfaces[PodInterface]
			end.MTU = tc.pod
			o.Trailer.After.Interfaces[PodInterface] = end
			o.After.Via = tc.via
			for name, i := range o.After.Interfaces {
				i.Index = 7
				if name == tc.parent {
					i.Index = hostLink
				}
				if name == "eth0" {
					i.MTU = tc.uplink
				}
				o.After.Interfaces[name] = i
			}
			c := evidence{arms["calico"], s, o}.sized()
			assert.Equal(t, tc.ok, c.OK, "%s: %s", c.Claim, c.Found)
		})
	}
}
