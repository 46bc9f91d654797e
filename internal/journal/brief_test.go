package journal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABriefIsTheFirstRecordAndTheEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, Header{RunID: "r", Profile: "quick"})
	require.NoError(t, err)
	require.NoError(t, w.Append(Stage{Name: "lab"}))
	b, err := ReadBrief(dir)
	require.NoError(t, err)
	assert.Equal(t, "quick", b.Header.Profile)
	assert.Nil(t, b.End)

	require.NoError(t, w.Append(End{Outcome: "fail", ExitCode: 1}))
	b, err = ReadBrief(dir)
	require.NoError(t, err)
	require.NotNil(t, b.End)
	assert.Equal(t, 1, b.End.ExitCode)

	require.NoError(t, w.Append(Stage{Name: "again"}))
	require.NoError(t, w.Close())
	b, err = ReadBrief(dir)
	require.NoError(t, err)
	assert.Nil(t, b.End, "whatever follows an end continues the run")

	f, err := os.OpenFile(filepath.Join(dir, FileName), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"v":1,"type":"end","ti`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	b, err = ReadBrief(dir)
	require.NoError(t, err)
	assert.Nil(t, b.End, "a torn line")

	require.NoError(t, os.WriteFile(filepath.Join(dir, FileName), []byte("junk\n"), 0o600))
	_, err = ReadBrief(dir)
	assert.ErrorContains(t, err, "line 1 is corrupt")
	_, err = ReadBrief(filepath.Join(dir, "none"))
	assert.ErrorContains(t, err, "is not a run folder")
}
