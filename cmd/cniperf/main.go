// Command cniperf prepares the machine and the images, runs the suite, and reads,
// judges and compares what its runs recorded.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/internal/signals"
)

// exitError carries the exit code of a command whose outcome is not simply
// success or failure: 1 fail, 2 inconclusive, 3 infrastructure.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string { return e.err.Error() }
func (e exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), signals.Ending()...)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	root := &cobra.Command{
		Use:           "cniperf",
		Short:         "Which Kubernetes datapath is faster, by how much, and did it get slower",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newDoctorCommand(),
		newRunCommand(),
		newImagesCommand(),
		newLabCommand(),
		newDownCommand(),
		newJudgeCommand(),
		newReportCommand(),
		newCompareCommand(),
		newHistoryCommand(),
		newServeCommand(),
		newParseCommand(),
	)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "cniperf:", printable(err.Error()))
	if ended := (runEnded{}); errors.As(err, &ended) {
		return ended.code
	}
	if ctx.Err() != nil {
		return 130
	}
	var exit exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return 1
}

// printable keeps what clusters and tools said in an error from reaching a
// terminal's control sequences. Its lines stay.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, text)
}
