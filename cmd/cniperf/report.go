package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/report"
	"github.com/cniperf/cniperf/manifests"
)

// runsDir is where `make perf` puts its run folders.
const runsDir = "runs"

type reportOptions struct {
	format             string
	evidence, exitCode bool
	html               bool
}

// newReportCommand prints recorded runs.
func newReportCommand() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report RUN...",
		Short: "Print recorded runs as tables, Markdown, JSON, JUnit XML or for benchstat",
		Long: `report prints what run folders recorded. RUN is a folder, or "latest": the link or
folder ./runs/latest, else the newest run in ./runs.

With --html it prints the page of one run, with pictures and all the evidence; a
run writes the same into its folder as report.html.

With --exit-code it ends as the run did: 0 pass, 1 fail, 2 inconclusive, 3
infrastructure, no end recorded or no such run, 130 interrupted; of several runs
as the first that didn't pass.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := o.print(cmd.OutOrStdout(), args)
			if exit := (exitError{}); o.exitCode && err != nil && !errors.As(err, &exit) {
				return exitError{3, err} // 1 would say that the run failed
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "text", "text, markdown, json, junit or bench")
	f.BoolVar(&o.evidence, "evidence", false, "list every sample with its command, its proof of path and its raw output (text only)")
	f.BoolVar(&o.html, "html", false, "print the page of one run, as HTML")
	f.BoolVar(&o.exitCode, "exit-code", false, "end with the recorded exit code of the run")
	return cmd
}

func (o reportOptions) print(out io.Writer, args []string) error {
	if o.html {
		run, err := printHTML(out, args)
		if err != nil || !o.exitCode {
			return err
		}
		return recordedOutcome(run)
	}
	form, ok := map[string]func(*report.Report, io.Writer) error{
		"text": (*report.Report).Text, "markdown": (*report.Report).Markdown, "json": (*report.Report).JSON,
		"junit": (*report.Report).JUnit, "bench": (*report.Report).Bench,
	}[o.format]
	switch {
	case !ok:
		return fmt.Errorf("report: unknown format %q: known are text, markdown, json, junit, bench", o.format)
	case o.evidence && o.format != "text":
		return fmt.Errorf("report: --evidence is text, not %s", o.format)
	case o.format == "junit" && len(args) > 1:
		return errors.New("report: a JUnit file holds one run: give one RUN")
	}
	published, err := publishedFigures()
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	// All are read first, so that a wrong name prints no half of the answer.
	read := numbers
	if o.evidence {
		read = journal.Read
	}
	runs, err := readRuns(args, read)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var outcome error
	for i, run := range runs {
		if i > 0 && (o.format == "text" || o.format == "markdown") {
			fmt.Fprintln(out)
		}
		r := report.New(run, published)
		if err := form(r, out); err != nil {
			return fmt.Errorf("report on %s: %w", run.Dir, err)
		}
		if o.evidence {
			fmt.Fprintln(out)
			if err := r.Evidence(out); err != nil {
				return fmt.Errorf("evidence of %s: %w", run.Dir, err)
			}
		}
		if o.exitCode && outcome == nil {
			outcome = recordedOutcome(run)
		}
	}
	return outcome
}

// recordedOutcome is nil for a run that passed, else carries its exit code.
func recordedOutcome(run *journal.Run) error {
	switch e := run.End; {
	case e == nil:
		return exitError{3, fmt.Errorf("run %s has recorded no end", run.Header.RunID)}
	case e.ExitCode != 0:
		return exitError{e.ExitCode, fmt.Errorf("run %s: %s", run.Header.RunID, e.Outcome)}
	}
	return nil
}

func publishedFigures() (report.Published, error) {
	f, err := manifests.Suite.Open("published.yaml")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return report.DecodePublished(f)
}
