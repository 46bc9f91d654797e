package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/podrun"
)

// The supervisor runs as a process of its own, as in a pod: its servers must die
// with it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PODRUN_TEST_SERVE"); dir != "" {
		err := serve("last", dir, os.Getenv("PODRUN_TEST_SERVERS"))
		os.Stderr.WriteString(err.Error())
		os.Exit(9)
	}
	os.Exit(m.Run())
}

func supervisor(t *testing.T, dir string, servers ...podrun.Server) (*exec.Cmd, *bytes.Buffer) {
	text, err := podrun.EncodeServers(servers)
	require.NoError(t, err)
	var said bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PODRUN_TEST_SERVE="+dir, "PODRUN_TEST_SERVERS="+text, "POD_IP=127.0.0.1")
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, &said
}

func asked(t *testing.T, dir string) podrun.Servers {
	var out bytes.Buffer
	require.NoError(t, answerServers(dir, strings.NewReader("\n"), &out))
	var s podrun.Servers
	require.NoError(t, json.Unmarshal(out.Bytes(), &s))
	return s
}

func TestServersOfAPodAreSupervised(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	assert.Contains(t, asked(t, dir).Error, "has not started its servers yet")

	busy := podrun.Server{Name: "busy", Argv: []string{"sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo $0 >&2; sleep 60", podrun.PodIP}, Port: port}
	idle := podrun.Server{Name: "idle", Argv: []string{"sleep", "60"}, Port: port, UDP: true}
	cmd, said := supervisor(t, dir, busy, idle)
	var s podrun.Servers
	require.Eventually(t, func() bool {
		s = asked(t, dir)
		p, ok := s.Process("busy")
		return ok && p.Ran > 10*time.Millisecond
	}, 20*time.Second, 20*time.Millisecond)
	b, _ := s.Process("busy")
	i, _ := s.Process("idle")
	assert.Len(t, b.CPUs, 1, "every server is pinned")
	assert.Equal(t, b.CPUs, i.CPUs)
	assert.True(t, b.Listening, "something has the port")
	assert.False(t, i.Listening, "no UDP socket has it")
	assert.Less(t, i.Ran, b.Ran)
	assert.NotEmpty(t, s.PerCPU)

	require.NoError(t, exec.Command("kill", "-9", idleProcess(t, s)).Run())
	err = cmd.Wait()
	require.Error(t, err, "one server ended, so the supervisor ends")
	assert.Equal(t, 9, cmd.ProcessState.ExitCode())
	assert.Contains(t, said.String(), "server idle ended: signal: killed")
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(filepath.Join("/proc", pid(b.PID), "stat"))
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 10*time.Second, 20*time.Millisecond, "no server outlives the supervisor")
	require.NoError(t, l.Close())

	supervisor(t, dir, idle)
	require.Eventually(t, func() bool {
		again := asked(t, dir)
		return again.Error == "" && again.Boot != s.Boot
	}, 10*time.Second, 20*time.Millisecond, "a restart shows")
}

func idleProcess(t *testing.T, s podrun.Servers) string {
	p, ok := s.Process("idle")
	require.True(t, ok)
	return pid(p.PID)
}

func pid(n int) string { return strconv.Itoa(n) }

func TestServersThatCannotStartAreNamed(t *testing.T) {
	for want, text := range map[string]string{
		`server a: exec: "/no/such"`: `[{"name":"a","argv":["/no/such"],"port":1}]`,
		"there is none":              `[]`,
	} {
		assert.ErrorContains(t, serve("", t.TempDir(), text), want)
	}
}

func TestProcessesAreReadAsTheKernelWritesThem(t *testing.T) {
	f, err := statFields([]byte("41 (redis) server) S 7 41 1 0 -1 4194560 1 2 3 4 5 6 70 30 20 0 4 0 99 0 0\n"))
	require.NoError(t, err)
	assert.Equal(t, fields{parent: 7, reaped: time.Second}, f)
	for _, text := range []string{"", "41 redis S 7", "41 (a) S 7 1", "41 (a) S x 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"} {
		_, err := statFields([]byte(text))
		assert.Error(t, err, text)
	}
	ran, waited, err := parseSchedstat([]byte("206638 3313026 1\n"))
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{206638, 3313026}, []time.Duration{ran, waited})
	_, _, err = parseSchedstat([]byte("1 2\n"))
	assert.Error(t, err)
	forced, cpus, err := parseStatus([]byte("Name:\tredis\nCpus_allowed_list:\t0-1,3\nvoluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t12\n"))
	require.NoError(t, err)
	assert.Equal(t, uint64(12), forced)
	assert.Equal(t, []int{0, 1, 3}, cpus)
	for _, text := range []string{"Name:\tx\n", "Cpus_allowed_list:\t3-1\n", "Cpus_allowed_list:\t1\nnonvoluntary_ctxt_switches:\tx\n"} {
		_, _, err := parseStatus([]byte(text))
		assert.Error(t, err, text)
	}
}

func TestTheContainersTimeIsReadInEitherLayout(t *testing.T) {
	for file, text := range map[string]string{
		"cpu.stat":                  "usage_usec 1500000\nuser_usec 1\n",
		"cpuacct/cpuacct.usage":     "1500000000\n",
		"cpu,cpuacct/cpuacct.usage": "1500000000\n",
	} {
		root := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(text), 0o600))
		got, err := containerRan(root)
		require.NoError(t, err)
		assert.Equal(t, 1500*time.Millisecond, got, file)
		bad := strings.NewReplacer("1500000000", "x", "1500000", "x").Replace(text)
		require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(bad), 0o600))
		_, err = containerRan(root)
		assert.Error(t, err, file)
		require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte("\n"), 0o600))
		got, err = containerRan(root)
		assert.NoError(t, err, "an empty line tells nothing")
		assert.Zero(t, got, file)
	}
	got, err := containerRan(t.TempDir())
	require.NoError(t, err)
	assert.Zero(t, got)
}
