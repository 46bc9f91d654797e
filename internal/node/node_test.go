package node

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadRulesTakesOnlyKubeProxysCounters(t *testing.T) {
	save, err := os.ReadFile("testdata/nat.txt")
	require.NoError(t, err)
	services, endpoints, err := ReadRules(string(save))
	require.NoError(t, err)
	assert.Equal(t, map[string]uint64{"198.19.128.1:443/tcp": 0, "198.19.131.208:5720/tcp": 0, "198.19.131.208:5722/tcp": 0}, services)
	assert.Equal(t, map[string]uint64{"198.18.0.6:5720/tcp": 0, "198.18.0.6:5722/tcp": 0, "198.18.0.7:6443/tcp": 142}, endpoints)
}

func TestReadRulesRefusesARuleWithoutCounters(t *testing.T) {
	_, _, err := ReadRules("[x:y] -A KUBE-SERVICES -d 198.19.128.1/32 -p tcp --dport 443 -j KUBE-SVC-A\n")
	assert.ErrorContains(t, err, "counters of")
	services, endpoints, err := ReadRules("-A KUBE-SERVICES -j KUBE-SVC-A\n:KUBE-SVC-A - [0:0]\n")
	require.NoError(t, err)
	assert.Empty(t, services)
	assert.Empty(t, endpoints)
}
