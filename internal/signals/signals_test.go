package signals

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain is also the program that gets signals: it says when it is ready and
// which signal ended it.
func TestMain(m *testing.M) {
	if os.Getenv("SIGNALS_TEST_PROGRAM") == "" {
		os.Exit(m.Run())
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, Ending()...)
	fmt.Println("ready")
	select {
	case s := <-c:
		fmt.Println(s)
	case <-time.After(time.Minute):
		fmt.Println("none")
	}
}

// SIGHUP, the end of an SSH session, used to end a run without any clean-up.
func TestSignalsThatEndAProgram(t *testing.T) {
	for name, tc := range map[string]struct {
		nohup bool
		send  []syscall.Signal
		want  string
	}{
		"SIGINT":               {send: []syscall.Signal{syscall.SIGINT}, want: "interrupt"},
		"SIGTERM":              {send: []syscall.Signal{syscall.SIGTERM}, want: "terminated"},
		"SIGHUP":               {send: []syscall.Signal{syscall.SIGHUP}, want: "hangup"},
		"SIGHUP under nohup":   {nohup: true, send: []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM}, want: "terminated"},
		"SIGTERM, under nohup": {nohup: true, send: []syscall.Signal{syscall.SIGTERM}, want: "terminated"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{os.Args[0]}
			if tc.nohup {
				// What nohup does, without its way with output.
				args = []string{"sh", "-c", `trap "" HUP; exec "$0"`, os.Args[0]}
			}
			cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
			cmd.Env = append(os.Environ(), "SIGNALS_TEST_PROGRAM=1")
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(out)
			require.True(t, lines.Scan())
			require.Equal(t, "ready", lines.Text())
			for _, s := range tc.send {
				require.NoError(t, cmd.Process.Signal(s))
			}
			require.True(t, lines.Scan(), "it ended without a word: %v", lines.Err())
			assert.Equal(t, tc.want, lines.Text())
			require.NoError(t, cmd.Wait())
		})
	}
}
