package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// FileName is the journal's name in a run folder.
const FileName = "journal.jsonl"

// MinFree is the space in bytes that a run folder's disk must have left.
const MinFree = 64 << 20

const rawDir = "raw"

// ErrBusy is returned by Open when another process is writing the journal.
var ErrBusy = errors.New("another process is writing this journal")

// file is what the writer needs of an *os.File; tests put a full disk there.
type file interface {
	io.WriteCloser
	Truncate(size int64) error
	Sync() error
}

// Writer appends to a journal. It is safe for concurrent use.
type Writer struct {
	dir string

	mu     sync.Mutex
	file   file
	size   int64  // bytes of whole records
	chain  string // sum of the last record
	broken error  // why nothing more can be written
}

// Create begins a journal in dir, which is made if need be. It refuses a folder
// that already holds a journal, can't be written, or has less than MinFree left.
func Create(dir string, h Header) (*Writer, error) {
	if err := os.MkdirAll(filepath.Join(dir, rawDir), 0o755); err != nil {
		return nil, fmt.Errorf("run folder %s can't be made; choose another: %w", dir, err)
	}
	if err := room(dir); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, FileName), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("run folder %s already holds a run: resume it or choose another folder: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("run folder %s can't be written; choose another: %w", dir, err)
	}
	w := &Writer{dir: dir, file: f}
	err = lock(f)
	if err == nil {
		err = w.Append(h)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		// Nothing was measured yet: leave no half-made journal in the way.
		return nil, errors.Join(fmt.Errorf("begin journal in %s: %w", dir, err), f.Close(), os.Remove(f.Name()))
	}
	return w, nil
}

func room(dir string) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("free space of run folder %s: %w", dir, err)
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < MinFree {
		return fmt.Errorf("run folder %s has %d MiB free, a run needs %d MiB: make room or choose another folder", dir, free>>20, MinFree>>20)
	}
	return nil
}

// Open continues the journal in dir, whose disk must have MinFree left, and returns what it holds. A torn last line
// is cut off and Run.Warnings says so.
func Open(dir string) (*Writer, *Run, error) {
	f, err := os.OpenFile(filepath.Join(dir, FileName), os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, nil, notARun(dir, err)
	}
	if err := room(dir); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	w, run, err := open(dir, f)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return w, run, nil
}

func open(dir string, f *os.File) (*Writer, *Run, error) {
	if err := lock(f); err != nil {
		return nil, nil, fmt.Errorf("resume %s: %w", dir, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("size of the journal in %s: %w", dir, err)
	}
	run, state, err := decode(f, info.Size())
	if err != nil {
		return nil, nil, fmt.Errorf("journal in %s: %w", dir, err)
	}
	run.Dir = dir
	w := &Writer{dir: dir, file: f, size: state.size, chain: state.chain}
	if state.size < info.Size() {
		if err := f.Truncate(state.size); err != nil {
			return nil, nil, fmt.Errorf("cut the torn last line off the journal in %s: %w", dir, err)
		}
	}
	// What an interrupted StoreRaw left; the lock makes sure that nobody is at it now.
	stale, err := filepath.Glob(filepath.Join(dir, rawDir, ".tmp-*"))
	if err != nil {
		return nil, nil, fmt.Errorf("left-over raw outputs in %s: %w", dir, err)
	}
	for _, name := range stale {
		if err := os.Remove(name); err != nil {
			return nil, nil, fmt.Errorf("remove left-over raw output: %w", err)
		}
	}
	return w, run, nil
}

// lock keeps a second process off the journal for as long as f is open.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrBusy
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}

// Append writes one record, or what a pointer to one points to, and returns once it is on disk. After an error the
// journal still ends in its last whole record.
func (w *Writer) Append(record any) error {
	kind, err := kindOf(record)
	if err != nil {
		return err
	}
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("journal a %s: %w", kind, err)
	}
	if data[0] != '{' {
		return fmt.Errorf("journal a %s: it is %s", kind, data)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if (kind == "header") != (w.size == 0) {
		return fmt.Errorf("journal a %s: the header comes first and once", kind)
	}
	if w.broken != nil {
		return fmt.Errorf("journal a %s: journal in %s is closed after: %w", kind, w.dir, w.broken)
	}
	line, sum, err := encode(kind, data, w.chain)
	if err != nil {
		return err
	}
	if _, err := w.file.Write(line); err != nil {
		err = fmt.Errorf("journal a %s in %s: %w", kind, w.dir, err)
		// Half a line must not stay in front of the next record.
		if cut := w.file.Truncate(w.size); cut != nil {
			w.broken = errors.Join(err, cut)
		}
		return err
	}
	w.size += int64(len(line))
	w.chain = sum
	return w.sync()
}

// encode makes the line of a record that follows the one whose sum is chain, and
// the record's own sum.
func encode(kind string, data []byte, chain string) ([]byte, string, error) {
	e := envelope{V: version, Type: kind, Time: time.Now().UTC().Format(time.RFC3339Nano), Data: data}
	e.Sum = e.sum(chain)
	line, err := json.Marshal(e)
	if err != nil {
		return nil, "", fmt.Errorf("journal a %s: %w", kind, err)
	}
	return append(line, '\n'), e.Sum, nil
}

// Encode writes the lines of a journal that holds the records, the header first:
// a run made up for a test, without a disk to wait for.
func Encode(w io.Writer, records ...any) error {
	chain := ""
	for _, r := range records {
		kind, err := kindOf(r)
		if err != nil {
			return err
		}
		data, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("journal a %s: %w", kind, err)
		}
		line, sum, err := encode(kind, data, chain)
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("journal a %s: %w", kind, err)
		}
		chain = sum
	}
	return nil
}

// StoreRaw keeps a tool's output under its SHA-256, which it returns, and
// returns once the output is on disk.
func (w *Writer) StoreRaw(raw []byte) (string, error) {
	sum := sha256.Sum256(raw)
	name := hex.EncodeToString(sum[:])
	path := rawPath(w.dir, name)
	if _, err := os.Stat(path); err == nil {
		return name, nil
	}
	if err := WriteFile(path, raw); err != nil {
		return "", fmt.Errorf("keep raw output in %s: %w", w.dir, err)
	}
	return name, nil
}

// WriteFile makes path appear whole and durable, or leaves it as it was.
func WriteFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return syncDir(dir)
}

// sync flushes the journal to disk. After an error nothing is written any more.
func (w *Writer) sync() error {
	if w.broken != nil {
		return w.broken
	}
	if err := w.file.Sync(); err != nil {
		// After a failed fsync the kernel may have dropped the pages and call
		// the next one a success; nothing written from here on can be trusted.
		w.broken = fmt.Errorf("flush journal in %s: %w", w.dir, err)
	}
	return w.broken
}

// Close flushes and closes the journal; more calls do nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.broken, os.ErrClosed) {
		return nil
	}
	err := errors.Join(w.sync(), w.file.Close())
	w.broken = os.ErrClosed
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
