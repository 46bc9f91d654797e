//go:build browser

package htmlreport

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
)

// TestInABrowser opens the page of every state in a real Chromium, at two widths and
// in both schemes. CNIPERF_CHROMIUM names another browser than Debian's, CNIPERF_RUN a
// recorded run to be opened as well, CNIPERF_OUT the folder that screenshots are left in.
func TestInABrowser(t *testing.T) {
	browser := "/usr/bin/chromium"
	if other := os.Getenv("CNIPERF_CHROMIUM"); other != "" {
		browser = other
	}
	out := os.Getenv("CNIPERF_OUT")
	if out == "" {
		out = t.TempDir()
	}
	require.NoError(t, os.MkdirAll(out, 0o755))
	args := []string{"check.mjs", browser, out}
	for name, run := range states(t) {
		file := filepath.Join(out, name+".html")
		require.NoError(t, os.WriteFile(file, []byte(page(t, run)), 0o644))
		args = append(args, file)
	}
	var compared bytes.Buffer
	require.NoError(t, Compare(&compared, comparisonOf(), English{}, ""))
	for name, text := range map[string]string{
		"history": historyPage(t, madeUp(t, 60, 6, 30)), "few-nights": historyPage(t, madeUp(t, 5, 2, 30)), "compare": compared.String(),
	} {
		file := filepath.Join(out, name+".html")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		args = append(args, file)
	}
	args = append(args, more(t, out)...)
	cmd := exec.Command("node", args...)
	cmd.Dir = "browser"
	said, err := cmd.CombinedOutput()
	t.Logf("%s", said)
	require.NoError(t, err, "npm ci in internal/htmlreport/browser, and Debian's chromium, are needed")
}

// more are pages of runs that CNIPERF_RUN names.
func more(t *testing.T, out string) []string {
	t.Helper()
	dir := os.Getenv("CNIPERF_RUN")
	if dir == "" {
		return nil
	}
	run, err := journal.Read(dir)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, New(run, figures(), English{}).HTML(&b))
	file := filepath.Join(out, "recorded.html")
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
	return []string{file}
}
