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
)

// Reason is why something was left out, with what it is about.
type Reason struct {
	Code       Code     `json:"code" jsonschema:"other-cluster, few-interfaces or no-cluster"`
	Profile    string   `json:"profile,omitempty"`
	Cluster    string   `json:"cluster,omitempty"`
	Clusters   []string `json:"clusters,omitempty"`
	Interfaces int      `json:"interfaces,omitempty" jsonschema:"of each node, that the arm needs"`
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
	}
	return string(r.Code)
}
