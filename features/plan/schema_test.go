package plan

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/record"
)

// What runs record is what the schema in docs says, and nothing else is.
func TestRecordedPlansFollowTheSchema(t *testing.T) {
	b, err := os.ReadFile(fmt.Sprintf("../../docs/schema/plan.v%d.json", record.PlanVersion))
	require.NoError(t, err)
	var s jsonschema.Schema
	require.NoError(t, json.Unmarshal(b, &s))
	schema, err := s.Resolve(nil)
	require.NoError(t, err)
	for _, lab := range []string{"", twoClusters, without(t, "ebpf")} {
		for _, profile := range []string{"smoke", "quick", "nightly", "published"} {
			recorded, _, err := planned(t, inputs(t, profile, lab)).Record()
			require.NoError(t, err)
			var v map[string]any
			require.NoError(t, json.Unmarshal(recorded, &v))
			assert.NoError(t, schema.Validate(v), profile)
			v["version"] = record.PlanVersion + 1
			assert.Error(t, schema.Validate(v))
		}
	}
}
