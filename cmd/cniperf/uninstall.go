package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/fixtures/cni"
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/page"
	"github.com/cniperf/cniperf/internal/progress"
)

// releaseWithin bounds giving the cluster's Lease back.
const releaseWithin = 10 * time.Second

func newLabUninstallCommand(flags *labFlags) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "uninstall CLUSTER",
		Short: "Remove what install: true made in a cluster that isn't cniperf's",
		Long: "Remove every object and Helm release with the label " + cni.RecipeLabel + " from a cluster of provider kubeconfig.\n" +
			"The cluster's pods lose their network. Objects of others go too where cniperf made the definition of their kind:\n" +
			"look first with --dry-run. Needs the opt-in labels that installing needs. " + lab.InstallLabel + " may be withdrawn afterwards.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := progress.New(cmd.ErrOrStderr())
			defer r.Close()
			l, spec, err := flags.open(cmd.Context(), r, noEngine)
			if err != nil {
				return err
			}
			c, err := spec.Cluster(args[0])
			if err != nil {
				return err
			}
			if c.Provider != lab.ProviderKubeconfig || !c.Install {
				return fmt.Errorf("cluster %s: only a cluster of provider %s with install: true can be uninstalled; `cniperf down` removes those that cniperf made", c.Name, lab.ProviderKubeconfig)
			}
			removed, err := uninstall(cmd.Context(), l, c.Name, dryRun, r)
			var p page.Page
			p.List(removed)
			verb := "removed"
			if dryRun {
				verb = "would be removed"
			}
			p.Paragraph("%d objects %s from cluster %s. No API object stands for these, and they stay on its nodes: %s.", len(removed), verb, c.Name, cni.LeftOnNodes)
			if err != nil {
				return exitError{code: 3, err: errors.Join(err, p.To(cmd.OutOrStdout()))}
			}
			return p.To(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only list what would be removed")
	return cmd
}

// uninstall keeps runs off the cluster while it removes what they would need.
func uninstall(ctx context.Context, l *lab.Lab, name string, dryRun bool, r *progress.Reporter) (_ []string, err error) {
	c, err := l.Up(ctx, name, "")
	if err != nil {
		return nil, err
	}
	if !dryRun {
		lease, err := lab.Acquire(ctx, c, "uninstall")
		if err != nil {
			return nil, err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
			defer cancel()
			err = errors.Join(err, lease.Release(ctx))
		}()
	}
	target, err := cni.NewTarget(c.Credentials(), nil, nil, r)
	if err != nil {
		return nil, err
	}
	removed, err := cni.NewInstaller(target).Uninstall(ctx, dryRun)
	if err != nil {
		return removed, fmt.Errorf("cluster %s: %w", name, err)
	}
	return removed, nil
}
