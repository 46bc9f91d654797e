package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
)

const comparison = "sockperf-latency/pod-ip/cross-node"

func header() Header {
	return Header{
		RunID: "r1", Seed: math.MaxUint64, Profile: "quick", Plan: []byte(`{"rounds":8}`), PlanHash: "abc",
		Fingerprint: map[string]string{"kernel": "6.18"}, Started: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), Version: "v0",
	}
}

func cell(arm string) measure.Cell {
	return measure.Cell{Arm: arm, Path: "pod-ip", Placement: "cross-node", Benchmark: "sockperf-latency"}
}

func sample(phase string, round, attempt int, arm string, latency float64) Sample {
	return Sample{
		Comparison: comparison, Phase: phase, Round: round, Attempt: attempt, Cell: cell(arm),
		Values: measure.Values{{Metric: measure.Latency, Value: latency}},
	}
}

func round(phase string, index int, valid bool) Round {
	return Round{Comparison: comparison, Phase: phase, Round: index, Valid: valid}
}

// create begins a journal in a new folder and appends the records.
func create(t *testing.T, records ...any) (string, *Writer) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, header())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	for _, r := range records {
		require.NoError(t, w.Append(r))
	}
	return dir, w
}

func contents(t *testing.T, dir string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	require.NoError(t, err)
	return data
}

func overwrite(t *testing.T, dir string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, FileName), data, 0o644))
}

func TestEveryRecordComesBack(t *testing.T) {
	s := sample(PhaseFull, 1, 1, "macvlan", 11.5)
	s.Command, s.Checks, s.ClientCPU, s.Duration = []string{"sockperf", "<&>\u2028"}, []Check{{"bytes moved on eth0", "41 MB", true}}, 1, 2*time.Second
	stage := Stage{Name: "lab", Duration: time.Minute, Error: "none left"}
	fact := Fact{"ebpf", "cilium", "no kube-proxy", "KPR True"}
	rd := Round{Comparison: comparison, Phase: PhaseFull, Round: 1, Cause: "pod killed", Disturbance: map[string]float64{"steal": 0.5}, Disturbed: true}
	skip := Skip{Cell: cell("cilium"), Comparison: comparison, Phase: PhaseFirst, Why: &record.Reason{Code: record.ClusterLost, Cluster: "ebpf"}}
	verdict := Verdict{comparison, PhaseFull, "macvlan-faster-than-calico", "pass", "macvlan is faster", true, []byte(`{"n":8}`)}
	end := End{"pass", 0, "", time.Hour}
	print := Fingerprint{"ebpf", "", map[string]string{"kubernetes": "v1.34.4"}}
	attempt := Attempt{comparison, PhaseFull, 1, 1, []measure.Cell{cell("macvlan"), cell("node")}}
	resume := Resume{time.Date(2025, 1, 2, 4, 0, 0, 0, time.UTC), []string{"go", "test"}, []string{"a torn line"}}
	dir, _ := create(t, stage, &fact, print, attempt, s, rd, skip, resume, verdict, end)

	run, err := Read(dir)
	require.NoError(t, err)
	assert.Equal(t, &Run{
		Dir: dir, Header: header(), Stages: []Stage{stage}, Facts: []Fact{fact}, Prints: []Fingerprint{print},
		Attempts: []Attempt{attempt}, Resumes: []Resume{resume}, Warnings: resume.Warnings, Samples: []Sample{s}, Rounds: []Round{rd},
		Skips: []Skip{skip}, Verdicts: []Verdict{verdict}, End: &end,
	}, run)
	assert.Equal(t, []string{comparison}, run.Comparisons())
}

func TestCreateRefuses(t *testing.T) {
	t.Run("an existing journal", func(t *testing.T) {
		dir, _ := create(t)
		before := contents(t, dir)
		_, err := Create(dir, header())
		assert.ErrorContains(t, err, "already holds a run")
		assert.Equal(t, before, contents(t, dir))
	})
	t.Run("a folder that can't be made", func(t *testing.T) {
		f := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(f, nil, 0o600))
		_, err := Create(filepath.Join(f, "run"), header())
		assert.ErrorContains(t, err, "choose another")
	})
	t.Run("a header that can't be written, leaving nothing", func(t *testing.T) {
		dir, h := t.TempDir(), header()
		h.Plan = []byte("{")
		_, err := Create(dir, h)
		require.Error(t, err)
		assert.NoFileExists(t, filepath.Join(dir, FileName))
	})
}

func TestAppendRefuses(t *testing.T) {
	dir, w := create(t)
	before := contents(t, dir)
	assert.ErrorContains(t, w.Append("text"), "no journal record")
	assert.ErrorContains(t, w.Append((*Stage)(nil)), "null")
	assert.ErrorContains(t, w.Append(header()), "once")
	assert.ErrorContains(t, w.Append(sample(PhaseFull, 1, 1, "node", math.NaN())), "NaN")
	assert.Equal(t, before, contents(t, dir))
}

