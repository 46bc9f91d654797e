package record

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the schema anew")

// docs/schema/plan.vN.json is made from the types: go test ./internal/record -run
// Schema -update. A schema that runs were recorded by never changes: a change of the
// types is a new version.
func TestSchemaIsThatOfTheTypes(t *testing.T) {
	s, err := jsonschema.For[Plan](nil)
	require.NoError(t, err)
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = fmt.Sprintf("cniperf plan, version %d", PlanVersion)
	s.Description = "What decided what a run measured, as its journal's header records it. Durations are in the unit that the field's name says."
	s.Properties["version"].Const = jsonschema.Ptr[any](PlanVersion)
	got, err := json.MarshalIndent(s, "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	file := filepath.Join("..", "..", "docs", "schema", fmt.Sprintf("plan.v%d.json", PlanVersion))
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "write it anew: go test ./internal/record -run Schema -update")
}
