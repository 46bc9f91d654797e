package measure

// The paths: what the client of a cell dials.
const (
	PodIP     = "pod-ip"
	ClusterIP = "cluster-ip"
	HostIP    = "host-ip" // the server has its node's own network
)

// The placements: where the two ends of a cell are.
const (
	CrossNode = "cross-node"
	SameNode  = "same-node"
)
