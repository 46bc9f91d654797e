package analysis

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// gate is a verdict on macvlan against an arm.
func gate(other string, outcome verdict.Outcome, code verdict.Code, final bool) verdict.Verdict {
	v := verdict.Verdict{Name: "macvlan-over-" + other, Role: verdict.Gate, Comparison: latency, A: cell("macvlan"), B: cell(other), Outcome: outcome, Final: final}
	if code != "" {
		v.Why = &verdict.Reason{Code: code}
	}
	return v
}

// measured is a comparison of which so many of the arms have a value.
func measured(arms ...string) verdict.Comparison {
	c := verdict.Comparison{Name: latency, Cells: []measure.Cell{cell("macvlan"), cell("macvlan#control"), cell("calico")}}
	values := map[measure.Cell]measure.Values{}
	for _, arm := range arms {
		values[cell(arm)] = measure.Values{{Metric: measure.Latency, Value: 1}}
	}
	if len(arms) > 0 {
		c.Rounds = []measure.Round{{Index: 1, Values: values}}
	}
	return c
}

func TestTheOutcomeOfARunThatJudges(t *testing.T) {
	pass, fail := gate("cilium", verdict.Pass, "", true), gate("node", verdict.Fail, "", true)
	open := gate("calico", verdict.Inconclusive, verdict.Undecided, false)
	spoiled := gate("calico", verdict.Inconclusive, verdict.CopiesDiffer, true)
	skipped := gate("calico", verdict.Skipped, verdict.NotMeasured, true)
	noisy := gate("calico", verdict.Inconclusive, verdict.NoControl, false)
	informs, elsewhere := fail, gate("far", verdict.Skipped, verdict.Elsewhere, true)
	informs.Role, elsewhere.Elsewhere = verdict.Inform, true
	lost := record.Reason{Code: record.ClusterLost, Cluster: "ebpf"}
	late := record.Reason{Code: record.NoTime}
	missing := func(arm string, why record.Reason) []Missing {
		m := Missing{Comparison: latency, Reason: why}
		if arm != "" {
			m.Cell = cell(arm)
		}
		return []Missing{m}
	}
	other := missing("calico", lost)
	other[0].Comparison = "cluster-ip-latency"
	for _, tc := range []struct {
		name     string
		verdicts []verdict.Verdict
		missing  []Missing
		code     OutcomeCode
		exit     int
	}{
		{"all pass", []verdict.Verdict{pass, pass}, nil, Passed, 0},
		{"what informs and what applies elsewhere doesn't count", []verdict.Verdict{pass, informs, elsewhere}, nil, Passed, 0},
		{"an arm that no gate is about may be lost", []verdict.Verdict{pass}, missing("calico", lost), Passed, 0},
		{"one fails", []verdict.Verdict{pass, fail, open}, nil, GateFailed, 1},
		{"one fails, another's arm is lost", []verdict.Verdict{fail, open}, missing("calico", lost), GateFailed, 1},
		{"one is open", []verdict.Verdict{pass, open}, nil, GateOpen, 2},
		{"one was not measured for want of time", []verdict.Verdict{pass, skipped}, missing("", late), GateOpen, 2},
		{"its whole comparison is lost", []verdict.Verdict{pass, skipped}, missing("", lost), KeptOpen, 3},
		{"its own arm is lost", []verdict.Verdict{pass, skipped}, missing("calico", lost), KeptOpen, 3},
		{"the other arm is lost midway", []verdict.Verdict{pass, open}, missing("macvlan", lost), KeptOpen, 3},
		{"an arm of other gates is lost", []verdict.Verdict{pass, open}, missing("cilium", lost), GateOpen, 2},
		{"the same arm is lost in another comparison", []verdict.Verdict{pass, open}, other, GateOpen, 2},
		{"more rounds would not have helped", []verdict.Verdict{pass, spoiled}, missing("calico", lost), GateOpen, 2},
		{"the second copy is lost", []verdict.Verdict{noisy}, missing("macvlan#control", lost), KeptOpen, 3},
		{"a second copy is lost, but the noise is known", []verdict.Verdict{open}, missing("macvlan#control", lost), GateOpen, 2},
		{"no gate", []verdict.Verdict{informs, elsewhere}, nil, NoGate, 0},
		{"no gate, and a comparison is lost", []verdict.Verdict{informs}, missing("macvlan#control", lost), Incomplete, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := Facts{Profile: "nightly", Judges: true, Comparisons: []verdict.Comparison{measured("macvlan", "calico")}, Verdicts: tc.verdicts, Missing: tc.missing}
			o := Conclude(f)
			assert.Equal(t, tc.code, o.Code)
			assert.Equal(t, tc.exit, o.ExitCode)
			f.Failures = []Failure{{"", errors.New("the disk is full")}}
			o = Conclude(f)
			assert.Equal(t, []any{Broken, 3, "the disk is full"}, []any{o.Code, o.ExitCode, o.String()})
		})
	}
}

