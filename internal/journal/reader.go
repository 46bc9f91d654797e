package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
)

// version is the format that this package writes and the newest it reads.
const version = 1

// envelope is one line of the journal. Its sum covers the sum of the line
// before, so that a line that was lost, moved or altered is noticed.
type envelope struct {
	V    int             `json:"v"`
	Type string          `json:"type"`
	Time string          `json:"time"`
	Data json.RawMessage `json:"data"`
	Sum  string          `json:"sum"`
}

// sum is the first 16 hex digits of the SHA-256 over the previous line's sum
// and the line's type, time and data, joined by newlines.
func (e envelope) sum(previous string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%s\n%s\n%s", previous, e.V, e.Type, e.Time, e.Data)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func kindOf(record any) (string, error) {
	switch record.(type) {
	case Header, *Header:
		return "header", nil
	case Stage, *Stage:
		return "stage", nil
	case Fact, *Fact:
		return "fact", nil
	case Fingerprint, *Fingerprint:
		return "fingerprint", nil
	case Resume, *Resume:
		return "resume", nil
	case Attempt, *Attempt:
		return "attempt", nil
	case Sample, *Sample:
		return "sample", nil
	case Round, *Round:
		return "round", nil
	case Skip, *Skip:
		return "skip", nil
	case Verdict, *Verdict:
		return "verdict", nil
	case End, *End:
		return "end", nil
	}
	return "", fmt.Errorf("%T is no journal record", record)
}

// Run is what a journal holds, in the order it was written.
type Run struct {
	Dir      string
	Header   Header
	Stages   []Stage
	Facts    []Fact
	Prints   []Fingerprint
	Resumes  []Resume
	Attempts []Attempt
	Samples  []Sample
	Rounds   []Round
	Skips    []Skip
	Verdicts []Verdict
	// End is nil for a run that didn't end in an orderly way, or goes on.
	End *End
	// Warnings say what was left out of the run and why.
	Warnings []string
}

// Read reads the journal in dir. A torn last line is left out with a warning;
// any other damage is an error that names the line.
func Read(dir string) (*Run, error) {
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		return nil, notARun(dir, err)
	}
	run, _, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("journal in %s: %w", dir, err)
	}
	run.Dir = dir
	return run, nil
}

func notARun(dir string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is not a run folder, it has no %s: %w", dir, FileName, err)
	}
	return fmt.Errorf("open journal in %s: %w", dir, err)
}

