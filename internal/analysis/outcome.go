package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
)

// Missing is what should have been measured and was not. A Cell without an arm is
// the whole comparison.
type Missing struct {
	Comparison string        `json:"comparison"`
	Cell       measure.Cell  `json:"cell,omitzero"`
	Reason     record.Reason `json:"reason"`
}

// Facts are what the outcome of a run follows from.
type Facts struct {
	Profile string
	Judges  bool // the profile's rounds suffice for verdicts
	// Comparisons are the selected ones, with the Cells that were to be measured.
	Comparisons []verdict.Comparison
	// Verdicts are those on all Comparisons together. A run that was asked for a
	// part of its profile leaves out those without a Comparison: they are about
	// something that was not selected.
	Verdicts []verdict.Verdict
	Missing  []Missing
	Failures []Failure
}

// Failure is an error that ended a comparison, or the run if it names none.
type Failure struct {
	Comparison string
	Err        error
}

// OutcomeCode says how a run ended.
type OutcomeCode string

const (
	Passed     OutcomeCode = "passed"      // every gate
	GateFailed OutcomeCode = "gate-failed" // which stands, whatever else is open
	GateOpen   OutcomeCode = "gate-open"   // a gate is inconclusive or was not measured
	NoGate     OutcomeCode = "no-gate"     // none applies, and everything was measured
	KeptOpen   OutcomeCode = "kept-open"   // the infrastructure or an error kept a gate open
	Measured   OutcomeCode = "measured"    // everything, by a profile that does not judge
	Incomplete OutcomeCode = "incomplete"  // such a profile did not measure everything
	Nothing    OutcomeCode = "nothing"     // nothing was measured
	Broken     OutcomeCode = "broken"      // by an error
)

// Outcome is how a run ended, with the numbers and names that its words are made
// of.
type Outcome struct {
	Code     OutcomeCode `json:"code"`
	ExitCode int         `json:"exitCode"`
	Profile  string      `json:"profile,omitempty"`
	Measured int         `json:"measured"` // comparisons with a valid round
	Gates    int         `json:"gates"`    // that apply to this lab
	// Assertions are the gates that failed, are open or were kept open, as Code says.
	Assertions []string `json:"assertions,omitempty"`
	// Missing is what kept gates open or was not measured, Errors what the errors
	// said that did so.
	Missing []Missing `json:"missing,omitempty"`
	Errors  []string  `json:"errors,omitempty"`
}

// Conclude says how a run ended. Its exit code is infrastructure's when the run
// broke or measured nothing; else that of a gate that failed; else infrastructure's
// when that kept a gate open; else inconclusive when a gate is open. A profile that
// does not judge, and a run to which no gate applies, pass when every cell was
// measured once.
func Conclude(f Facts) Outcome {
	o := Outcome{Profile: f.Profile}
	for _, c := range f.Comparisons {
		if len(c.Rounds) > 0 {
			o.Measured++
		}
	}
	for _, failure := range f.Failures {
		if failure.Comparison == "" {
			o.Errors = append(o.Errors, failure.Err.Error())
		}
	}
	broken := len(f.Failures) > 0 || slices.ContainsFunc(f.Missing, Missing.infrastructure)
	switch {
	case len(o.Errors) > 0:
		return o.as(Broken, verdict.ExitInfrastructure)
	case o.Measured == 0 && (broken || len(f.Missing) == 0):
		o.Missing, o.Errors = f.Missing, f.errors("")
		return o.as(Nothing, verdict.ExitInfrastructure)
	case !f.Judges:
		return o.complete(f)
	}
	return o.gated(f)
}

// errors are what ended a comparison, or any of them where none is named.
func (f Facts) errors(comparison string) []string {
	var said []string
	for _, failure := range f.Failures {
		if comparison == "" || failure.Comparison == comparison {
			said = append(said, failure.Comparison+": "+failure.Err.Error())
		}
	}
	return said
}

func (o Outcome) as(code OutcomeCode, exit int) Outcome {
	o.Code, o.ExitCode = code, exit
	return o
}

// complete is the outcome of a profile that does not judge.
func (o Outcome) complete(f Facts) Outcome {
	measured := true
	for _, c := range f.Comparisons {
		unmeasured := c.Unmeasured()
		if len(unmeasured) == 0 && len(c.Rounds) > 0 {
			continue
		}
		measured = false
		o.Errors = append(o.Errors, f.errors(c.Name)...)
		for _, m := range f.Missing {
			if m.Comparison == c.Name && (m.whole() || slices.Contains(unmeasured, m.Cell)) {
				o.Missing = append(o.Missing, m)
			}
		}
	}
	switch {
	case measured:
		return o.as(Measured, verdict.ExitPass)
	case len(o.Errors) > 0 || slices.ContainsFunc(o.Missing, Missing.infrastructure):
		return o.as(Incomplete, verdict.ExitInfrastructure)
	}
	return o.as(Incomplete, verdict.ExitInconclusive)
}

