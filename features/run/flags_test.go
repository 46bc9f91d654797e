package run

import (
	"flag"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/images"
	"github.com/cniperf/cniperf/fixtures/lab"
)

func parsed(args ...string) (Options, error) {
	var o Options
	f := flag.NewFlagSet("suite", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	o.Flags(f)
	return o, f.Parse(args)
}

// A flag's mirror goes before the lab file's; both stay.
func TestMirrors(t *testing.T) {
	o, err := parsed("-registry-mirror", "quay.io=here.example/quay", "-registry-mirror=docker.io=here.example/hub", "-registry-plain-http", "here.example:5000",
		"-images-from", "registry")
	require.NoError(t, err)
	mirrors := map[string]string{"quay.io": "lab.example/quay", "ghcr.io": "lab.example/ghcr"}
	r := o.registry(&lab.Spec{RegistryMirrors: mirrors})
	assert.Equal(t, map[string]string{"quay.io": "here.example/quay", "docker.io": "here.example/hub", "ghcr.io": "lab.example/ghcr"}, r.Mirrors)
	assert.Equal(t, "lab.example/quay", mirrors["quay.io"], "the lab file's own stay as they are")
	assert.Equal(t, images.FromRegistry, r.From)
	assert.Equal(t, []string{"here.example:5000"}, r.PlainHTTP)
	for _, bad := range [][]string{{"-registry-mirror", "quay.io"}, {"-registry-mirror", "quay.io=https://x"}, {"-registry-plain-http", "a b"}, {"-images-from", "afar"}} {
		_, err := parsed(bad...)
		assert.Error(t, err, bad)
	}
}
