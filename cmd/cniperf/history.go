package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/verdict"
)

type historyOptions struct {
	rule       history.Rule
	profile    string
	json, gate bool
}

// newHistoryCommand judges the newest of recorded runs by those before it. As for
// judge, every error of its input ends with code 3.
func newHistoryCommand() *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history [RUN...]",
		Short: "Tell whether an arm got slower since earlier nights",
		Long: `history compares the newest of the runs, or of those in ./runs if none is named,
with the ones before it: each arm as a ratio to the host arm of the same run, and
only runs of the same profile, machine, Kubernetes and tools. CNIs may differ: where
an arm got slower, history says what changed of them.

An arm is slower when several nights in a row are each worse than every one of the
--window nights before them, and as long as it stays so. --in-a-row says how many
nights; 0 takes the fewest that keep the chance of a false alarm in any cell, each
night, at --alpha. To accept a slower arm, name only the runs since.

Exit code: 0 no arm is slower, 1 one is, 2 too few nights or not yet enough in a
row, 3 the input can't be compared. With --gate=false 0 whatever it says.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			outcome, err := o.run(args, cmd.OutOrStdout())
			code := map[verdict.Outcome]int{verdict.Fail: verdict.ExitFail, verdict.Inconclusive: verdict.ExitInconclusive}[outcome]
			switch {
			case err != nil:
				return exitError{verdict.ExitInfrastructure, fmt.Errorf("history: %w", err)}
			case code != verdict.ExitPass && o.gate:
				return exitError{code, fmt.Errorf("history: the verdict is %s", outcome)}
			}
			return nil
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return exitError{verdict.ExitInfrastructure, fmt.Errorf("history: %w", err)}
	})
	f := cmd.Flags()
	f.StringVar(&o.profile, "profile", "", "compare only runs of this profile (default: that of the newest)")
	f.IntVar(&o.rule.Window, "window", 30, "nights that the newest is compared with")
	f.IntVar(&o.rule.InARow, "in-a-row", 0, "nights in a row that have to be worse; 0 for the fewest that keep --alpha")
	f.Float64Var(&o.rule.Alpha, "alpha", 0.05, "chance of a false alarm in any cell, each night")
	f.BoolVar(&o.gate, "gate", true, "let the verdict decide the exit code; with =false it only informs")
	f.BoolVar(&o.json, "json", false, "print JSON, with the ratios of all nights")
	return cmd
}

func (o historyOptions) run(args []string, w io.Writer) (verdict.Outcome, error) {
	if len(args) == 0 {
		var err error
		if args, err = journal.List(runsDir); err != nil {
			return "", err
		}
	}
	runs, err := readRuns(args)
	if err != nil {
		return "", err
	}
	if o.profile != "" {
		runs = slices.DeleteFunc(runs, func(r *journal.Run) bool { return r.Header.Profile != o.profile })
		if len(runs) == 0 {
			return "", fmt.Errorf("none of the %d runs is of profile %s", len(args), o.profile)
		}
	}
	h, err := history.New(runs, o.rule)
	if err != nil {
		return "", err
	}
	write := h.Text
	if o.json {
		write = h.JSON
	}
	if err := write(w); err != nil {
		return "", fmt.Errorf("writing the history: %w", err)
	}
	return h.Outcome(), nil
}

// newCompareCommand puts two runs side by side.
func newCompareCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Put two recorded runs side by side, without a verdict",
		Long: `compare prints the medians of two runs, the ratios to the host arm, and how they
changed, and says what of the CNIs and what else differs between them. It gives
no verdict: two runs differ by more than the rounds within either can tell. For
one, use history over many nights, or make both versions arms of one run.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("compare: want OLD and NEW")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			runs, err := readRuns(args)
			if err != nil {
				return fmt.Errorf("compare: %w", err)
			}
			c, err := history.Compare(runs[0], runs[1])
			if err != nil {
				return fmt.Errorf("compare: %w", err)
			}
			if asJSON {
				return c.JSON(cmd.OutOrStdout())
			}
			return c.Text(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// readRuns reads all the runs that are named.
func readRuns(names []string) ([]*journal.Run, error) {
	var runs []*journal.Run
	for _, name := range names {
		dir, err := journal.Find(runsDir, name)
		if err != nil {
			return nil, err
		}
		run, err := journal.Read(dir)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}