// gated is the outcome of a profile that judges.
func (o Outcome) gated(f Facts) Outcome {
	var failed, open, kept []string
	var missing []Missing
	var errs []string
	for _, v := range f.Verdicts {
		if v.Role != verdict.Gate || v.Elsewhere {
			continue
		}
		o.Gates++
		switch v.Outcome {
		case verdict.Pass:
		case verdict.Fail:
			failed = append(failed, v.Name)
		default:
			open = append(open, v.Name)
			if causes, said := f.keptOpen(v); len(causes)+len(said) > 0 {
				kept = append(kept, v.Name)
				missing, errs = append(missing, causes...), append(errs, said...)
			}
		}
	}
	switch {
	case len(failed) > 0:
		o.Assertions = failed
		return o.as(GateFailed, verdict.ExitFail)
	case len(kept) > 0:
		slices.Sort(errs)
		o.Assertions, o.Missing, o.Errors = kept, unique(missing), slices.Compact(errs)
		return o.as(KeptOpen, verdict.ExitInfrastructure)
	case len(open) > 0:
		o.Assertions = open
		return o.as(GateOpen, verdict.ExitInconclusive)
	case o.Gates == 0:
		if len(f.Missing) > 0 {
			return o.complete(f)
		}
		return o.as(NoGate, verdict.ExitPass)
	}
	return o.as(Passed, verdict.ExitPass)
}

// keptOpen is what the infrastructure took from an undecided assertion: one of its
// cells, the second copies without which the noise is not known, or the whole
// comparison; and the errors that ended its comparison. An undecided one that no
// further round could change is open for a reason of its own.
func (f Facts) keptOpen(v verdict.Verdict) ([]Missing, []string) {
	if v.Comparison == "" || v.Outcome == verdict.Inconclusive && v.Final {
		return nil, nil
	}
	var causes []Missing
	for _, m := range f.Missing {
		if m.Comparison != v.Comparison || !m.infrastructure() {
			continue
		}
		noise := v.Why != nil && (v.Why.Code == verdict.NoControl || v.Why.Code == verdict.NoiseUnknown)
		if m.whole() || m.Cell == v.A || m.Cell == v.B || m.Cell.Control && noise {
			causes = append(causes, m)
		}
	}
	return causes, f.errors(v.Comparison)
}

func unique(list []Missing) []Missing {
	var kept []Missing
	for _, m := range list {
		if !slices.ContainsFunc(kept, func(o Missing) bool { return o.Comparison == m.Comparison && o.Cell == m.Cell }) {
			kept = append(kept, m)
		}
	}
	return kept
}

func (m Missing) whole() bool { return m.Cell.Arm == "" }

func (m Missing) infrastructure() bool { return m.Reason.Infrastructure() }

// String is what is missing, and why.
func (m Missing) String() string {
	if m.whole() {
		return fmt.Sprintf("%s: %s", m.Comparison, m.Reason)
	}
	return fmt.Sprintf("%s: %s: %s", m.Comparison, m.Cell, m.Reason)
}

// String is the outcome in words.
func (o Outcome) String() string {
	names := strings.Join(o.Assertions, ", ")
	var missing []string
	for _, m := range o.Missing {
		missing = append(missing, m.String())
	}
	why := strings.Join(append(missing, o.Errors...), "; ")
	switch o.Code {
	case Passed:
		return "every gate passed"
	case GateFailed:
		return fmt.Sprintf("%d of %d gates failed: %s", len(o.Assertions), o.Gates, names)
	case GateOpen:
		return fmt.Sprintf("%d of %d gates could not be decided: %s", len(o.Assertions), o.Gates, names)
	case NoGate:
		return "no gate applies to this run, so nothing decides"
	case KeptOpen:
		return fmt.Sprintf("infrastructure kept %d of %d gates open: %s: %s", len(o.Assertions), o.Gates, names, why)
	case Measured:
		return fmt.Sprintf("profile %s: %d comparisons measured, none judged", o.Profile, o.Measured)
	case Incomplete:
		return joined(fmt.Sprintf("profile %s: not everything was measured", o.Profile), why)
	case Nothing:
		return joined("nothing was measured", why)
	case Broken:
		return strings.Join(o.Errors, "; ")
	}
	return string(o.Code)
}

func joined(text, why string) string {
	if why == "" {
		return text
	}
	return text + ": " + why
}