// Raw returns the raw output of that SHA-256 from the run in dir, after making
// sure that it is still the same.
func Raw(dir, sha string) ([]byte, error) {
	if b, err := hex.DecodeString(sha); err != nil || len(b) != sha256.Size {
		return nil, fmt.Errorf("raw output %q: not a SHA-256", sha)
	}
	raw, err := os.ReadFile(rawPath(dir, sha))
	if err != nil {
		return nil, fmt.Errorf("raw output of run %s: %w", dir, err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != sha {
		return nil, fmt.Errorf("raw output %s of run %s was altered: its hash is %x", sha, dir, sum)
	}
	return raw, nil
}

func rawPath(dir, sha string) string { return filepath.Join(dir, rawDir, sha) }

// tail is where a writer goes on: after the last whole record.
type tail struct {
	size  int64
	chain string
}

func decode(data []byte) (*Run, tail, error) {
	run := &Run{}
	var t tail
	n := 0
	for len(data) > 0 {
		n++
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		if !whole {
			run.Warnings = append(run.Warnings, fmt.Sprintf("journal line %d, the last, is torn: %d bytes of it were left out", n, len(line)))
			break
		}
		var e envelope
		if err := strict(line, &e); err != nil {
			return nil, tail{}, fmt.Errorf("line %d is corrupt: %w", n, err)
		}
		if e.V != version {
			return nil, tail{}, fmt.Errorf("line %d has format version %d, this cniperf reads %d", n, e.V, version)
		}
		if want := e.sum(t.chain); e.Sum != want {
			return nil, tail{}, fmt.Errorf("line %d is corrupt, or one before it is missing: checksum %q, want %q", n, e.Sum, want)
		}
		if (n == 1) != (e.Type == "header") {
			return nil, tail{}, fmt.Errorf("line %d is a %q: the header must be the first line and only there", n, e.Type)
		}
		if err := run.add(e); err != nil {
			return nil, tail{}, fmt.Errorf("line %d: %w", n, err)
		}
		t = tail{t.size + int64(len(line)) + 1, e.Sum}
		data = rest
	}
	if t.size == 0 {
		return nil, tail{}, errors.New("it has no whole header: the run died as it began and measured nothing; remove the folder")
	}
	return run, t, nil
}

func (r *Run) add(e envelope) error {
	r.End = nil // whatever follows an end continues the run
	switch e.Type {
	case "header":
		return strict(e.Data, &r.Header)
	case "stage":
		return appendTo(&r.Stages, e.Data)
	case "fact":
		return appendTo(&r.Facts, e.Data)
	case "fingerprint":
		return appendTo(&r.Prints, e.Data)
	case "resume":
		if err := appendTo(&r.Resumes, e.Data); err != nil {
			return err
		}
		r.Warnings = append(r.Warnings, r.Resumes[len(r.Resumes)-1].Warnings...)
		return nil
	case "attempt":
		return appendTo(&r.Attempts, e.Data)
	case "sample":
		return appendTo(&r.Samples, e.Data)
	case "round":
		return appendTo(&r.Rounds, e.Data)
	case "skip":
		return appendTo(&r.Skips, e.Data)
	case "verdict":
		return appendTo(&r.Verdicts, e.Data)
	case "end":
		r.End = &End{}
		return strict(e.Data, r.End)
	}
	return fmt.Errorf("unknown record type %q", e.Type)
}

func appendTo[T any](list *[]T, data []byte) error {
	var record T
	if err := strict(data, &record); err != nil {
		return err
	}
	*list = append(*list, record)
	return nil
}

// strict decodes one JSON object without unknown fields and without a tail.
func strict(data []byte, into any) error {
	if !bytes.HasPrefix(data, []byte("{")) {
		return errors.New("not a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the JSON object")
	}
	return nil
}

// Comparisons lists the comparisons in the order in which the journal first
// names them.
func (r *Run) Comparisons() []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, s := range r.Samples {
		add(s.Comparison)
	}
	for _, rd := range r.Rounds {
		add(rd.Comparison)
	}
	for _, s := range r.Skips {
		add(s.Comparison)
	}
	for _, v := range r.Verdicts {
		add(v.Comparison)
	}
	return names
}

// Phase is the phase that a comparison's results come from: full as soon as
// that has a valid round, or if there is no other; else first.
func (r *Run) Phase(comparison string) string {
	if len(r.ValidRoundsIn(comparison, PhaseFull)) == 0 && len(r.ValidRoundsIn(comparison, PhaseFirst)) > 0 {
		return PhaseFirst
	}
	return PhaseFull
}

// ValidRounds returns a comparison's rounds that count, by index, of the phase
// that Phase names.
func (r *Run) ValidRounds(comparison string) []measure.Round {
	return r.ValidRoundsIn(comparison, r.Phase(comparison))
}

// ValidRoundsIn is ValidRounds of one phase. A round counts when the last word
// about it is valid and its latest attempt has a valid sample of every cell
// that the phase measures and doesn't skip. What a round measured of a cell before
// that one was skipped stays in it.
func (r *Run) ValidRoundsIn(comparison, phase string) []measure.Round {
	wanted, attempts := r.wanted(comparison, phase)
	values := map[int]map[measure.Cell]measure.Values{}
	for _, s := range r.Samples {
		if s.Comparison != comparison || s.Phase != phase || s.Attempt != attempts[s.Round] {
			continue
		}
		if values[s.Round] == nil {
			values[s.Round] = map[measure.Cell]measure.Values{}
		}
		// A round begun again after a crash may repeat a cell: the last counts.
		delete(values[s.Round], s.Cell)
		if s.Invalid == "" {
			values[s.Round][s.Cell] = s.Values
		}
	}
	valid, kept := map[int]bool{}, map[int]bool{}
	for _, rd := range r.Rounds {
		if rd.Comparison == comparison && rd.Phase == phase {
			valid[rd.Round], kept[rd.Round] = rd.Valid, rd.Kept
		}
	}
	var rounds []measure.Round
	for index, ok := range valid {
		if ok && len(wanted) > 0 && holds(values[index], wanted) {
			rounds = append(rounds, measure.Round{Index: index, Values: values[index], Disturbed: kept[index]})
		}
	}
	slices.SortFunc(rounds, func(a, b measure.Round) int { return a.Index - b.Index })
	return rounds
}

// wanted are the cells that each round of the phase needs, and the latest attempt
// at each round.
func (r *Run) wanted(comparison, phase string) (map[measure.Cell]bool, map[int]int) {
	cells, attempts := map[measure.Cell]bool{}, map[int]int{}
	for _, s := range r.Samples {
		if s.Comparison == comparison && s.Phase == phase {
			cells[s.Cell] = true
			attempts[s.Round] = max(attempts[s.Round], s.Attempt)
		}
	}
	for _, s := range r.Skips {
		if s.Comparison == comparison && (s.Phase == "" || s.Phase == phase) {
			delete(cells, s.Cell)
		}
	}
	return cells, attempts
}

func holds(values map[measure.Cell]measure.Values, cells map[measure.Cell]bool) bool {
	for cell := range cells {
		if _, ok := values[cell]; !ok {
			return false
		}
	}
	return true
}
