package toolchain

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGoSettings(t *testing.T) {
	for name, test := range map[string]struct {
		cpus   int
		memory uint64
		want   []string
		not    string
	}{
		"two cores":        {2, 24 << 30, []string{"GOGC=off", "GOMEMLIMIT=8589934592", "GOMAXPROCS=1"}, "GOGC=400"},
		"many cores":       {16, 64 << 30, []string{"GOGC=off"}, "GOMAXPROCS"},
		"little memory":    {8, 16 << 30, []string{"GOGC=400"}, "GOMEMLIMIT"},
		"memory not known": {2, 0, []string{"GOGC=400"}, "GOMEMLIMIT"},
	} {
		env := Settings(test.cpus, test.memory)
		for _, w := range append(test.want, "CGO_ENABLED=0") {
			assert.Contains(t, env, w, name)
		}
		assert.NotContains(t, strings.Join(env, " "), test.not, name)
	}
	assert.EqualValues(t, 24000000<<10, memoryField("MemTotal:       24684092 kB\nMemFree: 1 kB\nMemAvailable:   24000000 kB\n", "MemAvailable"))
	assert.Zero(t, memoryField("MemTotal: 24684092 kB\n", "MemAvailable"))
}
