package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

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
			"cluster. What was built from the same recipe before is left as it is. The table shows what the last build\n" +
			"of each component took: wall time, and processor time (user and system) of all programs it ran.",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			b, err := newBuilder(ctx, root, engine, !update)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			switch {
			case update:
				return updateDigests(ctx, b, out)
			case prune:
				removed, err := b.Prune(ctx)
				fmt.Fprintf(out, "%d images removed\n%s\n", len(removed), strings.Join(removed, "\n"))
				return err
			case list:
				return printImages(ctx, b, out)
			}
			return buildImages(ctx, b, args, out, cmd.ErrOrStderr())
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

// newBuilder returns the builder of images; an engine is looked for if it is
// needed and none is named.
func newBuilder(ctx context.Context, root, engine string, needed bool) (*images.Builder, error) {
	root, err := repository(root)
	if err != nil {
		return nil, err
	}
	cache, err := machine.DefaultCacheDir()
	if err != nil {
		return nil, exitError{code: 3, err: err}
	}
	if engine == "" && needed {
		if engine, err = machine.Engine(ctx); err != nil {
			return nil, exitError{code: 3, err: err}
		}
	}
	return &images.Builder{Root: root, CacheDir: cache, Engine: engine}, nil
}

func updateDigests(ctx context.Context, b *images.Builder, out io.Writer) error {
	changed, err := b.UpdateDigests(ctx)
	if err == nil {
		fmt.Fprintf(out, "%d digests changed: %s\n", len(changed), strings.Join(changed, " "))
	}
	return err
}

func buildImages(ctx context.Context, b *images.Builder, names []string, out, progressOut io.Writer) error {
	r := progress.New(progressOut)
	started := time.Now()
	err := b.Build(ctx, names, r)
	r.Close()
	if err != nil {
		return exitError{code: 3, err: err}
	}
	if err := printImages(ctx, b, out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "this call took %s, %s CPU seconds\n", progress.Round(time.Since(started)), cpuSeconds(processorTime()))
	return err
}

// processorTime is what this process and its ended children took, user and system.
func processorTime() time.Duration {
	var total time.Duration
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if unix.Getrusage(who, &u) == nil {
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return total
}

func cpuSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) }

func printImages(ctx context.Context, b *images.Builder, out io.Writer) error {
	states, err := b.List(ctx)
	if err != nil {
		return exitError{code: 3, err: err}
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "COMPONENT\tVERSION\tHASH\tCACHED\tWALL TIME\tCPU SECONDS\tLAST BUILT")
	for _, s := range states {
		cached, built, cpu := "no", "never here", "-"
		if s.Cached {
			cached = "yes"
		}
		took := "about " + progress.Round(s.Expected).String()
		if !s.Built.IsZero() {
			took = progress.Round(s.Expected).String()
			built = s.Built.Local().Format(time.DateTime)
		}
		if s.CPU > 0 {
			cpu = cpuSeconds(s.CPU)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Component, s.Version, s.Hash, cached, took, cpu, built)
	}
	return t.Flush()
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
