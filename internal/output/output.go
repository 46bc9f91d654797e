// Package output is what the raw output of a benchmark tool is turned into,
// and the checks that every tool's parser shares. It does no I/O.
package output

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"time"

	"github.com/cniperf/cniperf/internal/measure"
)

// MaxSize is the largest output a parser reads, in bytes. Real outputs are a
// few kilobytes; a larger one is a tool that floods its log.
const MaxSize = 8 << 20

// Tolerance is how far a run's length may be from what was asked, as a share.
const Tolerance = 0.05

// Result is one valid run of one tool. A parser returns a Result with at
// least one value, or an error and the zero Result.
type Result struct {
	Tool    string
	Version string // as the tool prints it; empty when it prints none
	Mode    string // the tool's own name of the test, as "ping-pong" or "TCP_RR"
	// Asked and Measured are the length of the run as it was ordered and as
	// the tool observed it; zero when neither caller nor output tells.
	Asked, Measured time.Duration
	Values          measure.Values
}

// A terminal's traces: colours and cursor moves, which tools print even into a pipe.
var escape = regexp.MustCompile(`\x1b\[[0-9;?]*[ -/]*[@-~]`)

// Text returns raw as text without colour codes and carriage returns. It
// refuses an output that is empty, over MaxSize, or that holds NUL bytes.
func Text(raw []byte) (string, error) {
	if len(raw) > MaxSize {
		return "", fmt.Errorf("output of %d bytes is over the limit of %d", len(raw), MaxSize)
	}
	if bytes.IndexByte(raw, 0) >= 0 {
		return "", errors.New("output holds NUL bytes: not this tool's text")
	}
	raw = bytes.ReplaceAll(escape.ReplaceAll(raw, nil), []byte("\r"), nil)
	if len(bytes.TrimSpace(raw)) == 0 {
		return "", errors.New("output is empty")
	}
	return string(raw), nil
}

// Number reads a finite decimal number that is not negative.
func Number(name, s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || f < 0 {
		return 0, fmt.Errorf("%s is %q, want a finite number of at least 0", name, s)
	}
	return f, nil
}

// Seconds is s seconds as a duration; s must be finite, of at least 0, and
// less than a year.
func Seconds(name string, s float64) (time.Duration, error) {
	if math.IsNaN(s) || s < 0 || s > 365*24*3600 {
		return 0, fmt.Errorf("%s is %v s, want 0 up to one year", name, s)
	}
	return time.Duration(math.Round(s * float64(time.Second))), nil
}

// LateEnd is how much longer than asked a short run may be besides: tools end by
// a timer, which a core that both ends share serves late. Rates are over the
// real length, so it is what is missing that would be wrong, not what is over.
const LateEnd = 200 * time.Millisecond

// Length checks that a run was as long as asked, within Tolerance, or LateEnd
// where it took longer. An asked length of zero is unknown and passes.
func (r Result) Length() error {
	if r.Asked == 0 {
		return nil
	}
	d := r.Measured - r.Asked
	if float64(d.Abs()) > Tolerance*float64(r.Asked) && (d < 0 || d > LateEnd) {
		return fmt.Errorf("ran %v of the %v asked, more than %.0f %% off", r.Measured.Round(time.Millisecond), r.Asked, Tolerance*100)
	}
	return nil
}

// Positive checks that there are values and that each one named is finite and
// above zero; the others may be zero, not negative.
func Positive(vs measure.Values, aboveZero ...string) error {
	if len(vs) == 0 {
		return errors.New("no values in the output")
	}
	for _, v := range vs {
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || v.Value < 0 {
			return fmt.Errorf("%s is %v %s, want a finite number of at least 0", v.Name, v.Value, v.Unit)
		}
	}
	for _, name := range aboveZero {
		if v, ok := vs.Get(name); ok && v.Value == 0 {
			return fmt.Errorf("%s is zero %s", name, v.Unit)
		}
	}
	return nil
}

// WholeSeconds spells a length for a tool's command line. Tools misread
// fractions and suffixes (netperf takes 1m0s for one second), so only whole
// seconds from one up to one day pass.
func WholeSeconds(d time.Duration) (string, error) {
	if d < time.Second || d > 24*time.Hour || d%time.Second != 0 {
		return "", fmt.Errorf("duration %v: want whole seconds from 1s to 24h", d)
	}
	return strconv.Itoa(int(d / time.Second)), nil
}

// Endpoint checks an address and a port for a tool's command line and spells
// the port. An address with a zone or none at all is refused.
func Endpoint(a netip.Addr, port int) (string, error) {
	if !a.IsValid() || a.Zone() != "" {
		return "", fmt.Errorf("address %q: want an IP address without a zone", a)
	}
	if port < 1 || port > 65535 {
		return "", fmt.Errorf("port %d: want 1 to 65535", port)
	}
	return strconv.Itoa(port), nil
}