func TestOneWriterAtATime(t *testing.T) {
	dir, w := create(t)
	_, _, err := Open(dir)
	assert.ErrorIs(t, err, ErrBusy)
	require.NoError(t, w.Close())
	assert.Error(t, w.Append(Stage{}))
	second, _, err := Open(dir)
	require.NoError(t, err)
	assert.NoError(t, second.Close())
}

// Wherever a crash cuts the file, all records before the cut are read, and a
// resumed writer goes on from there.
func TestTornLastLine(t *testing.T) {
	dir, w := create(t, Stage{Name: "one"}, Stage{Name: "two"})
	require.NoError(t, w.Close())
	whole := contents(t, dir)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	start := len(lines[0]) + len(lines[1])
	for cut := start; cut < len(whole); cut++ {
		overwrite(t, dir, whole[:cut])
		run, err := Read(dir)
		require.NoError(t, err, cut)
		require.Equal(t, []Stage{{Name: "one"}}, run.Stages)
		if cut == start {
			require.Empty(t, run.Warnings)
		} else {
			require.Len(t, run.Warnings, 1)
			require.Contains(t, run.Warnings[0], fmt.Sprintf("line 3, the last, is torn or out of order: %d bytes", cut-start))
		}

		w, resumed, err := Open(dir)
		require.NoError(t, err)
		require.Equal(t, run, resumed)
		require.NoError(t, w.Append(Stage{Name: "again"}))
		require.NoError(t, w.Close())
		run, err = Read(dir)
		require.NoError(t, err)
		require.Equal(t, []Stage{{Name: "one"}, {Name: "again"}}, run.Stages)
		require.Empty(t, run.Warnings)
	}
	overwrite(t, dir, lines[0][:10])
	_, err := Read(dir)
	assert.ErrorContains(t, err, "measured nothing")
}

// What nothing follows may be damaged although it ends its line: it is left out and
// said, and a resumed run writes over it.
func TestADamagedLastRecordIsSkippedAndSaid(t *testing.T) {
	dir, w := create(t, Stage{Name: "one"}, Stage{Name: "two"})
	require.NoError(t, w.Close())
	whole := contents(t, dir)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	one := append(bytes.Clone(lines[0]), lines[1]...)
	for name, last := range map[string][]byte{
		"altered":             bytes.Replace(lines[2], []byte(`"two"`), []byte(`"owt"`), 1),
		"of zeros":            append(make([]byte, len(lines[2])-1), '\n'),
		"an older one again":  lines[1],
		"half of it, ended":   append(bytes.Clone(lines[2][:40]), '\n'),
		"half of it":          lines[2][:40],
		"whole but not ended": lines[2][:len(lines[2])-1],
		"foreign":             []byte("oops\n"),
		"empty":               []byte("\n"),
		"a second header":     lines[0],
	} {
		t.Run(name, func(t *testing.T) {
			overwrite(t, dir, append(bytes.Clone(one), last...))
			run, err := Read(dir)
			require.NoError(t, err)
			assert.Equal(t, []Stage{{Name: "one"}}, run.Stages)
			assert.Equal(t, []string{fmt.Sprintf("journal line 3, the last, is torn or out of order: %d bytes of it were left out", len(last))}, run.Warnings)
			w, _, err := Open(dir)
			require.NoError(t, err)
			require.NoError(t, w.Append(Stage{Name: "again"}))
			require.NoError(t, w.Close())
			run, err = Read(dir)
			require.NoError(t, err)
			assert.Equal(t, []Stage{{Name: "one"}, {Name: "again"}}, run.Stages)
			assert.Empty(t, run.Warnings)
		})
	}
}

