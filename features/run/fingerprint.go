package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/machine"
)

// fingerprint is this machine's, where the lab is on it, and the lab that was asked
// for. What a cluster and its nodes are is known and compared once it stands.
func fingerprint(ctx context.Context, spec *lab.Spec, provider string) (map[string]string, error) {
	print := map[string]string{}
	if spec.NeedsEngine() {
		var err error
		if print, err = machine.Fingerprint(ctx); err != nil {
			return nil, err
		}
	}
	file, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	sum := sha256.Sum256(file)
	print["lab"], print["provider"] = hex.EncodeToString(sum[:8]), provider
	return print, nil
}
