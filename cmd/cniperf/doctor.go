package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/machine/speed"
	"github.com/cniperf/cniperf/internal/progress"
)

func newDoctorCommand() *cobra.Command {
	var fix, asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether this machine can run the lab, and prepare it with --fix",
		Long: "Check whether this machine can run the lab: what was found, why it matters, the exact fix.\n" +
			"With --fix, as root, apply the fixes that are safe and say what was changed; a machine with a\n" +
			"working Docker and a reachable registry is left as it is. Then say how fast the machine is, and how\n" +
			"long each profile will take here. Exit code 3 when the lab can't run here.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			examine := machine.Check
			var opts machine.Options
			if fix {
				opts.Progress = progress.New(cmd.ErrOrStderr())
				defer opts.Progress.Close()
				examine = machine.Fix
			}
			findings, err := examine(ctx, opts)
			if err != nil {
				return exitError{code: 3, err: err}
			}
			pace, err := measurePace(ctx)
			if err != nil {
				return exitError{code: 3, err: err}
			}
			if err := writeDoctor(cmd.OutOrStdout(), append(findings, pace.finding()), pace.estimates, asJSON); err != nil {
				return err
			}
			if machine.Err(findings) == nil {
				return nil
			}
			advice := "apply the fixes above"
			if !fix && machine.Fixable(findings) {
				advice = "run `cniperf doctor --fix`"
				if os.Geteuid() != 0 {
					advice += " as root"
				}
			}
			return exitError{code: 3, err: fmt.Errorf("this machine can't run the lab yet: %s", advice)}
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "apply the fixes that are safe (needs root)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

func writeDoctor(w io.Writer, findings []machine.Finding, estimates []speed.Estimate, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(findings)
	}
	if err := machine.WriteTable(w, findings); err != nil {
		return err
	}
	return writeEstimates(w, estimates)
}
