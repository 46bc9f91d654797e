package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/htmlreport"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/verdict"
)

type historyOptions struct {
	rule       history.Rule
	profile    string
	json, gate bool
	html       bool
}

// newHistoryCommand judges the newest of recorded runs by those before it. As for
// judge, every error of its input ends with code 3.
func newHistoryCommand() *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history [RUN...]",
		Short: "Tell whether an arm got slower since the nights before",
		Long: `history compares the newest run with the runs before it. Without RUN it takes
those in ./runs. It compares each arm's ratio to the host arm of the same run, and
only runs of the same profile, machine, Kubernetes and tools. CNIs may differ: when
an arm got slower, history says what changed of them. It names the runs that it
leaves out, and why.

An arm is slower when its last nights were each worse than the worst of the --window
nights before them. How many nights in a row that takes is --in-a-row, or the fewest
for which a false alarm in any cell, in a night when nothing changed, has at most
the chance --alpha. To accept a slower arm, name only the runs since.

Exit code: 0 no arm is slower, 1 one is, 2 too few nights or not yet enough in a
row, 3 the input can't be compared. With --gate=false 0 whatever it says.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			outcome, err := o.run(args, cmd.OutOrStdout())
			code := exitCodeOf(outcome)
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
	f.BoolVar(&o.html, "html", false, "print a page with a picture of each cell's nights, as HTML")
	cmd.MarkFlagsMutuallyExclusive("json", "html")
	return cmd
}

func (o historyOptions) run(args []string, w io.Writer) (verdict.Outcome, error) {
	if len(args) == 0 {
		var err error
		if args, err = journal.List(runsDir); err != nil {
			return "", err
		}
	}
	dirs, err := findRuns(args)
	if err != nil {
		return "", err
	}
	runs, left := history.ReadAll(dirs)
	if len(runs) == 0 {
		return "", errors.New(left[0].Reasons[0])
	}
	if o.profile != "" {
		runs = slices.DeleteFunc(runs, func(r *history.Run) bool { return r.Profile != o.profile })
		if len(runs) == 0 {
			return "", fmt.Errorf("none of the %d runs is of profile %s", len(args), o.profile)
		}
	}
	h, err := history.New(runs, o.rule)
	if err != nil {
		return "", err
	}
	h.LeftOut = append(h.LeftOut, left...)
	write := h.Text
	switch {
	case o.json:
		write = h.JSON
	case o.html:
		write = func(w io.Writer) error { return htmlreport.History(w, h, htmlreport.English{}, "") }
	}
	if err := write(w); err != nil {
		return "", fmt.Errorf("writing the history: %w", err)
	}
	return h.Outcome(), nil
}

// newCompareCommand puts two runs side by side.
func newCompareCommand() *cobra.Command {
	var asJSON, asHTML bool
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Put two recorded runs side by side, without a verdict",
		Long: `compare prints the medians of two runs, their ratios to the host arm and how both
changed. It says what differs between the runs: of the CNIs, and else. It gives no
verdict: two runs differ by more than the rounds within one can tell. For a verdict
use history over many nights, or make both versions arms of one run.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("compare: want OLD and NEW")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := compare(args)
			if err != nil {
				return fmt.Errorf("compare: %w", err)
			}
			switch {
			case asJSON:
				return c.JSON(cmd.OutOrStdout())
			case asHTML:
				return htmlreport.Compare(cmd.OutOrStdout(), c, htmlreport.English{}, "")
			}
			return c.Text(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&asHTML, "html", false, "print a page with pictures, as HTML")
	cmd.MarkFlagsMutuallyExclusive("json", "html")
	return cmd
}

func compare(names []string) (*history.Comparison, error) {
	dirs, err := findRuns(names)
	if err != nil {
		return nil, err
	}
	var runs [2]*history.Run
	for i, dir := range dirs {
		if runs[i], err = history.Read(dir); err != nil {
			return nil, err
		}
	}
	return history.Compare(runs[0], runs[1])
}

// findRuns are the folders of all the runs that are named.
func findRuns(names []string) ([]string, error) {
	var dirs []string
	for _, name := range names {
		dir, err := journal.Find(runsDir, name)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

// readRuns reads all the runs that are named, each by read.
func readRuns(names []string, read func(dir string) (*journal.Run, error)) ([]*journal.Run, error) {
	dirs, err := findRuns(names)
	if err != nil {
		return nil, err
	}
	var runs []*journal.Run
	for _, dir := range dirs {
		run, err := read(dir)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// numbers reads a run without its samples' evidence, which no number comes from.
func numbers(dir string) (*journal.Run, error) { return journal.ReadValues(dir) }
