package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/machine/speed"
	"github.com/cniperf/cniperf/manifests"
)

// paceOf is a machine that is faster than the reference machine by a factor.
func paceOf(t *testing.T, by float64) machinePace {
	t.Helper()
	r, err := speed.LoadReference(manifests.Suite, speed.ReferenceFile)
	require.NoError(t, err)
	s := r.Speed
	s.OneCore, s.AllCores, s.PerCPUSecond, s.ProcessStarts = s.OneCore*by, s.AllCores*by, s.PerCPUSecond*by, s.ProcessStarts*by
	return machinePace{speed: s, reference: r.Speed, estimates: r.Estimates(s)}
}

func TestDoctorSaysHowLongARunTakesHere(t *testing.T) {
	var out bytes.Buffer
	p := paceOf(t, 0.4)
	require.NoError(t, writeDoctor(&out, []machine.Finding{p.finding()}, p.estimates, false))
	for _, want := range []string{
		"0.40 of the reference machine", "the largest profile that fits is quick",
		"PROFILE    COLD          WARM          FITS THIS MACHINE\n",
		"quick      about 55 min  about 15 min  yes\n",
		"nightly    about 2.7 h   about 2.1 h   no: its gates may stay undecided\n",
	} {
		assert.Contains(t, out.String(), want)
	}

	out.Reset()
	require.NoError(t, writeDoctor(&out, []machine.Finding{p.finding()}, p.estimates, true))
	var findings []machine.Finding
	require.NoError(t, json.Unmarshal(out.Bytes(), &findings), "still a list of findings")
	assert.Equal(t, "speed", findings[0].Name)
}

func TestNoProfileFits(t *testing.T) {
	f := paceOf(t, 0.1).finding()
	assert.Equal(t, machine.Warn, f.Status)
	assert.NotEmpty(t, f.Fix)
	assert.NoError(t, machine.Err([]machine.Finding{f}), "it can still run the lab")
}
