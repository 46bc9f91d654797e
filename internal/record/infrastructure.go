package record

// Remove this file when merging main: its reason.go has all of it.

const (
	// ClusterLost: the arm's Cluster could not be brought up, or was lost since.
	ClusterLost Code = "cluster-lost"
	// PodsFailed: the arm's pods did not start, or could not be made anew.
	PodsFailed Code = "pods-failed"
	// NoTime: the profile's minutes for measuring were over.
	NoTime Code = "no-time"
)

// Infrastructure tells that the reason lies in clusters, pods or tools, not in
// what the lab, the profile and its time allow.
func (r Reason) Infrastructure() bool { return r.Code == ClusterLost || r.Code == PodsFailed }
