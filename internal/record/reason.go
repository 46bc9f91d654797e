package record

import (
	"fmt"
	"strings"
)

// Code says why something was left out.
type Code string

const (
	// OtherCluster: the arm's Cluster is none of the Clusters that are measured in.
	OtherCluster Code = "other-cluster"
	// FewInterfaces: the lab file gives the arm's Cluster fewer than Interfaces.
	FewInterfaces Code = "few-interfaces"
	// NoCluster: the lab has no cluster of the kind that the arm needs.
	NoCluster Code = "no-cluster"
	// NoCounter: kube-proxy in the mode of the arm's Cluster counts nothing by which
	// the translation of a ClusterIP could be proven.
	NoCounter Code = "no-counter"
	// ClusterLost: the arm's Cluster could not be brought up, or was lost since.
	ClusterLost Code = "cluster-lost"
	// PodsFailed: the arm's pods did not start, or could not be made anew.
	PodsFailed Code = "pods-failed"
	// SamplesInvalid: the arm's samples were invalid in every attempt of a round.
	SamplesInvalid Code = "samples-invalid"
	// NoAccelerator: the accelerator of the arm did not start.
	NoAccelerator Code = "no-accelerator"
	// NothingToCompare: too few arms are left.
	NothingToCompare Code = "nothing-to-compare"
	// Broken: the comparison ended with an error that is about no arm.
	Broken Code = "broken"
	// NoTime: the profile's Minutes for measuring were over.
	NoTime Code = "no-time"
)

// Reason is why something was left out, with what it is about.
type Reason struct {
	Code       Code     `json:"code" jsonschema:"why: package record names the codes"`
	Profile    string   `json:"profile,omitempty"`
	Cluster    string   `json:"cluster,omitempty"`
	Clusters   []string `json:"clusters,omitempty"`
	Interfaces int      `json:"interfaces,omitempty" jsonschema:"of each node, that the arm needs"`
	Minutes    int      `json:"minutes,omitempty"`
	// Detail is what the other side said.
	Detail string `json:"detail,omitempty"`
}

// LeftOut is an arm that a comparison was narrowed by. Of a comparison that was
// left out whole, it is the control.
type LeftOut struct {
	Comparison string `json:"comparison"`
	Arm        string `json:"arm"`
	Reason     Reason `json:"reason"`
}

// String is the reason in words.
func (r Reason) String() string {
	switch r.Code {
	case OtherCluster:
		return fmt.Sprintf("profile %s measures only in %s; this arm is in %s", r.Profile, strings.Join(r.Clusters, ", "), r.Cluster)
	case FewInterfaces:
		return fmt.Sprintf("the lab file gives cluster %s fewer than %d interfaces", r.Cluster, r.Interfaces)
	case NoCluster:
		return "the lab has no cluster of the kind that this arm needs"
	case NoCounter:
		return fmt.Sprintf("kube-proxy in cluster %s counts nothing per Service, so no sample by ClusterIP could be proven", r.Cluster)
	case ClusterLost:
		return fmt.Sprintf("cluster %s is lost: %s", r.Cluster, r.Detail)
	case PodsFailed:
		return fmt.Sprintf("its pods in cluster %s don't run: %s", r.Cluster, r.Detail)
	case SamplesInvalid:
		return "its samples were invalid in every attempt of a round, the last time since " + r.Detail
	case NoAccelerator:
		return fmt.Sprintf("the accelerator did not start in cluster %s: %s", r.Cluster, r.Detail)
	case NothingToCompare:
		return "too few arms are left to compare: " + r.Detail
	case Broken:
		return r.Detail
	case NoTime:
		return fmt.Sprintf("the %d minutes that profile %s has for measuring were over", r.Minutes, r.Profile)
	}
	return string(r.Code)
}

// Infrastructure tells that the reason lies in clusters, pods or tools, not in
// what the lab, the profile and its time allow: a gate that stays open for it is
// nobody's verdict.
func (r Reason) Infrastructure() bool {
	switch r.Code {
	case ClusterLost, PodsFailed, SamplesInvalid, NoAccelerator, NothingToCompare, Broken:
		return true
	}
	return false
}
