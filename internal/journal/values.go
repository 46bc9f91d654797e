package journal

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/cniperf/cniperf/internal/measure"
)

// ReadValues is Read for who looks at numbers and not at evidence: of a sample it
// leaves out its command, places, proofs, raw output and disturbance. That takes a
// tenth of the memory, and a few times less time. Of a run of which only some kinds of
// records are wanted, kinds names them; the header is always one.
func ReadValues(dir string, kinds ...string) (*Run, error) {
	run := &Run{Dir: dir}
	samples := newSampleReader(false)
	left, err := scanDir(dir, func(kind string, data []byte) error {
		if len(kinds) > 0 && kind != "header" && !slices.Contains(kinds, kind) {
			run.End = nil // whatever follows an end continues the run
			return nil
		}
		return run.add(kind, data, samples)
	})
	if err != nil {
		return nil, err
	}
	run.warn(left)
	return run, nil
}

// sampleReader takes from samples what analysis looks at, a tenth of them, several
// times as fast as decoding them does: 1,000 nights hold half a million. The journal's
// checksums vouch for the JSON being what was written. What has another form is
// decoded.
type sampleReader struct {
	disturbance bool // is taken too
	texts       map[string]string
	cells       map[string]measure.Cell
	metrics     map[string]measure.Metric
	scratch     measure.Values
}

func newSampleReader(disturbance bool) *sampleReader {
	return &sampleReader{
		disturbance: disturbance,
		texts:       map[string]string{}, cells: map[string]measure.Cell{}, metrics: map[string]measure.Metric{},
	}
}

// read takes a sample's JSON.
func (r *sampleReader) read(data []byte) (Sample, error) {
	var s Sample
	var err error
	whole := members(data, func(key, value []byte) bool {
		err = r.member(&s, string(key), value)
		return err == nil
	})
	if err != nil || !whole {
		// Another form, or none: decoding tells which.
		s = Sample{}
		err = json.Unmarshal(data, &s)
		s = r.lean(s)
	}
	return s, err
}

func (r *sampleReader) member(s *Sample, key string, value []byte) (err error) {
	switch key {
	case "comparison":
		s.Comparison, err = r.text(value)
	case "phase":
		s.Phase, err = r.text(value)
	case "round":
		s.Round, err = strconv.Atoi(string(value))
	case "attempt":
		s.Attempt, err = strconv.Atoi(string(value))
	case "order":
		s.Order, err = strconv.Atoi(string(value))
	case "cell":
		s.Cell, err = remembered(r.cells, value)
	case "started_at_ns":
		s.StartedAt, err = nanoseconds(value)
	case "duration_ns":
		s.Duration, err = nanoseconds(value)
	case "tool_time_ns":
		s.ToolTime, err = nanoseconds(value)
	case "tool_done":
		err = json.Unmarshal(value, &s.ToolDone)
	case "values":
		s.Values, err = r.values(value)
	case "disturbance":
		if r.disturbance {
			err = json.Unmarshal(value, &s.Disturbance)
		}
	case "invalid":
		s.Invalid, err = r.text(value)
	case "interrupted":
		err = json.Unmarshal(value, &s.Interrupted)
	}
	return err
}

func nanoseconds(value []byte) (time.Duration, error) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	return time.Duration(n), err
}

// lean is the sample without what read leaves out.
func (r *sampleReader) lean(s Sample) Sample {
	lean := Sample{
		Comparison: s.Comparison, Phase: s.Phase, Round: s.Round, Attempt: s.Attempt, Order: s.Order, Cell: s.Cell,
		StartedAt: s.StartedAt, Duration: s.Duration, ToolTime: s.ToolTime, ToolDone: s.ToolDone, Values: s.Values,
		Invalid: s.Invalid, Interrupted: s.Interrupted,
	}
	if r.disturbance {
		lean.Disturbance = s.Disturbance
	}
	return lean
}

func (r *sampleReader) text(value []byte) (string, error) { return remembered(r.texts, value) }

// values reads a list of values. Within a run few metrics come again and again, so
// each is decoded once.
func (r *sampleReader) values(list []byte) (measure.Values, error) {
	r.scratch = r.scratch[:0]
	var err error
	whole := elements(list, func(value []byte) bool {
		metric, number, found := bytes.Cut(value, []byte(`,"value":`))
		number, ends := bytes.CutSuffix(number, []byte("}"))
		var v measure.Value
		if found && ends {
			v.Metric, err = r.metric(metric)
			if err == nil {
				v.Value, err = strconv.ParseFloat(string(number), 64)
			}
		} else {
			err = json.Unmarshal(value, &v)
		}
		r.scratch = append(r.scratch, v)
		return err == nil
	})
	if err == nil && !whole {
		err = strconv.ErrSyntax
	}
	return slices.Clone(r.scratch), err
}

// metric reads a value that is cut off before its number.
func (r *sampleReader) metric(open []byte) (measure.Metric, error) {
	if m, ok := r.metrics[string(open)]; ok {
		return m, nil
	}
	var m measure.Metric
	if err := json.Unmarshal(append(bytes.Clone(open), '}'), &m); err != nil {
		return m, err
	}
	r.metrics[string(open)] = m
	return m, nil
}

// remembered decodes a value that comes again and again once.
func remembered[T any](known map[string]T, value []byte) (T, error) {
	if v, ok := known[string(value)]; ok {
		return v, nil
	}
	var v T
	if err := json.Unmarshal(value, &v); err != nil {
		return v, err
	}
	known[string(value)] = v
	return v, nil
}

// members visits the members of an object that is written without spaces, each
// value as its JSON. It tells whether the object was whole and each visit true.
func members(object []byte, visit func(key, value []byte) bool) bool {
	return list(object, '{', '}', func(rest []byte) int {
		n := length(rest)
		if n < 2 || rest[0] != '"' || n >= len(rest) || rest[n] != ':' {
			return 0
		}
		m := length(rest[n+1:])
		if m == 0 || !visit(rest[1:n-1], rest[n+1:n+1+m]) {
			return 0
		}
		return n + 1 + m
	})
}

// elements visits the elements of an array likewise.
func elements(array []byte, visit func(value []byte) bool) bool {
	return list(array, '[', ']', func(rest []byte) int {
		n := length(rest)
		if n == 0 || !visit(rest[:n]) {
			return 0
		}
		return n
	})
}

// list has the parts between two brackets taken one by one. take returns how long
// the next is, 0 to end.
func list(data []byte, opens, closes byte, take func(rest []byte) int) bool {
	if len(data) < 2 || data[0] != opens || data[len(data)-1] != closes {
		return false
	}
	rest := data[1 : len(data)-1]
	for len(rest) > 0 {
		n := take(rest)
		if n == 0 {
			return false
		}
		if n == len(rest) {
			return true
		}
		if rest[n] != ',' || n+1 == len(rest) {
			return false
		}
		rest = rest[n+1:]
	}
	return true
}

// length is that of the JSON value that data begins with, 0 where none does.
func length(data []byte) int {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			n := stringLength(data[i:])
			if n == 0 {
				return 0
			}
			if i += n - 1; depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i // the end of a number, true, false or null
			}
			if depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	if depth > 0 {
		return 0
	}
	return len(data)
}

// stringLength is that of the JSON string that data begins with, its quotes
// included; 0 where it has no end.
func stringLength(data []byte) int {
	for i := 1; ; i++ {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return 0
		}
		i += n
		escapes := 0
		for data[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}
