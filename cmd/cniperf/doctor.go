package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/fixtures/machine/speed"
	"github.com/cniperf/cniperf/internal/progress"
)

func newDoctorCommand() *cobra.Command {
	var fix, ask, asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether this machine can run the lab, and prepare it with --fix",
		Long: "Check whether this machine can run the lab: what was found, why it matters, the exact fix.\n" +
			"With --fix, as root, apply the fixes that are safe and say what was changed; a machine with a\n" +
			"working Docker and a reachable registry is left as it is. With --ask, list the fixes and ask on a\n" +
			"terminal; elsewhere refuse. `cniperf down --host` puts settings back. Then say how fast the machine\n" +
			"is, and how long each profile will take here. Exit code 3 when the lab can't run here.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := doctor{
				check: machine.Check, fix: machine.Fix, changes: machine.Changes, fixable: machine.Fixable, pace: measurePace, root: os.Geteuid() == 0,
				in: cmd.InOrStdin(), out: cmd.OutOrStdout(), messages: cmd.ErrOrStderr(), json: asJSON,
				terminal: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
			}
			return d.run(cmd.Context(), fix, ask)
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "apply the fixes that are safe, without asking (needs root)")
	cmd.Flags().BoolVar(&ask, "ask", false, "list the fixes and ask before applying them; refuse where nobody can answer")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	cmd.MarkFlagsMutuallyExclusive("fix", "ask")
	return cmd
}

// doctor is one call of the command.
type doctor struct {
	check, fix     func(context.Context, machine.Options) ([]machine.Finding, error)
	changes        func([]machine.Finding) []string
	pace           func(context.Context) (machinePace, error)
	fixable        func([]machine.Finding) bool
	root, terminal bool
	in             io.Reader
	out, messages  io.Writer
	json           bool
}

// errUnasked says that this machine would have to be changed and nobody agreed.
var errUnasked = errors.New("this machine would have to be changed first, and nothing was: run `make perf FIX=1` or `cniperf doctor --fix` to agree")

func (d doctor) run(ctx context.Context, fix, ask bool) error {
	var opts machine.Options
	examine := d.check
	if fix {
		opts.Progress = progress.New(d.messages)
		defer opts.Progress.Close()
		examine = d.fix
	}
	findings, err := examine(ctx, opts)
	if err != nil {
		return exitError{code: 3, err: err}
	}
	changes := d.changes(findings)
	asking := ask && d.root && len(changes) > 0
	if asking && d.terminal {
		agreed, err := d.agree(changes)
		if err != nil {
			return exitError{code: 3, err: err}
		}
		if agreed {
			return d.run(ctx, true, false)
		}
	}
	pace, err := d.pace(ctx)
	if err != nil {
		return exitError{code: 3, err: err}
	}
	if err := writeDoctor(d.out, append(slices.Clone(findings), pace.finding()), pace.estimates, d.json); err != nil {
		return err
	}
	switch {
	case machine.Err(findings) == nil:
		return nil
	case asking && d.fixable(findings):
		if !d.terminal {
			if err := machine.WriteChanges(d.messages, changes); err != nil {
				return err
			}
		}
		return exitError{code: 3, err: errUnasked}
	}
	advice := "apply the fixes above"
	if !fix && d.fixable(findings) {
		advice = "run `cniperf doctor --fix`"
		if !d.root {
			advice += " as root"
		}
	}
	return exitError{code: 3, err: fmt.Errorf("this machine can't run the lab yet: %s", advice)}
}

// agree lists the changes and asks once for all of them.
func (d doctor) agree(changes []string) (bool, error) {
	if err := machine.WriteChanges(d.messages, changes); err != nil {
		return false, err
	}
	if _, err := fmt.Fprint(d.messages, "change it? [y/N] "); err != nil {
		return false, err
	}
	answer, err := bufio.NewReader(d.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
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
