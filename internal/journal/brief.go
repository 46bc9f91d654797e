package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Brief is what a list of runs says of one.
type Brief struct {
	Header Header
	// End is nil for a run that has none, or goes on.
	End *End
}

// briefTail is how much of a journal's end holds its last record: an end is short.
const briefTail = 64 << 10

// ReadBrief reads the first record of the journal in dir and, if it is an end, the
// last. What is between them it neither reads nor checks.
func ReadBrief(dir string) (Brief, error) {
	var b Brief
	var err error
	if b.Header, err = readHeader(dir); err != nil {
		return b, err
	}
	f, err := os.Open(filepath.Join(dir, FileName))
	if err != nil {
		return b, notARun(dir, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return b, fmt.Errorf("size of the journal in %s: %w", dir, err)
	}
	tail := make([]byte, min(info.Size(), briefTail))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return b, fmt.Errorf("read the end of the journal in %s: %w", dir, err)
	}
	tail = bytes.TrimSuffix(tail, []byte("\n"))
	var e envelope
	if json.Unmarshal(tail[bytes.LastIndexByte(tail, '\n')+1:], &e) != nil || e.Type != "end" {
		return b, nil // a torn line, or another record: the run has no end yet
	}
	b.End = &End{}
	if err := strict(e.Data, b.End); err != nil {
		return b, fmt.Errorf("the end of the journal in %s: %w", dir, err)
	}
	return b, nil
}
