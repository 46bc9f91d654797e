package run

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/record"
)

func TestResumeRefusesAnotherPlanOrMachineAndNamesTheDifference(t *testing.T) {
	plan := func(rounds int, labels map[string][]string) json.RawMessage {
		b, err := json.Marshal(record.Plan{Version: record.PlanVersion, Profile: record.Profile{Name: "quick", MaxRounds: rounds}, Labels: labels, Seed: 1 << 63})
		require.NoError(t, err)
		return b
	}
	was := journal.Header{
		Plan: plan(20, nil), PlanHash: "a", Version: "v1",
		Fingerprint: map[string]string{"kernel": "6.18", "mtu": "1500", "governor": "performance"},
	}
	assert.NoError(t, sameRun(was, was))

	now := was
	now.Fingerprint = map[string]string{"kernel": "6.19", "mtu": "1500", "nic": "eth0"}
	err := sameRun(was, now)
	assert.ErrorContains(t, err, "governor: was performance, is absent; kernel: was 6.18, is 6.19; nic: was absent, is eth0")

	now = was
	now.Plan, now.PlanHash, now.Version = plan(30, map[string][]string{"cni": {"calico"}}), "b", "v2"
	err = sameRun(was, now)
	assert.ErrorContains(t, err, "cniperf: was v1, is v2")
	assert.ErrorContains(t, err, "profile.maxRounds: was 20, is 30")
	assert.ErrorContains(t, err, "labels.cni[0]: was absent, is calico")
	assert.NotContains(t, err.Error(), "seed")

	// What an earlier cniperf recorded has other names for the same values.
	was.Plan, now.Plan = json.RawMessage(`{"profile":{"Name":"quick","MaxRounds":20},"seed":9223372036854775808}`), plan(30, nil)
	err = sameRun(was, now)
	assert.ErrorContains(t, err, "profile.maxRounds: was 20, is 30")
	assert.NotContains(t, err.Error(), "profile.name")
	was.Plan = json.RawMessage(`{"version":3}`)
	assert.ErrorContains(t, sameRun(was, now), "written by a newer cniperf: plan version 3, this one reads up to 2")
}
