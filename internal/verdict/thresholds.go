package verdict

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"regexp"
	"slices"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/strict"
	"go.yaml.in/yaml/v3"
)

// APIVersion and Kind head every thresholds file.
const (
	APIVersion = "cniperf.io/v1"
	Kind       = "Thresholds"
)

// Role says what an assertion's verdict does.
type Role string

const (
	Gate   Role = "gate"   // decides the exit code
	Inform Role = "inform" // is reported
)

// Thresholds is a set of assertions.
type Thresholds struct {
	APIVersion string `yaml:"apiVersion" json:"apiVersion"`
	Kind       string `yaml:"kind" json:"kind"`
	Name       string `yaml:"name" json:"name"`
	// FamilyAlpha is the chance allowed for any wrong verdict in a family: the
	// gates together, and the informing assertions of each table (benchmark,
	// path and placement).
	FamilyAlpha float64 `yaml:"familyAlpha" json:"familyAlpha"`
	// NoiseFloor is the least difference that is called one, as a fraction: by so
	// much do pods of one kind differ. 0 means 2 %, and less there is none.
	NoiseFloor float64     `yaml:"noiseFloor,omitempty" json:"noiseFloor,omitempty"`
	Assertions []Assertion `yaml:"assertions" json:"assertions"`
}

// least is the least difference that is called one.
func (t Thresholds) least() float64 { return max(t.NoiseFloor, minFloor) }

// Assertion claims an order (Faster beats Slower by at least Margin) or, for a
// regression, that Candidate is at most Margin worse than Baseline. Exactly one
// of the two pairs is given.
type Assertion struct {
	Name      string     `yaml:"name" json:"name"`
	Sentence  string     `yaml:"sentence" json:"sentence"` // the claim in words
	Source    string     `yaml:"source" json:"source"`     // where it is made
	Published *Published `yaml:"published,omitempty" json:"published,omitempty"`

	Faster    *Side `yaml:"faster,omitempty" json:"faster,omitempty"`
	Slower    *Side `yaml:"slower,omitempty" json:"slower,omitempty"`
	Candidate *Side `yaml:"candidate,omitempty" json:"candidate,omitempty"`
	Baseline  *Side `yaml:"baseline,omitempty" json:"baseline,omitempty"`

	Benchmark string   `yaml:"benchmark" json:"benchmark"`
	Metric    string   `yaml:"metric" json:"metric"`
	Margin    float64  `yaml:"margin" json:"margin"` // fraction: 0.3 is 30 %
	Alpha     float64  `yaml:"alpha" json:"alpha"`   // one-sided
	MaxRounds int      `yaml:"maxRounds" json:"maxRounds"`
	Role      Role     `yaml:"role" json:"role"`
	AppliesTo []string `yaml:"appliesTo,omitempty" json:"appliesTo,omitempty"` // providers; none means everywhere
}

// Side is one arm of an assertion, without the benchmark that both share.
type Side struct {
	Arm       string `yaml:"arm" json:"arm"`
	Path      string `yaml:"path" json:"path"`
	Placement string `yaml:"placement" json:"placement"`
}

// Published are the source's own figures, in the unit it prints.
type Published struct {
	Faster float64 `yaml:"faster" json:"faster"`
	Slower float64 `yaml:"slower" json:"slower"`
	Unit   string  `yaml:"unit" json:"unit"`
}

// Cells are the two cells compared: the one claimed better (or the candidate)
// and the other.
func (a Assertion) Cells() (measure.Cell, measure.Cell) {
	x, y := a.Faster, a.Slower
	if a.nonInferiority() {
		x, y = a.Candidate, a.Baseline
	}
	cell := func(s *Side) measure.Cell {
		return measure.Cell{Arm: s.Arm, Path: s.Path, Placement: s.Placement, Benchmark: a.Benchmark}
	}
	return cell(x), cell(y)
}

