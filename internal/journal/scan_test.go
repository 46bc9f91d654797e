package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// written puts a made-up journal into a folder.
func written(t *testing.T, dir string, records ...any) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Encode(&b, records...))
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, FileName), b.Bytes(), 0o600))
}

func TestScanGivesWhatReadGives(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("x", 200<<10) // beyond the reader's buffer
	written(t, dir, header(), Stage{Name: "a \"quoted\",\"sum\":\"one\"}", Error: long}, sample(PhaseFull, 1, 1, "node", 1), &End{Outcome: "pass"})
	run, err := Read(dir)
	require.NoError(t, err)
	var kinds []string
	var stage Stage
	require.NoError(t, Scan(dir, func(kind string, data []byte) error {
		kinds = append(kinds, kind)
		if kind == "stage" {
			return json.Unmarshal(data, &stage)
		}
		return nil
	}))
	assert.Equal(t, []string{"header", "stage", "sample", "end"}, kinds)
	assert.Equal(t, run.Stages[0], stage)
	assert.Len(t, run.Samples, 1)

	mine := errors.New("mine")
	err = Scan(dir, func(kind string, _ []byte) error {
		if kind == "sample" {
			return mine
		}
		return nil
	})
	assert.ErrorIs(t, err, mine)
	assert.ErrorContains(t, err, "line 3")
}

func TestScanRefusesDamage(t *testing.T) {
	dir := t.TempDir()
	written(t, dir, header(), Stage{Name: "lab"}, Stage{Name: "measure"})
	file := filepath.Join(dir, FileName)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	all := func(string, []byte) error { return nil }
	for name, tc := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"an altered record": {func(b []byte) []byte { return bytes.Replace(b, []byte("lab"), []byte("lob"), 1) }, "line 2 is corrupt, or one before it is missing: checksum"},
		"a lost line": {func(b []byte) []byte {
			lines := bytes.SplitAfter(b, []byte("\n"))
			return append(bytes.Clone(lines[0]), append(lines[2], lines[2]...)...)
		}, "line 2 is corrupt, or one before it is missing"},
		"another version": {func(b []byte) []byte { return bytes.Replace(b, []byte(`{"v":1`), []byte(`{"v":2`), 1) }, "line 1 has format version 2"},
		"no JSON":         {func(b []byte) []byte { return append([]byte("junk\n"), b...) }, "line 1 is corrupt"},
		"nothing":         {func([]byte) []byte { return nil }, "it has no whole header"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(file, tc.change(bytes.Clone(whole)), 0o600))
			assert.ErrorContains(t, Scan(dir, all), tc.want)
		})
	}
	require.NoError(t, os.WriteFile(file, whole[:len(whole)-3], 0o600))
	assert.NoError(t, Scan(dir, all), "a torn last line is left out")
	assert.ErrorContains(t, Scan(filepath.Join(dir, "none"), all), "is not a run folder")
}

// A line that another program wrote with spaces is the same record.
func TestALineOfAnotherFormIsReadToo(t *testing.T) {
	dir := t.TempDir()
	written(t, dir, header())
	file := filepath.Join(dir, FileName)
	line, err := os.ReadFile(file)
	require.NoError(t, err)
	spaced := bytes.Replace(line, []byte(`"v":1,`), []byte(`"v": 1, `), 1)
	require.NoError(t, os.WriteFile(file, spaced, 0o600))
	run, err := Read(dir)
	require.NoError(t, err)
	assert.Equal(t, header().RunID, run.Header.RunID)
}

func TestLatestIsTheNewestByTime(t *testing.T) {
	runs := t.TempDir()
	_, err := Find(runs, Latest)
	assert.ErrorContains(t, err, "no run in")
	at := time.Date(2026, 11, 1, 2, 17, 0, 0, time.UTC)
	written(t, filepath.Join(runs, "z-older"), Header{RunID: "z", Started: at})
	written(t, filepath.Join(runs, "a-newer"), Header{RunID: "a", Started: at.Add(time.Hour)})
	require.NoError(t, os.MkdirAll(filepath.Join(runs, "zz-broken"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(runs, "zz-broken", FileName), []byte("junk\n"), 0o600))
	dir, err := Find(runs, Latest)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(runs, "a-newer"), dir)

	require.NoError(t, os.RemoveAll(filepath.Join(runs, "a-newer")))
	require.NoError(t, os.RemoveAll(filepath.Join(runs, "z-older")))
	_, err = Find(runs, Latest)
	assert.ErrorContains(t, err, "no run can be read: journal in "+filepath.Join(runs, "zz-broken"))
	dir, err = Find(runs, "named")
	require.NoError(t, err)
	assert.Equal(t, "named", dir)
}