func TestDamageIsNamed(t *testing.T) {
	dir, w := create(t, Stage{Name: "one"}, Stage{Name: "two"}, Stage{Name: "three"})
	require.NoError(t, w.Close())
	whole := contents(t, dir)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	join := func(lines ...[]byte) []byte { return bytes.Join(lines, nil) }
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"altered value":  {bytes.Replace(whole, []byte(`"two"`), []byte(`"owt"`), 1), "line 3 is corrupt"},
		"altered time":   {bytes.Replace(whole, []byte(`"time":"20`), []byte(`"time":"19`), 1), "line 1 is corrupt"},
		"lost line":      {join(lines[0], lines[2], lines[3]), "line 2 is corrupt, or one before it is missing"},
		"swapped lines":  {join(lines[0], lines[2], lines[1], lines[3]), "line 2 is corrupt"},
		"repeated line":  {join(lines[0], lines[1], lines[1], lines[2]), "line 3 is corrupt"},
		"foreign text":   {join(lines[0], []byte("oops\n"), lines[1]), "line 2 is corrupt"},
		"empty line":     {join(lines[0], []byte("\n"), lines[1]), "line 2 is corrupt"},
		"newer version":  {bytes.Replace(whole, []byte(`{"v":1`), []byte(`{"v":2`), 1), "format version 2"},
		"newer last":     {join(lines[0], lines[1], bytes.Replace(lines[2], []byte(`{"v":1`), []byte(`{"v":2`), 1)), "it was written by a newer cniperf"},
		"no header":      {join(lines[1:]...), "line 1"},
		"an empty file":  {nil, "measured nothing"},
		"unknown fields": {bytes.Replace(whole, []byte(`{"v":1`), []byte(`{"w":0,"v":1`), 1), `unknown field "w"`},
	} {
		t.Run(name, func(t *testing.T) {
			overwrite(t, dir, c.data)
			_, err := Read(dir)
			require.ErrorContains(t, err, c.want)
			_, _, err = Open(dir)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, len(c.data), len(contents(t, dir)), "Open must not touch a damaged journal")
		})
	}
	_, err := Read(t.TempDir())
	assert.ErrorContains(t, err, "is not a run folder")
}

// An orderly end that was resumed and then died is no end.
func TestEndIsTheLastWord(t *testing.T) {
	dir, _ := create(t, End{Outcome: "interrupted", ExitCode: 130}, Stage{Name: "resumed"})
	run, err := Read(dir)
	require.NoError(t, err)
	assert.Nil(t, run.End)
}

// fullDisk takes no more than room bytes, and half of what doesn't fit.
type fullDisk struct {
	file
	room            int
	noTruncate      bool
	failSync        bool
	truncated, sync int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) <= d.room {
		d.room -= len(p)
		return d.file.Write(p)
	}
	n, _ := d.file.Write(p[:len(p)/2])
	return n, errors.New("no space left on device")
}

func (d *fullDisk) Truncate(size int64) error {
	d.truncated++
	if d.noTruncate {
		return errors.New("input/output error")
	}
	return d.file.Truncate(size)
}

func (d *fullDisk) Sync() error {
	d.sync++
	if d.failSync {
		return errors.New("input/output error")
	}
	return d.file.Sync()
}

func TestFullDisk(t *testing.T) {
	dir, w := create(t, Stage{Name: "before"})
	disk := &fullDisk{file: w.file}
	w.file = disk
	require.ErrorContains(t, w.Append(Stage{Name: "lost"}), "no space left")
	disk.room = 1 << 20
	require.NoError(t, w.Append(Stage{Name: "after"}))
	run, err := Read(dir)
	require.NoError(t, err)
	assert.Equal(t, []Stage{{Name: "before"}, {Name: "after"}}, run.Stages)
	assert.Empty(t, run.Warnings)

	disk.room, disk.noTruncate = 0, true
	require.Error(t, w.Append(Stage{Name: "lost"}))
	disk.room = 1 << 20
	require.ErrorContains(t, w.Append(Stage{Name: "never behind half a line"}), "is closed after")
	run, err = Read(dir)
	require.NoError(t, err)
	assert.Len(t, run.Stages, 2)
	assert.Len(t, run.Warnings, 1)
	w.broken = nil // the clean-up's Close is not what is tested
}

func TestFailedFlushIsFinal(t *testing.T) {
	_, w := create(t)
	disk := &fullDisk{file: w.file, room: 1 << 20, failSync: true}
	w.file = disk
	require.ErrorContains(t, w.Append(Stage{}), "input/output error")
	disk.failSync = false
	require.ErrorContains(t, w.Append(Stage{}), "is closed after")
	assert.Equal(t, 1, disk.sync)
	w.broken = nil
}

func TestRaw(t *testing.T) {
	dir, w := create(t)
	sha, err := w.StoreRaw([]byte("output"))
	require.NoError(t, err)
	again, err := w.StoreRaw([]byte("output"))
	require.NoError(t, err)
	assert.Equal(t, sha, again)
	raw, err := Raw(dir, sha)
	require.NoError(t, err)
	assert.Equal(t, "output", string(raw))

	require.NoError(t, os.WriteFile(rawPath(dir, sha), []byte("Output"), 0o600))
	_, err = Raw(dir, sha)
	assert.ErrorContains(t, err, "was altered")
	_, err = Raw(dir, strings.Repeat("0", 64))
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = Raw(dir, "../"+FileName)
	assert.ErrorContains(t, err, "not a SHA-256")

	stale := filepath.Join(dir, rawDir, ".tmp-1")
	require.NoError(t, os.WriteFile(stale, nil, 0o600))
	require.NoError(t, w.Close())
	w2, _, err := Open(dir)
	require.NoError(t, err)
	defer w2.Close()
	assert.NoFileExists(t, stale)
}