func (a Assertion) applies(where string) bool {
	return len(a.AppliesTo) == 0 || slices.Contains(a.AppliesTo, where)
}

func (a Assertion) nonInferiority() bool { return a.Candidate != nil }

// theta is the log cost ratio that the margin means. A better time is ln(1−x)
// away; a better rate ln(1+x), for a cost is then the reciprocal. An allowed
// worsening points the other way.
func (a Assertion) theta(better measure.Direction, margin float64) float64 {
	if a.nonInferiority() {
		margin = -margin
	}
	if better == measure.HigherIsBetter {
		return -math.Log1p(margin)
	}
	return math.Log1p(-margin)
}

// family names the assertions whose verdicts are held to FamilyAlpha together.
func (a Assertion) family() string {
	if a.Role == Gate {
		return string(Gate)
	}
	x, _ := a.Cells()
	x.Arm = ""
	return x.String()
}

// maxThresholds is far above any real file; what is larger isn't one.
const maxThresholds = 1 << 20

// OpenThresholds decodes one file of fsys.
func OpenThresholds(fsys fs.FS, name string) (Thresholds, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return Thresholds{}, fmt.Errorf("thresholds: %w", err)
	}
	defer f.Close()
	t, err := DecodeThresholds(f)
	if err != nil {
		return Thresholds{}, fmt.Errorf("thresholds %s: %w", name, err)
	}
	return t, nil
}

// DecodeThresholds reads a thresholds file strictly: an unknown field, a second
// document, a missing or unbounded value is an error that names its line.
func DecodeThresholds(r io.Reader) (Thresholds, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxThresholds+1))
	if err != nil {
		return Thresholds{}, err
	}
	if len(data) > maxThresholds {
		return Thresholds{}, fmt.Errorf("larger than %d bytes", maxThresholds)
	}
	var t Thresholds
	if err := strict.Decode(data, &t); err != nil {
		return Thresholds{}, err
	}
	// The second decoding is for the line numbers: a type's own UnmarshalYAML
	// would have them, but yaml.v3 forgets KnownFields inside of it.
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return Thresholds{}, err
	}
	if err := t.check(doc.Content[0]); err != nil {
		return Thresholds{}, err
	}
	return t, nil
}

var nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,99}$`)

func (t Thresholds) check(doc *yaml.Node) error {
	switch {
	case t.APIVersion != APIVersion:
		return at(doc, "apiVersion", "is %q: want %s", t.APIVersion, APIVersion)
	case t.Kind != Kind:
		return at(doc, "kind", "is %q: want %s", t.Kind, Kind)
	case !nameRE.MatchString(t.Name):
		return at(doc, "name", "is %q: want lower-case letters, digits, dots and dashes", t.Name)
	case t.NoiseFloor != 0 && !(t.NoiseFloor >= minFloor && t.NoiseFloor <= 0.5):
		return at(doc, "noiseFloor", "is %v: want a fraction from %v to 0.5", t.NoiseFloor, minFloor)
	case !(t.FamilyAlpha > 0 && t.FamilyAlpha <= 0.5):
		return at(doc, "familyAlpha", "is %v: want more than 0 and at most 0.5", t.FamilyAlpha)
	case len(t.Assertions) == 0 || len(t.Assertions) > 1000:
		return at(doc, "assertions", "has %d entries: want 1 to 1000", len(t.Assertions))
	}
	seen := map[string]bool{}
	list := field(doc, "assertions")
	for i, a := range t.Assertions {
		node := doc
		if list != nil { // nil when a merge key brought the list in
			node = resolve(list).Content[i]
		}
		if seen[a.Name] {
			return at(node, "name", "is %q a second time", a.Name)
		}
		seen[a.Name] = true
		if err := a.check(node, t.FamilyAlpha); err != nil {
			return err
		}
	}
	return nil
}

func (a Assertion) check(node *yaml.Node, familyAlpha float64) error {
	metric, known := measure.MetricNamed(a.Metric)
	switch {
	case !nameRE.MatchString(a.Name):
		return at(node, "name", "is %q: want lower-case letters, digits, dots and dashes", a.Name)
	case a.Sentence == "":
		return at(node, "sentence", "is missing: say what is claimed")
	case a.Source == "":
		return at(node, "source", "is missing: say who claims it")
	case !nameRE.MatchString(a.Benchmark):
		return at(node, "benchmark", "is %q: want a benchmark's name", a.Benchmark)
	case !known:
		return at(node, "metric", "is %q, which is not measured", a.Metric)
	case !(a.Margin >= 0 && a.Margin < 1):
		return at(node, "margin", "is %v: want a fraction, at least 0 and below 1", a.Margin)
	case !(a.Alpha >= 1e-6 && a.Alpha <= familyAlpha):
		return at(node, "alpha", "is %v: want at least 1e-6 and at most familyAlpha, %v", a.Alpha, familyAlpha)
	case a.MaxRounds < 1 || a.MaxRounds > maxHorizon:
		return at(node, "maxRounds", "is %d: want 1 to %d", a.MaxRounds, maxHorizon)
	case a.Role != Gate && a.Role != Inform:
		return at(node, "role", "is %q: want %s or %s", a.Role, Gate, Inform)
	}
	// The clearest evidence there is, all rounds on one side, has chance
	// 2^-maxRounds: above alpha nothing can decide.
	if math.Ldexp(1, -a.MaxRounds) > a.Alpha {
		return at(node, "maxRounds", "is %d: so few rounds can't decide at alpha %v, however clear they are", a.MaxRounds, a.Alpha)
	}
	for i, where := range a.AppliesTo {
		if where == "" || slices.Contains(a.AppliesTo[:i], where) {
			return at(node, "appliesTo", "has %q empty or twice", where)
		}
	}
	if p := a.Published; p != nil {
		if !finitePositive(p.Faster) || !finitePositive(p.Slower) || p.Unit == "" {
			return at(node, "published", "wants faster, slower (finite, above zero) and unit")
		}
	}
	order := a.Faster != nil && a.Slower != nil && a.Candidate == nil && a.Baseline == nil
	regression := a.Candidate != nil && a.Baseline != nil && a.Faster == nil && a.Slower == nil
	if !order && !regression {
		return at(node, "name", "is %s: want either faster and slower, or candidate and baseline", a.Name)
	}
	if regression && a.Margin == 0 {
		return at(node, "margin", "is 0: a regression needs one, or chance alone decides")
	}
	keys := []string{"faster", "slower", "candidate", "baseline"}
	for i, s := range []*Side{a.Faster, a.Slower, a.Candidate, a.Baseline} {
		if s != nil && !(nameRE.MatchString(s.Arm) && nameRE.MatchString(s.Path) && nameRE.MatchString(s.Placement)) {
			return at(node, keys[i], "is %v: want arm, path and placement", *s)
		}
	}
	if x, y := a.Cells(); x == y {
		return at(node, "name", "is %s: %s is compared with itself", a.Name, x)
	}
	if t := a.theta(metric.Better, a.Margin); math.IsNaN(t) || math.IsInf(t, 0) {
		return at(node, "margin", "is %v: no ratio follows from it", a.Margin)
	}
	return nil
}

func finitePositive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

// at is an error about one field, with the line of the field where it is given
// and of its mapping where it is not.
func at(node *yaml.Node, key, format string, args ...any) error {
	line := node.Line
	if f := field(node, key); f != nil {
		line = f.Line
	}
	return fmt.Errorf("line %d: %s %w", line, key, fmt.Errorf(format, args...))
}

// field is the node of a mapping's value, nil when it isn't there.
func field(node *yaml.Node, key string) *yaml.Node {
	node = resolve(node)
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

func resolve(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}
