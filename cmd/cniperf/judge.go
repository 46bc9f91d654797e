package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
	"github.com/cniperf/cniperf/internal/verdict"
	"github.com/spf13/cobra"
)

type judgeOptions struct {
	pairs, direction, thresholds, provider string
	theta, alpha                           float64
	maxRounds                              int
	json, gate                             bool
}

// newJudgeCommand judges recorded rounds. Every error of its input ends with
// code 3, because 1 and 2 are verdicts.
func newJudgeCommand() *cobra.Command {
	var o judgeOptions
	cmd := &cobra.Command{
		Use:   "judge {RUN --thresholds FILE | --pairs FILE.csv}",
		Short: "Judge a recorded run, or a file of paired values, round by round",
		Long: `judge RUN --thresholds FILE judges a recorded run again, and prints one line per
assertion. The gates decide the exit code.

judge --pairs FILE.csv (- is stdin) follows the columns round,a,b and prints the
state of the sequential sign test after every round as CSV. A fourth column
direction (lower or higher) is read where it is there, a header may be there.
Rounds must count up, values be finite and above zero; a bad row is refused with
its line before anything is printed. The test stops at the first round that
decides, or after --max-rounds: later rows are checked and repeat that state. The
last line is the verdict's word and its sentence. Ratios are of costs, a to b,
below one where a is better; low and high hold together with 1−2·alpha or more.
n leaves ties out. With pairs alone there is no second batch, so a fail is
final, and no A/A control, so no noise floor applies.

Exit code: 0 pass, 1 fail, 2 inconclusive, 3 the input can't be judged. With
--gate=false verdicts only inform: 0 whatever they say.`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case o.pairs != "" && len(args) == 0 && o.thresholds == "":
				return nil
			case o.pairs == "" && len(args) == 1 && o.thresholds != "":
				return nil
			}
			return exitError{3, errors.New("judge: want either RUN and --thresholds FILE, or --pairs FILE.csv")}
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var word verdict.Outcome
			var code int
			var err error
			if o.pairs != "" {
				word, err = o.judgePairs(cmd.InOrStdin(), cmd.OutOrStdout())
				code = map[verdict.Outcome]int{
					verdict.Fail: verdict.ExitFail, verdict.Inconclusive: verdict.ExitInconclusive,
				}[word]
			} else {
				code, err = o.judgeRun(args[0], cmd.OutOrStdout())
				word = map[int]verdict.Outcome{
					verdict.ExitFail: verdict.Fail, verdict.ExitInconclusive: verdict.Inconclusive,
				}[code]
			}
			if err != nil {
				return exitError{verdict.ExitInfrastructure, fmt.Errorf("judge: %w", err)}
			}
			if code != verdict.ExitPass && o.gate {
				return exitError{code, fmt.Errorf("judge: the verdict is %s", word)}
			}
			return nil
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return exitError{verdict.ExitInfrastructure, fmt.Errorf("judge: %w", err)}
	})
	f := cmd.Flags()
	f.StringVar(&o.pairs, "pairs", "", "CSV file with the columns round,a,b; - for stdin")
	f.StringVar(&o.direction, "direction", "", "which values of the pairs are better: lower or higher (default: the file's own, else lower)")
	f.Float64Var(&o.theta, "theta", 0, "log cost ratio that a to b is tested against; 0 is \"a is better than b\"")
	f.Float64Var(&o.alpha, "alpha", 0.01, "one-sided chance of a wrong verdict")
	f.IntVar(&o.maxRounds, "max-rounds", 20, "rounds after which an open test ends")
	f.StringVar(&o.thresholds, "thresholds", "", "thresholds file to judge RUN by")
	f.StringVar(&o.provider, "provider", "", "provider of RUN's lab, for assertions that don't apply everywhere (default: the run's own)")
	f.BoolVar(&o.gate, "gate", true, "let the verdict decide the exit code; with =false it only informs")
	f.BoolVar(&o.json, "json", false, "print the verdicts of RUN as JSON, with all their evidence")
	return cmd
}