// An error that ended a comparison costs its own gates and no others.
func TestTheOutcomeAfterAnError(t *testing.T) {
	pass, open := gate("cilium", verdict.Pass, "", true), gate("calico", verdict.Inconclusive, verdict.Undecided, false)
	failed := []Failure{{latency, errors.New("the API server refused")}}
	for _, tc := range []struct {
		name     string
		judges   bool
		arms     []string
		verdicts []verdict.Verdict
		code     OutcomeCode
		exit     int
		words    string
	}{
		{"its gates had passed", true, []string{"macvlan"}, []verdict.Verdict{pass}, Passed, 0, "every gate passed"},
		{"a gate is open", true, []string{"macvlan"}, []verdict.Verdict{pass, open}, KeptOpen, 3,
			"infrastructure kept 1 of 2 gates open: macvlan-over-calico: pod-ip-latency: the API server refused"},
		{"nothing was measured", true, nil, nil, Nothing, 3, "nothing was measured: pod-ip-latency: the API server refused"},
		{"a cell is lacking", false, []string{"macvlan"}, nil, Incomplete, 3,
			"profile p: not everything was measured: pod-ip-latency: the API server refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := Conclude(Facts{
				Profile: "p", Judges: tc.judges, Comparisons: []verdict.Comparison{measured(tc.arms...)}, Verdicts: tc.verdicts, Failures: failed,
			})
			assert.Equal(t, []any{tc.code, tc.exit, tc.words}, []any{o.Code, o.ExitCode, o.String()})
		})
	}
}

func TestTheOutcomeOfARunThatOnlyMeasures(t *testing.T) {
	lost, late := record.Reason{Code: record.PodsFailed}, record.Reason{Code: record.NoTime}
	all := []string{"macvlan", "macvlan#control", "calico"}
	for _, tc := range []struct {
		name    string
		arms    []string
		missing []Missing
		code    OutcomeCode
		exit    int
	}{
		{"everything", all, nil, Measured, 0},
		{"everything, though an arm was lost later", all, []Missing{{latency, cell("calico"), lost}}, Measured, 0},
		{"an arm is lost", all[:2], []Missing{{latency, cell("calico"), lost}}, Incomplete, 3},
		{"an arm is lacking for another reason", all[:2], []Missing{{latency, cell("calico"), late}}, Incomplete, 2},
		{"an arm is lacking without a reason", all[:2], nil, Incomplete, 2},
		{"no time", nil, []Missing{{Comparison: latency, Reason: late}}, Incomplete, 2},
		{"nothing at all", nil, nil, Nothing, 3},
		{"all is lost", nil, []Missing{{Comparison: latency, Reason: lost}}, Nothing, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := Conclude(Facts{Profile: "smoke", Comparisons: []verdict.Comparison{measured(tc.arms...)}, Missing: tc.missing})
			assert.Equal(t, []any{tc.code, tc.exit}, []any{o.Code, o.ExitCode}, o.String())
		})
	}
}

func TestTheOutcomeInWords(t *testing.T) {
	lost := []Missing{{latency, cell("calico"), record.Reason{Code: record.ClusterLost}}}
	for want, o := range map[string]Outcome{
		"every gate passed":                                               {Code: Passed},
		"1 of 3 gates failed: a":                                          {Code: GateFailed, Gates: 3, Assertions: []string{"a"}},
		"2 of 3 gates could not be decided: a, b":                         {Code: GateOpen, Gates: 3, Assertions: []string{"a", "b"}},
		"infrastructure kept 1 of 3 gates open: a: " + lost[0].String():   {Code: KeptOpen, Gates: 3, Assertions: []string{"a"}, Missing: lost},
		"no gate applies to this run, so nothing decides":                 {Code: NoGate},
		"profile smoke: 4 comparisons measured, none judged":              {Code: Measured, Profile: "smoke", Measured: 4},
		"profile smoke: not everything was measured: " + lost[0].String(): {Code: Incomplete, Profile: "smoke", Missing: lost},
		"profile smoke: not everything was measured":                      {Code: Incomplete, Profile: "smoke"},
		"nothing was measured":                                            {Code: Nothing},
		"one; two":                                                        {Code: Broken, Errors: []string{"one", "two"}},
	} {
		assert.Equal(t, want, o.String())
	}
	assert.Contains(t, lost[0].String(), "pod-ip-latency: calico/pod-ip/cross-node/sockperf-latency: ")
}
