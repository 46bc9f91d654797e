package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/fixtures/machine"
)

// make perf used to change the machine without asking anybody.
func TestTheMachineIsChangedOnlyWhenSomebodyAgreed(t *testing.T) {
	broken := machine.Finding{Name: "ip_forward", Status: machine.Fail, Found: "off"}
	warned := machine.Finding{Name: "inotify", Status: machine.Warn, Found: "few"}
	for name, tc := range map[string]struct {
		finding              machine.Finding
		terminal, root, asks bool
		fix                  bool
		answer               string
		fixed                bool
		code                 int
	}{
		"agreed in advance":       {finding: broken, root: true, fix: true, fixed: true},
		"yes":                     {finding: broken, terminal: true, root: true, asks: true, answer: "y\n", fixed: true},
		"no":                      {finding: broken, terminal: true, root: true, asks: true, answer: "n\n", code: 3},
		"only the enter key":      {finding: broken, terminal: true, root: true, asks: true, answer: "\n", code: 3},
		"no terminal":             {finding: broken, root: true, asks: true, answer: "y\n", code: 3},
		"no terminal, it can run": {finding: warned, root: true, asks: true, answer: "y\n"},
		"no, but it can run":      {finding: warned, terminal: true, root: true, asks: true, answer: "no\n"},
		"not root":                {finding: broken, terminal: true, asks: true, answer: "y\n", code: 3},
		"only looking":            {finding: broken, terminal: true, root: true, answer: "y\n", code: 3},
	} {
		t.Run(name, func(t *testing.T) {
			var out, messages bytes.Buffer
			fixed := false
			d := doctor{
				check: func(context.Context, machine.Options) ([]machine.Finding, error) {
					return []machine.Finding{tc.finding}, nil
				},
				fix: func(context.Context, machine.Options) ([]machine.Finding, error) {
					fixed = true
					return []machine.Finding{{Name: tc.finding.Name, Status: machine.Fixed}}, nil
				},
				changes: func(f []machine.Finding) []string {
					if f[0].Status == machine.Fixed {
						return nil
					}
					return []string{"sysctl -w net.ipv4.ip_forward=1"}
				},
				fixable: func([]machine.Finding) bool { return true },
				pace:    func(context.Context) (machinePace, error) { return machinePace{}, nil },
				root:    tc.root, terminal: tc.terminal, in: strings.NewReader(tc.answer), out: &out, messages: &messages,
			}
			err := d.run(t.Context(), tc.fix, tc.asks)
			assert.Equal(t, tc.fixed, fixed)
			if tc.code == 0 {
				require.NoError(t, err)
			} else {
				var exit exitError
				require.ErrorAs(t, err, &exit)
				assert.Equal(t, tc.code, exit.code)
			}
			if tc.asks && tc.root && (tc.terminal || tc.code != 0) {
				assert.Contains(t, messages.String(), "sysctl -w net.ipv4.ip_forward=1", "each change is listed")
			}
			if tc.asks && tc.root && tc.code != 0 {
				assert.ErrorContains(t, err, "make perf FIX=1")
			}
		})
	}
}

func TestDownHostSaysWhatItDid(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, restoreHost(&out, machine.Options{Root: t.TempDir(), CacheDir: t.TempDir()}))
	assert.Equal(t, "cniperf changed no setting of this machine\n", out.String())
}