func (o judgeOptions) judgePairs(stdin io.Reader, w io.Writer) (verdict.Outcome, error) {
	better := measure.Direction(o.direction)
	if better != "" && better != measure.LowerIsBetter && better != measure.HigherIsBetter {
		return "", fmt.Errorf("--direction is %q: want %s or %s", o.direction, measure.LowerIsBetter, measure.HigherIsBetter)
	}
	if math.IsNaN(o.theta) || math.IsInf(o.theta, 0) {
		return "", fmt.Errorf("--theta is %v: want a finite number", o.theta)
	}
	bound, err := verdict.NewBound(o.alpha, o.maxRounds)
	if err != nil {
		return "", err
	}
	if o.pairs != "-" {
		f, err := os.Open(o.pairs)
		if err != nil {
			return "", err
		}
		defer f.Close()
		stdin = f
	}
	// All rows are read first: a file with a bad row must not leave lines behind
	// that look like a verdict.
	reader := verdict.NewPairsReader(stdin, better)
	var pairs []verdict.Pair
	for {
		p, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", o.pairs, err)
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 {
		return "", fmt.Errorf("%s: no rounds in it", o.pairs)
	}
	sequence := verdict.NewSequence(bound, o.theta)
	metric := measure.Metric{Name: "value", Better: reader.Better()}
	out := csv.NewWriter(w)
	rows := [][]string{{"round", "n", "wins", "ties", "e_pass", "e_fail", "median_ratio", "low", "high", "verdict"}}
	for _, p := range pairs {
		if sequence.Outcome() == verdict.Inconclusive {
			d, err := measure.LogRatio(measure.Value{Metric: metric, Value: p.A}, measure.Value{Metric: metric, Value: p.B})
			if err != nil {
				return "", fmt.Errorf("%s: round %d: %w", o.pairs, p.Round, err)
			}
			sequence.Add(d)
		}
		rows = append(rows, row(p.Round, sequence))
	}
	if err := out.WriteAll(rows); err != nil {
		return "", fmt.Errorf("writing the rounds: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s: %s\n", sequence.Outcome(), verdict.ExplainPairs(sequence, reader.Better())); err != nil {
		return "", fmt.Errorf("writing the verdict: %w", err)
	}
	return sequence.Outcome(), nil
}

func row(round int, s *verdict.Sequence) []string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
	return []string{
		strconv.Itoa(round), strconv.Itoa(s.N()), strconv.Itoa(s.Wins), strconv.Itoa(s.Ties),
		number(s.Pass), number(s.Fail), number(math.Exp(s.Median())),
		number(math.Exp(s.Low)), number(math.Exp(s.High)), string(s.Outcome()),
	}
}

// judgeRun prints the verdicts of a recorded run and returns the gates' exit code.
func (o judgeOptions) judgeRun(dir string, w io.Writer) (int, error) {
	thresholds, err := verdict.OpenThresholds(os.DirFS(filepath.Dir(o.thresholds)), filepath.Base(o.thresholds))
	if err != nil {
		return 0, err
	}
	runs, err := readRuns([]string{dir})
	if err != nil {
		return 0, err
	}
	run := runs[0]
	provider := o.provider
	if provider == "" {
		provider = run.Header.Fingerprint["provider"]
	}
	plan, err := record.DecodePlan(run.Header.Plan)
	if err != nil {
		return 0, fmt.Errorf("run %s: %w", run.Dir, err)
	}
	all := comparisons(run)
	for i, name := range run.Comparisons() {
		all[i].Ceilings, all[i].PodSets = plan.Ceilings(name), plan.Profile.PodSets
	}
	verdicts, err := verdict.Judge(thresholds, provider, all...)
	if err != nil {
		return 0, fmt.Errorf("run %s: %w", run.Dir, err)
	}
	if o.json {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if err := enc.Encode(verdicts); err != nil {
			return 0, fmt.Errorf("writing the verdicts: %w", err)
		}
		return verdict.ExitCode(verdicts), nil
	}
	for _, v := range verdicts {
		if _, err := fmt.Fprintf(w, "%-12s %-6s %s: %s\n", v.Outcome, v.Role, v.Name, v.Explanation); err != nil {
			return 0, fmt.Errorf("writing the verdicts: %w", err)
		}
	}
	return verdict.ExitCode(verdicts), nil
}

// phaseConfirm is the journal's phase of a second batch, on fresh pods.
const phaseConfirm = "confirm"

// comparisons are a run's rounds as the verdicts take them. A round that was
// dropped counts against each cell whose own sample was invalid.
func comparisons(run *journal.Run) []verdict.Comparison {
	var all []verdict.Comparison
	for _, name := range run.Comparisons() {
		c := verdict.Comparison{
			Rounds:     run.ValidRounds(name),
			Confirming: run.ValidRoundsIn(name, phaseConfirm),
			Dropped:    run.Drops(name, run.Phase(name)),
		}
		all = append(all, c)
	}
	return all
}
