package history

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/record"
)

// conditions are what a run measured on, by and of. Runs are comparable when the
// environment is the same; the subject is what may have made an arm slower.
type conditions struct {
	machine     recorded            // and the profile
	clusters    map[string]recorded // what of them is no part of any CNI
	subject     map[string]recorded // the rest of them
	benchmarks  map[string]string   // definition by name
	minRounds   int                 // that a whole table has
	comparisons []string            // that the profile has
}

// elsewhere lists by what the environment of another run differs. Clusters that
// only one of them measured in don't matter.
func (c conditions) elsewhere(then conditions) []string {
	if a, b := c.machine["profile"], then.machine["profile"]; a != b {
		return []string{fmt.Sprintf("profile %s, then %s", a, b)}
	}
	return append(c.machine.differences(then.machine), inBoth(c.clusters, then.clusters)...)
}

// changed lists what changed of the CNIs until another run.
func (c conditions) changed(then conditions) []string { return inBoth(c.subject, then.subject) }

func inBoth(a, b map[string]recorded) []string {
	var list []string
	for _, cluster := range slices.Sorted(maps.Keys(a)) {
		if then, ok := b[cluster]; ok {
			for _, d := range a[cluster].differences(then) {
				list = append(list, cluster+": "+d)
			}
		}
	}
	return list
}

// recorded is what a run recorded of itself, by name.
type recorded map[string]string

// differences lists what isn't the same in another, as "kernel 6.1, then 6.2".
func (r recorded) differences(then recorded) []string {
	names := maps.Clone(r)
	maps.Copy(names, then)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, inA := r[name]
		b, inB := then[name]
		switch {
		case a == b && inA == inB:
		case !inB:
			list = append(list, fmt.Sprintf("%s %s, then none", name, a))
		case !inA:
			list = append(list, fmt.Sprintf("%s none, then %s", name, b))
		default:
			list = append(list, fmt.Sprintf("%s %s, then %s", name, a, b))
		}
	}
	return list
}

func conditionsOf(run *journal.Run) (conditions, error) {
	c := conditions{machine: recorded{}, clusters: map[string]recorded{}, subject: map[string]recorded{}, benchmarks: map[string]string{}}
	maps.Copy(c.machine, run.Header.Fingerprint)
	for _, print := range run.Prints {
		if c.clusters[print.Cluster] == nil {
			c.clusters[print.Cluster], c.subject[print.Cluster] = recorded{}, recorded{}
		}
		for name, value := range print.Values {
			if print.Node != "" {
				name = "node " + print.Node + ": " + name
			}
			if environmental(name) {
				c.clusters[print.Cluster][name] = value
			} else {
				c.subject[print.Cluster][name] = value
			}
		}
	}
	plan, err := record.DecodePlan(run.Header.Plan)
	if err != nil {
		return c, err
	}
	c.machine["profile"] = run.Header.Profile
	how, err := fields(plan.Profile.How())
	if err != nil {
		return c, err
	}
	for name, value := range how {
		c.machine["profile: "+name] = string(value)
	}
	for _, b := range plan.Catalogue.Benchmarks {
		definition, err := json.Marshal(b)
		if err != nil {
			return c, fmt.Errorf("benchmark %s: %w", b.Name, err)
		}
		c.benchmarks[b.Name] = string(definition)
	}
	c.minRounds, c.comparisons = plan.Profile.MinRounds, plan.Profile.Comparisons
	return c, nil
}

// fields are what a profile has, by the names it is recorded with.
func fields(p record.Profile) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	var byName map[string]json.RawMessage
	return byName, json.Unmarshal(b, &byName)
}

// environmental tells what of a cluster's fingerprint is no part of any CNI:
// Kubernetes, its nodes, and the image that the tools run in.
func environmental(name string) bool {
	for _, prefix := range []string{"node ", "image kube-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{"kubernetes", "image bench", "image etcd", "image pause"}, name)
}
