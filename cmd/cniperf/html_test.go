package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cniperf/cniperf/internal/journal"
)

func TestPagesArePrinted(t *testing.T) {
	t.Chdir(t.TempDir())
	for i := range 4 {
		recordNight(t, "quick", i, .7+.001*float64(i%3))
	}
	recordRun(t, "runs/fail", &journal.End{Outcome: "fail", ExitCode: 1, Reason: "1 of 1 gates failed"})
	for want, args := range map[string][]string{
		"cniperf run night00-quick": {"report", "--html", "runs/night00-quick"},
		"1 of 1 gates failed":       {"report", "--html", "runs/fail"},
		"No cell got slower":        {"history", "--html", "--window", "2", "--profile", "quick"},
		"without a verdict":         {"compare", "--html", "runs/night00-quick", "runs/night01-quick"},
	} {
		out, code := runPages(args)
		assert.Zero(t, code, "%v: %s", args, out)
		assert.True(t, strings.HasPrefix(out, "<!doctype html>"), "%v", args)
		assert.Contains(t, out, want)
	}
	for want, args := range map[string][]string{
		"a page shows one run":  {"report", "--html", "runs/fail", "runs/night00-quick"},
		"is not a run folder":   {"report", "--html", "runs/none"},
		"none of the others":    {"history", "--html", "--json"},
		"not of the loopback":   {"serve", "--address", "0.0.0.0:0"},
		"no run in elsewhere":   {"serve", "elsewhere"},
		"want HOST:PORT, as 12": {"serve", "--address", "8077"},
	} {
		out, code := runPages(args)
		assert.NotZero(t, code, "%v", args)
		assert.Contains(t, out, want)
	}
	out, code := runPages([]string{"report", "--html", "--exit-code", "runs/fail"})
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "</html>")
}

func runPages(args []string) (string, int) {
	commands := map[string]func(...string) (string, int){
		"report":  runReport,
		"history": func(a ...string) (string, int) { return runCommand(newHistoryCommand(), a...) },
		"compare": func(a ...string) (string, int) { return runCommand(newCompareCommand(), a...) },
		"serve":   func(a ...string) (string, int) { return runCommand(newServeCommand(), a...) },
	}
	return commands[args[0]](args[1:]...)
}
