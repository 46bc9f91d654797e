package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/fixtures/images"
	"github.com/cniperf/cniperf/internal/progress"
)

// addMoves adds the ways in which a lab's images go to another machine.
func addMoves(cmd *cobra.Command, flags *imageFlags) {
	cmd.Args = cobra.ArbitraryArgs // components, beside the subcommands
	cmd.AddCommand(newImagesPushCommand(flags), newImagesSaveCommand(flags), newImagesLoadCommand(flags))
}

func newImagesPushCommand(flags *imageFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "push REGISTRY",
		Short: "Put all that a lab needs into a registry, such as registry.example/cniperf",
		Long: "Put the node images of all clusters, which hold all that a lab needs, into a registry; what is not here is\n" +
			"pulled or built first. bench and tcpip-bypass, which clusters of others pull, go there too if the engine has\n" +
			"them (cniperf images bench tcpip-bypass builds them). Machines of that site then take\n" +
			"--registry-mirror localhost/cniperf=REGISTRY. The credentials are those of the Docker configuration.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.move(cmd, "pushed", func(b *images.Builder, r *progress.Reporter) ([]string, error) {
				return images.Courier{Builder: b}.Push(cmd.Context(), args[0], r)
			})
		},
	}
}

func newImagesSaveCommand(flags *imageFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "save FILE",
		Short: "Write all that a lab needs into a file, for a machine without a network",
		Long: "Write the node images of all clusters, which hold all that a lab needs, into an OCI layout in a tar; what is\n" +
			"not here is pulled or built first. `cniperf images load FILE` takes it in again.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.move(cmd, "saved", func(b *images.Builder, r *progress.Reporter) ([]string, error) {
				return images.Courier{Builder: b}.Save(cmd.Context(), args[0], r)
			})
		},
	}
}

func newImagesLoadCommand(flags *imageFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "load FILE",
		Short: "Take in what `cniperf images save` wrote; refuse it if it was cut or changed",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.move(cmd, "loaded", func(b *images.Builder, _ *progress.Reporter) ([]string, error) {
				return images.Courier{Builder: b}.Load(cmd.Context(), args[0])
			})
		},
	}
}

// move does it and tells the images.
func (f *imageFlags) move(cmd *cobra.Command, done string, do func(*images.Builder, *progress.Reporter) ([]string, error)) error {
	b, err := f.builder(cmd.Context())
	if err != nil {
		return err
	}
	r := progress.New(cmd.ErrOrStderr())
	defer r.Close()
	refs, err := do(b, r)
	if err != nil {
		return exitError{code: 3, err: err}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", done, strings.Join(refs, "\n"+done+" "))
	return err
}
