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
	"strconv"
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
	for _, part := range []string{previous, strconv.Itoa(e.V), e.Type, e.Time} {
		io.WriteString(h, part) // a hash never fails
		h.Write([]byte{'\n'})
	}
	h.Write(e.Data)
	var whole [sha256.Size]byte
	return hex.EncodeToString(h.Sum(whole[:0])[:8])
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

// Read reads the journal in dir. A torn or damaged last line is left out with a warning;
// any other damage is an error that names the line.
func Read(dir string) (*Run, error) {
	run := &Run{Dir: dir}
	left, err := scanDir(dir, func(kind string, data []byte) error { return run.add(kind, data, nil) })
	if err != nil {
		return nil, err
	}
	run.warn(left)
	return run, nil
}

// warn says what was left out of the last line.
func (r *Run) warn(left torn) {
	if left.bytes > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("journal line %d, the last, is torn or out of order: %d bytes of it were left out", left.line, left.bytes))
	}
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

// decode reads what a run that goes on looks at: samples as of ReadValues, with the
// disturbance of those whose round is not closed.
func decode(r io.Reader) (*Run, tail, error) {
	run, samples := &Run{}, newSampleReader(true)
	t, left, err := scan(r, func(kind string, data []byte) error {
		if err := run.add(kind, data, samples); err != nil || kind != "round" {
			return err
		}
		run.forget(run.Rounds[len(run.Rounds)-1])
		return nil
	})
	if err != nil {
		return nil, tail{}, err
	}
	run.warn(left)
	return run, t, nil
}

// forget drops the disturbance of a closed round's samples, which are the last ones.
func (r *Run) forget(closed Round) {
	for i := len(r.Samples) - 1; i >= 0 && r.Samples[i].in(closed.attempt()); i-- {
		r.Samples[i].Disturbance = nil
	}
}

// add takes one record. Samples are decoded whole where samples is nil.
func (r *Run) add(kind string, data []byte, samples *sampleReader) error {
	r.End = nil // whatever follows an end continues the run
	switch kind {
	case "header":
		return strict(data, &r.Header)
	case "stage":
		return appendTo(&r.Stages, data)
	case "fact":
		return appendTo(&r.Facts, data)
	case "fingerprint":
		return appendTo(&r.Prints, data)
	case "resume":
		if err := appendTo(&r.Resumes, data); err != nil {
			return err
		}
		r.Warnings = append(r.Warnings, r.Resumes[len(r.Resumes)-1].Warnings...)
		return nil
	case "attempt":
		return appendTo(&r.Attempts, data)
	case "sample":
		if samples == nil {
			return appendTo(&r.Samples, data)
		}
		s, err := samples.read(data)
		r.Samples = append(r.Samples, s)
		return err
	case "round":
		return appendTo(&r.Rounds, data)
	case "skip":
		return appendTo(&r.Skips, data)
	case "verdict":
		return appendTo(&r.Verdicts, data)
	case "end":
		r.End = &End{}
		return strict(data, r.End)
	}
	return fmt.Errorf("unknown record type %q", kind)
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
