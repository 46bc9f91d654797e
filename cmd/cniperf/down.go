package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/internal/page"
)

func newDownCommand() *cobra.Command {
	var flags labFlags
	var host bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Remove the lab: clusters, networks, volumes, rules and files of ours, and nothing else",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, _, err := flags.open(cmd.Context(), nil, noEngine)
			if err != nil {
				return err
			}
			removed, err := l.Down(cmd.Context())
			for _, what := range removed {
				fmt.Fprintln(cmd.OutOrStdout(), "removed", what)
			}
			if err != nil {
				return exitError{code: 3, err: err}
			}
			if len(removed) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing of ours is left")
			}
			if host {
				return restoreHost(cmd.OutOrStdout(), machine.Options{})
			}
			return nil
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&host, "host", false, "then put back what doctor --fix changed on this machine; say what stays")
	return cmd
}

// restoreHost puts the machine's settings back and says what it leaves.
func restoreHost(w io.Writer, opts machine.Options) error {
	restored, left, err := machine.Restore(opts)
	var p page.Page
	var lines []string
	for _, what := range restored {
		lines = append(lines, "put back: "+what)
	}
	for _, what := range left {
		lines = append(lines, "left: "+what)
	}
	p.List(lines)
	if len(restored)+len(left) == 0 && err == nil {
		p.Paragraph("cniperf changed no setting of this machine")
	}
	if err := errors.Join(p.To(w), err); err != nil {
		return exitError{code: 3, err: err}
	}
	return nil
}
