package plan

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/record"
)

// What a run records is read back whole, and one hash means one plan.
func TestRecordedPlan(t *testing.T) {
	labels := map[string][]string{"cni": {"spiderpool"}}
	in := inputs(t, "nightly", twoClusters)
	in.Labels = labels
	p := planned(t, in)
	recorded, hash, err := p.Record()
	require.NoError(t, err)
	got, err := record.DecodePlan(recorded)
	require.NoError(t, err)
	assert.Equal(t, p.recorded(), got)
	assert.Equal(t, record.PlanVersion, got.Version)

	var tree any
	require.NoError(t, json.Unmarshal(recorded, &tree))
	for _, key := range keys("", tree) {
		assert.Regexp(t, `\.[a-z][^.]*$`, key, "a Go field's name")
	}

	_, again, err := planned(t, in).Record()
	require.NoError(t, err)
	assert.Equal(t, hash, again)
	for name, change := range map[string]func(*Inputs){
		"seed":   func(in *Inputs) { in.Seed++ },
		"labels": func(in *Inputs) { in.Labels = nil },
		"rounds": func(in *Inputs) { in.Profile.MinRounds++ },
		"link": func(in *Inputs) {
			for i := range in.Lab.Clusters {
				in.Lab.Clusters[i].Interfaces[0].LinkMbits = 1000
			}
		},
		"benchmark": func(in *Inputs) { in.Catalogue.Benchmarks[0].Port++ },
	} {
		in := inputs(t, "nightly", twoClusters)
		in.Labels = labels
		change(&in)
		_, other, err := planned(t, in).Record()
		require.NoError(t, err)
		assert.NotEqual(t, hash, other, name)
	}
}

// keys lists the path of every key in JSON.
func keys(at string, v any) []string {
	var all []string
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			all = append(append(all, at+"."+k), keys(at+"."+k, child)...)
		}
	case []any:
		for _, child := range v {
			all = append(all, keys(at, child)...)
		}
	}
	return all
}
