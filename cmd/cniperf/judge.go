package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cniperf/cniperf/internal/analysis"
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
assertion. The gates decide the exit code, as they do at the run's end: also 3
where pods, clusters or tools kept a gate from being decided.

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
			code, said, err := o.judge(args, cmd.InOrStdin(), cmd.OutOrStdout())
			if err != nil {
				return exitError{verdict.ExitInfrastructure, fmt.Errorf("judge: %w", err)}
			}
			// Without the gate verdicts only inform, while a run that broke still says so.
			if code == verdict.ExitPass || !o.gate && code != verdict.ExitInfrastructure {
				return nil
			}
			return exitError{code, fmt.Errorf("judge: %s", said)}
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

// judge returns the exit code and what to say of it.
func (o judgeOptions) judge(args []string, stdin io.Reader, w io.Writer) (int, string, error) {
	if o.pairs == "" {
		outcome, err := o.judgeRun(args[0], w)
		return outcome.ExitCode, outcome.String(), err
	}
	word, err := o.judgePairs(stdin, w)
	return exitCodeOf(word), fmt.Sprintf("the verdict is %s", word), err
}

// exitCodeOf is the exit code of one word.
func exitCodeOf(word verdict.Outcome) int {
	switch word {
	case verdict.Fail:
		return verdict.ExitFail
	case verdict.Inconclusive:
		return verdict.ExitInconclusive
	}
	return verdict.ExitPass
}

// judgeRun prints the verdicts on a recorded run and returns what they come to.
func (o judgeOptions) judgeRun(dir string, w io.Writer) (analysis.Outcome, error) {
	none := analysis.Outcome{}
	thresholds, err := verdict.OpenThresholds(os.DirFS(filepath.Dir(o.thresholds)), filepath.Base(o.thresholds))
	if err != nil {
		return none, err
	}
	runs, err := readRuns([]string{dir}, numbers)
	if err != nil {
		return none, err
	}
	run := runs[0]
	plan, err := record.DecodePlan(run.Header.Plan)
	if err != nil {
		return none, fmt.Errorf("run %s: %w", run.Dir, err)
	}
	all := analysis.Judged(run, plan)
	verdicts, err := verdict.Judge(thresholds, cmp.Or(o.provider, run.Header.Fingerprint["provider"]), all...)
	if err != nil {
		return none, fmt.Errorf("run %s: %w", run.Dir, err)
	}
	if err := o.print(w, verdicts); err != nil {
		return none, fmt.Errorf("writing the verdicts: %w", err)
	}
	return analysis.Conclude(analysis.Facts{
		Profile: run.Header.Profile, Judges: true, Comparisons: all, Verdicts: verdicts, Missing: analysis.MissingOf(run),
	}), nil
}

func (o judgeOptions) print(w io.Writer, verdicts []verdict.Verdict) error {
	if o.json {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(verdicts)
	}
	for _, v := range verdicts {
		if _, err := fmt.Fprintf(w, "%-12s %-6s %s: %s\n", v.Outcome, v.Role, v.Name, v.Explanation); err != nil {
			return err
		}
	}
	return nil
}
