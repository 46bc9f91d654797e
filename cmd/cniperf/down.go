package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newDownCommand() *cobra.Command {
	var flags labFlags
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Remove the lab: clusters, networks, volumes, rules and files of ours, and nothing else",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, _, err := flags.open(cmd.Context(), nil, anyEngine)
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
			return nil
		},
	}
	flags.add(cmd)
	return cmd
}
