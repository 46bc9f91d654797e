package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/output"
)

func runParse(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := newParseCommand()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	var out bytes.Buffer
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

func TestParseCommand(t *testing.T) {
	for _, c := range []struct {
		tool, file, key string
		want            parsedValue
	}{
		{"sockperf", "sockperf/testdata/tcp.txt", "latency", parsedValue{30.062, "us", "lower"}},
		{"netperf", "netperf/testdata/classic-rr.txt", "transactions", parsedValue{20736.16, "1/s", "higher"}},
		{"netperf", "netperf/testdata/omni-crr.txt", "latency-p99", parsedValue{2950, "us", "lower"}},
		{"iperf3", "iperf3/testdata/p4.txt", "throughput", parsedValue{8077294725.8490868, "bit/s", "higher"}},
		{"redis-benchmark", "redisbench/testdata/csv.txt", "requests-get", parsedValue{27932.96, "1/s", "higher"}},
		{"redisbench", "redisbench/testdata/csv.txt", "latency-p99-set", parsedValue{6303, "us", "lower"}},
	} {
		file := "../../features/tool/" + c.file
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		out, err := runParse(t, "", c.tool, file)
		require.NoError(t, err, c.file)
		var got parsed
		require.NoError(t, json.Unmarshal([]byte(out), &got))
		assert.Equal(t, c.want, got.Metrics[c.key], c.file)
		for _, args := range [][]string{{c.tool}, {c.tool, "-"}} {
			piped, err := runParse(t, string(raw), args...)
			require.NoError(t, err)
			assert.Equal(t, out, piped)
		}
	}
}

func TestParseCommandRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"Connection refused":             {"sockperf", "../../features/tool/sockperf/testdata/refused.txt"},
		"ran 2s of the 10s asked":        {"netperf", "../../features/tool/netperf/testdata/classic-rr.txt", "--duration", "10s"},
		"server is busy":                 {"iperf3", "../../features/tool/iperf3/testdata/busy.txt"},
		"standard input: redis":          {"redis-benchmark"},
		`unknown tool "ping"`:            {"ping"},
		"a number of requests":           {"redisbench", "../../features/tool/redisbench/testdata/csv.txt", "--duration", "10s"},
		"no such file":                   {"iperf3", "nowhere.json"},
		"accepts between 1 and 2 arg(s)": {},
	} {
		out, err := runParse(t, "", args...)
		assert.ErrorContains(t, err, want)
		assert.Empty(t, out)
	}
	_, err := runParse(t, strings.Repeat("x", output.MaxSize+10), "sockperf")
	assert.ErrorContains(t, err, "over the limit")
}
