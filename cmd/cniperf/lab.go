package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/internal/page"
	"github.com/cniperf/cniperf/internal/progress"
)

// labFlags are what every command about the lab takes.
type labFlags struct{ file, engine string }

func (f *labFlags) add(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&f.file, "lab", "", "lab file (the embedded lab when empty)")
	cmd.PersistentFlags().StringVar(&f.engine, "engine", "", "container engine: docker or podman (the first that works when empty)")
}

// open returns the lab and its spec. findEngine is called when no engine is named.
func (f *labFlags) open(ctx context.Context, r *progress.Reporter, findEngine func(context.Context, *lab.Spec) (string, error)) (*lab.Lab, *lab.Spec, error) {
	spec, err := lab.Load(f.file)
	if err != nil {
		return nil, nil, err
	}
	cache, err := machine.DefaultCacheDir()
	if err != nil {
		return nil, nil, err
	}
	engine := f.engine
	if engine == "" {
		if engine, err = findEngine(ctx, spec); err != nil {
			return nil, nil, err
		}
	}
	return lab.New(spec, lab.Options{Engine: engine, Installed: machine.Installed(), Dir: filepath.Join(cache, "lab"), Progress: r}), spec, nil
}

// kindEngine finds an engine only when a cluster of the lab needs one.
func kindEngine(ctx context.Context, spec *lab.Spec) (string, error) {
	if spec.NeedsEngine() {
		return machine.Engine(ctx)
	}
	return "", nil
}

// noEngine is for what finds the engines by itself or needs none.
func noEngine(context.Context, *lab.Spec) (string, error) { return "", nil }

func newLabCommand() *cobra.Command {
	var flags labFlags
	cmd := &cobra.Command{Use: "lab", Short: "Bring up, or look at, the clusters that are measured"}
	flags.add(cmd)
	cmd.AddCommand(newLabUpCommand(&flags), newLabStatusCommand(&flags), newLabUninstallCommand(&flags))
	return cmd
}

func newLabUpCommand(flags *labFlags) *cobra.Command {
	var image string
	cmd := &cobra.Command{
		Use:   "up [CLUSTER...]",
		Short: "Make the clusters, without CNI, or reuse those that are there and equal",
		RunE: func(cmd *cobra.Command, names []string) error {
			r := progress.New(cmd.ErrOrStderr())
			defer r.Close()
			l, spec, err := flags.open(cmd.Context(), r, kindEngine)
			if err != nil {
				return err
			}
			if len(names) == 0 {
				for _, c := range spec.Clusters {
					names = append(names, c.Name)
				}
			}
			if image != "" && len(names) != 1 {
				return errors.New("--node-image is for one cluster: name it")
			}
			for _, name := range names {
				c, err := l.Up(cmd.Context(), name, image)
				if err != nil {
					return exitError{code: 3, err: err}
				}
				// A cluster that isn't ours has its owner's file and no copy of it.
				file := c.Kubeconfig
				if k := c.Spec.Kubeconfig; k != nil {
					file = k.Path
				}
				fmt.Fprintln(cmd.OutOrStdout(), file)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&image, "node-image", "", "image of the nodes, for a cluster that isn't there yet")
	return cmd
}

func newLabStatusCommand(flags *labFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the state of the lab's clusters and change nothing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, _, err := flags.open(cmd.Context(), nil, kindEngine)
			if err != nil {
				return err
			}
			all, err := l.Status(cmd.Context())
			if err != nil {
				return exitError{code: 3, err: err}
			}
			var rows [][]string
			for _, s := range all {
				rows = append(rows, []string{s.Cluster, string(s.State), strings.ReplaceAll(s.Detail, "\n", "; ")})
			}
			var p page.Page
			p.Table("lll", []string{"CLUSTER", "STATE", "DETAIL"}, rows)
			return p.To(cmd.OutOrStdout())
		},
	}
}
