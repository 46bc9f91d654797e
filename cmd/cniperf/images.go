package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/fixtures/images"
	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/internal/progress"
)

func newImagesCommand() *cobra.Command {
	var list, prune, update bool
	var engine, root string
	cmd := &cobra.Command{
		Use:   "images [COMPONENT|CLUSTER...]",
		Short: "Build the images of the lab, all or the named ones, and show what is there",
		Long: "Build the images of the lab from pinned Go modules and Debian packages, as hack/images describes them:\n" +
			"all, or the named components with what they need; kube-proxy and ebpf stand for the node image of that\n" +
			"cluster. What was built from the same recipe before is left as it is.",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			root, err := repository(root)
			if err != nil {
				return err
			}
			b := &images.Builder{Root: root, Engine: engine}
			if engine == "" && !update {
				if b.Engine, err = machine.Engine(ctx); err != nil {
					return exitError{code: 3, err: err}
				}
			}
			out := cmd.OutOrStdout()
			switch {
			case update:
				changed, err := b.UpdateDigests(ctx)
				if err == nil {
					fmt.Fprintf(out, "%d digests changed: %s\n", len(changed), strings.Join(changed, " "))
				}
				return err
			case prune:
				removed, err := b.Prune(ctx)
				fmt.Fprintf(out, "%d images removed\n%s\n", len(removed), strings.Join(removed, "\n"))
				return err
			case !list:
				r := progress.New(cmd.ErrOrStderr())
				started := time.Now()
				err := b.Build(ctx, args, r)
				r.Close()
				if err != nil {
					return exitError{code: 3, err: err}
				}
				defer func() { fmt.Fprintf(out, "total %s\n", progress.Round(time.Since(started))) }()
			}
			states, err := b.List(ctx)
			if err != nil {
				return exitError{code: 3, err: err}
			}
			t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "COMPONENT\tVERSION\tHASH\tCACHED\tBUILD TIME\tLAST BUILT")
			for _, s := range states {
				cached, built := "no", "never here"
				if s.Cached {
					cached = "yes"
				}
				took := "about " + progress.Round(s.Expected).String()
				if !s.Built.IsZero() {
					took = progress.Round(s.Expected).String()
					built = s.Built.Local().Format(time.DateTime)
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Component, s.Version, s.Hash, cached, took, built)
			}
			return t.Flush()
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "only show what is there")
	cmd.Flags().BoolVar(&prune, "prune", false, "remove our images of other recipes than the current ones")
	cmd.Flags().BoolVar(&update, "update-digests", false, "look up the official images' digests and write them into hack/images/official.yaml")
	cmd.Flags().StringVar(&engine, "engine", "", "podman, docker or nerdctl (default: the first that is installed)")
	cmd.Flags().StringVar(&root, "root", "", "the repository (default: the one around the working directory)")
	cmd.MarkFlagsMutuallyExclusive("list", "prune", "update-digests")
	return cmd
}

// repository returns the folder with hack/images: the given one, or the
// nearest above the working directory.
func repository(root string) (string, error) {
	if root != "" {
		return filepath.Abs(root)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; {
		if _, err := os.Stat(filepath.Join(dir, "hack", "images", "recipes.yaml")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", fmt.Errorf("no hack/images/recipes.yaml in %s or above: run it in the repository or name that with --root", start)
		}
		dir = filepath.Dir(dir)
	}
}
