package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Scan reads the journal in dir line by line, in memory for a single record, and
// calls visit with the kind and the JSON of each, which is valid until visit
// returns. Checksums are checked as by Read. A torn or damaged last line is left out.
// Any other damaged line, and an error of visit, end the scan with an error that names the
// line.
func Scan(dir string, visit func(kind string, data []byte) error) error {
	_, err := scanDir(dir, visit)
	return err
}

// scanDir is Scan, and tells what was left out.
func scanDir(dir string, visit func(kind string, data []byte) error) (left torn, err error) {
	f, err := os.Open(filepath.Join(dir, FileName))
	if err != nil {
		return torn{}, notARun(dir, err)
	}
	defer f.Close()
	if _, left, err = scan(f, visit); err != nil {
		return torn{}, fmt.Errorf("journal in %s: %w", dir, err)
	}
	return left, nil
}

// torn is a last line that was left out: its number, from 1, and length.
type torn struct{ line, bytes int }

// scan visits every whole record and returns where a writer goes on, and what of the
// last line was left out.
func scan(r io.Reader, visit func(kind string, data []byte) error) (t tail, left torn, err error) {
	lines := bufio.NewReaderSize(r, 64<<10)
	var long []byte // a line that is longer than the reader's buffer
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = long[:0]
			for errors.Is(err, bufio.ErrBufferFull) {
				long = append(long, line...)
				line, err = lines.ReadSlice('\n')
			}
			long = append(long, line...)
			line = long
		}
		if errors.Is(err, io.EOF) {
			left = torn{n, len(line)}
			break
		}
		if err != nil {
			return tail{}, torn{}, fmt.Errorf("read line %d: %w", n, err)
		}
		sum, err := checked(n, line[:len(line)-1], t.chain, visit)
		if errors.As(err, new(damaged)) && n > 1 && last(lines) {
			// A whole line that nothing follows may have been torn too: by a disk that
			// keeps what was written late before what was written early.
			left = torn{n, len(line)}
			break
		}
		if err != nil {
			return tail{}, torn{}, err
		}
		t = tail{t.size + int64(len(line)), sum}
	}
	if t.size == 0 {
		return tail{}, torn{}, errors.New("it has no whole header: the run died as it began and measured nothing; remove the folder")
	}
	return t, left, nil
}

// damaged is about a line that is not what was written there.
type damaged struct{ error }

// last tells that nothing follows.
func last(lines *bufio.Reader) bool {
	_, err := lines.Peek(1)
	return errors.Is(err, io.EOF)
}

// checked makes sure of one line and has it visited. It returns its sum.
func checked(n int, line []byte, chain string, visit func(kind string, data []byte) error) (string, error) {
	e, ok := asWritten(line)
	if !ok {
		if err := strict(line, &e); err != nil {
			return "", damaged{fmt.Errorf("line %d is corrupt: %w", n, err)}
		}
	}
	if e.V > version {
		return "", fmt.Errorf("line %d has format version %d, this cniperf reads %d: it was written by a newer cniperf, read it with that", n, e.V, version)
	}
	if want := e.sum(chain); e.Sum != want || e.V < 1 {
		return "", damaged{fmt.Errorf("line %d is corrupt, or one before it is missing: checksum %q, want %q", n, e.Sum, want)}
	}
	if (n == 1) != (e.Type == "header") {
		return "", damaged{fmt.Errorf("line %d is a %q: the header must be the first line and only there", n, e.Type)}
	}
	if err := visit(e.Type, e.Data); err != nil {
		return "", fmt.Errorf("line %d: %w", n, err)
	}
	return e.Sum, nil
}

// asWritten takes a line apart that has the very form in which Append writes it,
// without looking at its data: several times as fast as decoding it.
func asWritten(line []byte) (envelope, bool) {
	const end = `,"sum":"0123456789abcdef"}`
	e := envelope{V: version}
	rest, ok := bytes.CutPrefix(line, []byte(`{"v":1,"type":"`))
	if !ok || len(rest) < len(end) {
		return e, false
	}
	rest, tail := rest[:len(rest)-len(end)], rest[len(rest)-len(end):]
	kind, rest, inKind := bytes.Cut(rest, []byte(`","time":"`))
	at, data, inTime := bytes.Cut(rest, []byte(`","data":`))
	sum, hasSum := bytes.CutPrefix(tail, []byte(`,"sum":"`))
	sum, ends := bytes.CutSuffix(sum, []byte(`"}`))
	if !inKind || !inTime || !hasSum || !ends {
		return e, false
	}
	for _, text := range [][]byte{kind, at, sum} {
		if bytes.ContainsAny(text, `"\`) {
			return e, false
		}
	}
	e.Type, e.Time, e.Data, e.Sum = string(kind), string(at), data, string(sum)
	return e, true
}
