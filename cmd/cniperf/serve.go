package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/htmlreport"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/serve"
)

// newServeCommand shows recorded runs in a browser of this machine.
func newServeCommand() *cobra.Command {
	var address string
	rule := history.Rule{Window: 30, Alpha: .05}
	cmd := &cobra.Command{
		Use:   "serve [RUNS]",
		Short: "Show recorded runs in a browser of this machine, also one that goes on",
		Long: `serve lists the runs below the folder RUNS (default: runs), opens their reports,
puts two side by side and shows the history of a profile. The page of a run that goes
on follows it: its rounds and intervals appear as they are recorded.

It listens on the loopback interface only, writes nothing, and ends on an interrupt.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := runsDir
			if len(args) == 1 {
				dir = cmp.Or(args[0], runsDir)
			}
			if _, err := journal.List(dir); err != nil {
				return fmt.Errorf("serve: %w", err)
			}
			figures, err := publishedFigures()
			if err != nil {
				return fmt.Errorf("serve: %w", err)
			}
			l, err := serve.Listen(cmd.Context(), address)
			if err != nil {
				return fmt.Errorf("serve: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "http://%s/ shows the runs in %s; interrupt to end\n", l.Addr(), dir)
			return serve.New(dir, figures, rule, htmlreport.English{}).Serve(cmd.Context(), l)
		},
	}
	f := cmd.Flags()
	f.StringVar(&address, "address", "127.0.0.1:8077", "address of the loopback interface to listen on; port 0 takes a free one")
	f.IntVar(&rule.Window, "window", rule.Window, "nights that the newest is compared with, in a history")
	return cmd
}
