package measure

// Path is what the client dials. It is written as it stands, in files and labels.
type Path = string

// The paths.
const (
	PodIP     Path = "pod-ip"
	ClusterIP Path = "cluster-ip" // of a Service
	HostIP    Path = "host-ip"    // the server is in its node's network
)

// Placement is where client and server run. It is written as it stands, in files
// and labels.
type Placement = string

// The placements.
const (
	CrossNode Placement = "cross-node"
	SameNode  Placement = "same-node"
)
