//go:build browser

package serve

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/journal"
)

// scripts is where the browser's scripts are, with their packages.
const scripts = "../htmlreport/browser"

func chromium() string {
	if other := os.Getenv("CNIPERF_CHROMIUM"); other != "" {
		return other
	}
	return "/usr/bin/chromium"
}

// TestInABrowser opens the served pages in a real Chromium.
func TestInABrowser(t *testing.T) {
	runs := t.TempDir()
	for i, id := range []string{"one", "two", "three"} {
		w := record(t, runs, id, i+1, 2)
		require.NoError(t, w.Append(journal.End{Outcome: "pass"}))
	}
	server := serve(t, runs)
	cmd := exec.Command("node", "check.mjs", chromium(), t.TempDir(), server.URL+"/", server.URL+"/run/one", server.URL+"/compare?old=one&new=two", server.URL+"/history?profile=quick")
	cmd.Dir = scripts
	said, err := cmd.CombinedOutput()
	t.Logf("%s", said)
	require.NoError(t, err)
}

// TestInABrowserARunIsFollowed watches rounds and the end appear in a page that stays
// open, with what its reader chose.
func TestInABrowserARunIsFollowed(t *testing.T) {
	runs := t.TempDir()
	w := record(t, runs, "going", 1, 1)
	server := serve(t, runs)
	cmd := exec.Command("node", "follow.mjs", chromium(), server.URL+"/run/going")
	cmd.Dir, cmd.Stderr = scripts, os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	next := func() string {
		require.True(t, lines.Scan(), "the browser said nothing: %v", lines.Err())
		return lines.Text()
	}
	require.Equal(t, "open", next())
	for i := 2; i < 5; i++ {
		appendRound(t, w, i)
		want := fmt.Sprintf("macvlan, round %d:", i)
		_, err := fmt.Fprintln(in, want)
		require.NoError(t, err)
		assert.Equal(t, "seen "+want, next())
	}
	require.NoError(t, w.Append(journal.End{Outcome: "pass", Reason: "all of them passed"}))
	_, err = fmt.Fprintln(in, "all of them passed")
	require.NoError(t, err)
	assert.Equal(t, "seen all of them passed", next())
	require.NoError(t, in.Close())
	assert.NoError(t, cmd.Wait())
}
