package podrun

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServersSurviveTheirFlag(t *testing.T) {
	want := []Server{
		{Name: "redis", Argv: []string{"redis-server", "--bind", PodIP, "--save", ""}, Port: 6379},
		{Name: "sockperf-udp", Argv: []string{"sockperf", "server"}, Port: 12345, UDP: true},
	}
	text, err := EncodeServers(want)
	require.NoError(t, err)
	got, err := DecodeServers(text)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, []string{"redis-server", "--bind", "198.18.0.64", "--save", ""}, want[0].Command("198.18.0.64"))
	assert.Equal(t, PodIP, want[0].Argv[2], "the server itself is unchanged")
}

func TestBadServersAreRefused(t *testing.T) {
	for want, text := range map[string]string{
		"there is none":       `[]`,
		"unknown field":       `[{"name":"a","argv":["x"],"port":1,"cpu":2}]`,
		"port is 0":           `[{"name":"a","argv":["x"]}]`,
		"want the command":    `[{"name":"a","port":1}]`,
		"as its name":         `[{"name":"A b","argv":["x"],"port":1}]`,
		"is there a second":   `[{"name":"a","argv":["x"],"port":1},{"name":"a","argv":["x"],"port":2}]`,
		"unexpected EOF":      `[{"name":"a"`,
		"cannot unmarshal":    `{}`,
		"invalid character":   `sockperf`,
		"port is 70000, want": `[{"name":"a","argv":["x"],"port":70000}]`,
	} {
		_, err := DecodeServers(text)
		assert.ErrorContains(t, err, want, text)
	}
}

func TestTheFirstClosedPortIsNamed(t *testing.T) {
	s := Servers{Processes: []Process{{Name: "a", Listening: true}, {Name: "b"}}}
	closed, ok := s.Listening()
	assert.False(t, ok)
	assert.Equal(t, "b", closed)
	s.Processes[1].Listening = true
	_, ok = s.Listening()
	assert.True(t, ok)
	_, ok = Servers{}.Listening()
	assert.False(t, ok, "a pod without servers serves nothing")
}