func TestConcurrentUse(t *testing.T) {
	dir, w := create(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			sha, err := w.StoreRaw([]byte{byte(i / 2)})
			assert.NoError(t, err)
			assert.NoError(t, w.Append(Sample{Raw: sha}))
		})
	}
	wg.Wait()
	run, err := Read(dir)
	require.NoError(t, err)
	assert.Len(t, run.Samples, 8)
}

func TestValidRounds(t *testing.T) {
	run := &Run{
		Samples: []Sample{
			sample(PhaseFirst, 1, 1, "node", 1), sample(PhaseFirst, 1, 1, "macvlan", 2),
			// Round 1 died and was begun again under the same attempt.
			sample(PhaseFull, 1, 1, "node", 10),
			sample(PhaseFull, 1, 1, "macvlan", 20), sample(PhaseFull, 1, 1, "node", 11),
			// Round 2's first attempt lost a sample; its second is whole.
			sample(PhaseFull, 2, 1, "macvlan", 21), {Comparison: comparison, Phase: PhaseFull, Round: 2, Attempt: 1, Cell: cell("node"), Invalid: "pod killed"},
			sample(PhaseFull, 2, 2, "node", 12), sample(PhaseFull, 2, 2, "macvlan", 22),
			// Round 3 is called valid but lacks a cell, round 4 was dropped, round 5 never closed.
			sample(PhaseFull, 3, 1, "node", 13),
			sample(PhaseFull, 4, 1, "node", 14), sample(PhaseFull, 4, 1, "macvlan", 24),
			sample(PhaseFull, 5, 1, "node", 15), sample(PhaseFull, 5, 1, "macvlan", 25),
			sample(PhaseFull, 1, 1, "calico", 30), // left out from round 2 on
		},
		Rounds: []Round{
			round(PhaseFirst, 1, true),
			round(PhaseFull, 2, false), round(PhaseFull, 2, true), round(PhaseFull, 1, true), round(PhaseFull, 3, true), round(PhaseFull, 4, false),
		},
		Skips: []Skip{{Cell: cell("calico"), Comparison: comparison, Reason: "quota"}, {Cell: cell("macvlan"), Comparison: comparison, Phase: "other", Reason: "not in this phase"}},
	}
	full := []measure.Round{
		{Index: 1, Values: map[measure.Cell]measure.Values{cell("node"): {{Metric: measure.Latency, Value: 11}}, cell("macvlan"): {{Metric: measure.Latency, Value: 20}},
			cell("calico"): {{Metric: measure.Latency, Value: 30}}}},
		{Index: 2, Values: map[measure.Cell]measure.Values{cell("node"): {{Metric: measure.Latency, Value: 12}}, cell("macvlan"): {{Metric: measure.Latency, Value: 22}}}},
	}
	assert.Equal(t, PhaseFull, run.Phase(comparison))
	assert.Equal(t, full, run.ValidRounds(comparison))
	assert.Len(t, run.ValidRoundsIn(comparison, PhaseFirst), 1)

	run.Rounds[3].Disturbed, run.Rounds[3].Kept = true, true
	assert.True(t, run.ValidRounds(comparison)[0].Disturbed, "beyond the rule, and kept")
	run.Rounds[2].Disturbed = true
	assert.False(t, run.ValidRounds(comparison)[1].Disturbed, "only marked")

	run.Rounds = run.Rounds[:1]
	assert.Equal(t, PhaseFirst, run.Phase(comparison), "the first phase stands until the full one has a round")
	assert.Empty(t, run.ValidRounds("unknown"))
}

// FuzzRead: damage gives an error or a run, never both; what is read is a
// prefix of whole lines, and reading that prefix again gives the same run.
func FuzzRead(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "run")
	w, err := Create(dir, header())
	require.NoError(f, err)
	require.NoError(f, w.Append(sample(PhaseFull, 1, 1, "node", 1)))
	require.NoError(f, w.Append(End{Outcome: "pass"}))
	require.NoError(f, w.Close())
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	require.NoError(f, err)
	f.Add(data)
	f.Add(data[:len(data)-5])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, at, err := decode(bytes.NewReader(data))
		require.NotEqual(t, run == nil, err == nil)
		if err != nil {
			return
		}
		again, end, err := decode(bytes.NewReader(data[:at.size]))
		require.NoError(t, err)
		require.Equal(t, at, end)
		require.Empty(t, again.Warnings)
		require.Equal(t, at.size < int64(len(data)), len(run.Warnings) == 1)
		run.Warnings = nil
		require.Equal(t, run, again)
		for _, c := range run.Comparisons() {
			run.ValidRounds(c)
			run.Blocks(c, PhaseFull)
		}
	})
}
