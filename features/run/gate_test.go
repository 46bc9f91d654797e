package run

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cniperf/cniperf/internal/verdict"
)

func TestGateDecidesWhatAVerdictDoesToTheExitCode(t *testing.T) {
	for code, without := range map[int]int{
		verdict.ExitPass:           verdict.ExitPass,
		verdict.ExitFail:           verdict.ExitPass,
		verdict.ExitInconclusive:   verdict.ExitPass,
		verdict.ExitInfrastructure: verdict.ExitInfrastructure,
		ExitInterrupted:            ExitInterrupted,
	} {
		got, reason := Options{Gate: true}.gated(code, "why")
		assert.Equal(t, code, got)
		assert.Equal(t, "why", reason)
		got, reason = Options{Gate: false}.gated(code, "why")
		assert.Equal(t, without, got)
		assert.Contains(t, reason, "why")
	}
}
