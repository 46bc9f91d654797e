package verdict

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const published = "../../manifests/thresholds"

func TestPublishedThresholds(t *testing.T) {
	ts, err := OpenThresholds(os.DirFS(published), "spiderpool.yaml")
	require.NoError(t, err)
	var gates []string
	families := map[string]int{}
	for _, a := range ts.Assertions {
		if a.Role == Gate {
			gates = append(gates, a.Name)
		}
		families[a.family()]++
		// A claim that its own figures contradict would be a slip of the pen.
		require.NotNil(t, a.Published, a.Name)
		lower := a.Metric == "latency"
		assert.Equal(t, lower, a.Published.Faster < a.Published.Slower, a.Name)
	}
	assert.Equal(t, []string{"latency-macvlan-over-calico", "latency-macvlan-over-cilium", "latency-cilium-over-calico"}, gates)
	for family, n := range families {
		assert.LessOrEqual(t, n, 7, "family %s: eight unanimous rounds would no longer do", family)
	}
}

const valid = `apiVersion: cniperf.io/v1
kind: Thresholds
name: mine
familyAlpha: 0.05
assertions:
  - name: one
    sentence: A is faster than B.
    source: me
    published: {faster: 1, slower: 2, unit: us}
    faster: {arm: a, path: pod-ip, placement: cross-node}
    slower: {arm: b, path: pod-ip, placement: cross-node}
    benchmark: sockperf-latency
    metric: latency
    margin: 0
    alpha: 0.01
    maxRounds: 20
    role: gate
    appliesTo: [kind]
`

func TestDecodeThresholds(t *testing.T) {
	ts, err := DecodeThresholds(strings.NewReader(valid))
	require.NoError(t, err)
	a, b := ts.Assertions[0].Cells()
	assert.Equal(t, "a/pod-ip/cross-node/sockperf-latency", a.String())
	assert.Equal(t, "b/pod-ip/cross-node/sockperf-latency", b.String())
}

func TestDecodeThresholdsRefuses(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{valid, "", "the file is empty"},
		{valid, "[]", "line 1"},
		{valid, "null", "apiVersion"},
		{"role: gate", "role: gate\n    colour: red", "line 18: field colour not found"},
		{"role: gate", "role: gate\n    role: gate", "already defined"},
		{"cniperf.io/v1", "cniperf.io/v2", "line 1: apiVersion"},
		{"kind: Thresholds", "kind: Other", "line 2: kind"},
		{"name: mine", "name: ''", "line 3: name"},
		{"familyAlpha: 0.05", "familyAlpha: 0.005", "line 15: alpha"},
		{"familyAlpha: 0.05", "familyAlpha: .inf", "line 4: familyAlpha"},
		{"familyAlpha: 0.05", "familyAlpha: 0.05\nnoiseFloor: 0.01", "line 5: noiseFloor"},
		{"familyAlpha: 0.05", "familyAlpha: 0.05\nnoiseFloor: .nan", "line 5: noiseFloor"},
		{"name: one", "name: One", "line 6: name"},
		{"sentence: A is faster than B.", "sentence: ''", "line 7: sentence"},
		{"    source: me\n", "", "line 6: source"},
		{"faster: 1,", "faster: .nan,", "line 9: published"},
		{"arm: a,", "arm: a/b,", "line 10: faster"},
		{"arm: b", "arm: a", "compared with itself"},
		{"    slower: {arm: b, path: pod-ip, placement: cross-node}\n", "", "want either faster and slower, or candidate and baseline"},
		{"benchmark: sockperf-latency", "benchmark: ''", "line 12: benchmark"},
		{"metric: latency", "metric: speed", `line 13: metric is "speed", which is not measured`},
		{"margin: 0", "margin: 1", "line 14: margin"},
		{"margin: 0", "margin: -0.1", "line 14: margin"},
		{"margin: 0", "margin: .nan", "line 14: margin"},
		{"alpha: 0.01", "alpha: 0", "line 15: alpha"},
		{"alpha: 0.01", "alpha: 1e-7", "line 15: alpha"},
		{"maxRounds: 20", "maxRounds: 1001", "line 16: maxRounds"},
		{"maxRounds: 20", "maxRounds: 6", "line 16: maxRounds is 6: so few rounds can't decide"},
		{"role: gate", "role: maybe", "line 17: role"},
		{"[kind]", "[kind, kind]", "line 18: appliesTo"},
		{"assertions:", "assertions: []\nx:", "field x not found"},
	} {
		text := strings.Replace(valid, tc.old, tc.new, 1)
		require.NotEqual(t, valid, text)
		_, err := DecodeThresholds(strings.NewReader(text))
		assert.ErrorContains(t, err, tc.want, tc.new)
	}
	again := valid[strings.Index(valid, "  - name"):]
	_, err := DecodeThresholds(strings.NewReader(valid + again))
	assert.ErrorContains(t, err, `line 19: name is "one" a second time`)
	_, err = DecodeThresholds(strings.NewReader(valid + "---\n" + valid))
	assert.ErrorContains(t, err, "more than one YAML document")
	_, err = DecodeThresholds(strings.NewReader(strings.Repeat("#", maxThresholds+1)))
	assert.ErrorContains(t, err, "larger than")
}

func TestARegressionNeedsAMargin(t *testing.T) {
	text := strings.NewReplacer("faster: {arm", "candidate: {arm", "slower: {arm", "baseline: {arm").Replace(valid)
	_, err := DecodeThresholds(strings.NewReader(text))
	assert.ErrorContains(t, err, "line 14: margin is 0")
	ts, err := DecodeThresholds(strings.NewReader(strings.Replace(text, "margin: 0", "margin: 0.1", 1)))
	require.NoError(t, err)
	assert.True(t, ts.Assertions[0].nonInferiority())
}

// Thresholds or an error; what is accepted can be judged.
func FuzzDecodeThresholds(f *testing.F) {
	f.Add(valid)
	f.Add(strings.Replace(valid, "role: gate", "<<: {role: gate}", 1))
	f.Add("<<: {assertions: [{name: x}]}\napiVersion: cniperf.io/v1\nkind: Thresholds\nname: x\nfamilyAlpha: 0.1\n")
	f.Add("a: &a [*a]")
	f.Add("assertions: &a\n  - *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		ts, err := DecodeThresholds(strings.NewReader(text))
		if err != nil {
			require.Empty(t, ts)
			return
		}
		vs, err := Judge(ts, "kind")
		require.NoError(t, err)
		require.Len(t, vs, len(ts.Assertions))
		for _, v := range vs {
			require.Equal(t, Skipped, v.Outcome)
		}
	})
}
