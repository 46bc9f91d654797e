package main

import (
	"context"
	"fmt"
	"io"
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
	"github.com/cniperf/cniperf/internal/toolchain"
)

// imageFlags say how images are come by.
type imageFlags struct {
	engine, source string
	registry       images.Registry
	mirrors        []string
	from           string
}

func (f *imageFlags) add(cmd *cobra.Command) {
	p := cmd.PersistentFlags()
	p.StringVar(&f.engine, "engine", "", "podman, docker or nerdctl (default: the first that is installed)")
	p.StringVar(&f.source, "source", "", "folder of cniperf's source (default: of the module around the working directory, else of this version)")
	p.StringArrayVar(&f.mirrors, "registry-mirror", nil, "REGISTRY=MIRROR, such as quay.io=registry.example/quay; may be given more than once")
	p.StringArrayVar(&f.registry.PlainHTTP, "registry-plain-http", nil, "HOST:PORT of a registry that has no TLS; may be given more than once")
	p.StringVar(&f.from, "images-from", "", "registry or source: only pull, or only build, what images are missing")
}

// builder returns the builder of images; an engine is looked for if none is named.
func (f *imageFlags) builder(ctx context.Context) (*images.Builder, error) {
	if err := f.readRegistry(); err != nil {
		return nil, exitError{code: 3, err: err}
	}
	cache, err := machine.DefaultCacheDir()
	if err != nil {
		return nil, exitError{code: 3, err: err}
	}
	engine := f.engine
	if engine == "" {
		if engine, err = machine.Engine(ctx); err != nil {
			return nil, exitError{code: 3, err: err}
		}
	}
	return &images.Builder{Source: f.source, CacheDir: cache, Engine: engine, Registry: f.registry}, nil
}

// readRegistry checks what the flags say of registries.
func (f *imageFlags) readRegistry() error {
	f.registry.From, f.registry.Mirrors = images.From(f.from), map[string]string{}
	for _, text := range f.mirrors {
		from, to, err := images.ParseMirror(text)
		if err != nil {
			return err
		}
		f.registry.Mirrors[from] = to
	}
	return f.registry.Check()
}

func newImagesCommand() *cobra.Command {
	var flags imageFlags
	var list, prune, update bool
	cmd := &cobra.Command{
		Use:   "images [COMPONENT|CLUSTER...]",
		Short: "Pull or build the images of the lab, all or the named ones, and show what is there",
		Long: "Provide the images of the lab: pulled where registries answer, else built from pinned Go modules and Debian\n" +
			"packages. kube-proxy and ebpf stand for the node image of that cluster; a COMPONENT of hack/images/recipes.yaml\n" +
			"is built with what it needs. What was made from the same recipe before is left as it is. The table shows what\n" +
			"the last build of each component took: wall time, and processor time (user and system) of all programs it ran.",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			if update {
				return updateDigests(ctx, &flags, out)
			}
			b, err := flags.builder(ctx)
			if err != nil {
				return err
			}
			switch {
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
	flags.add(cmd)
	addMoves(cmd, &flags)
	cmd.Flags().BoolVar(&list, "list", false, "only show what is there")
	cmd.Flags().BoolVar(&prune, "prune", false, "remove our images of other recipes than the current ones")
	cmd.Flags().BoolVar(&update, "update-digests", false, "look up the official images' digests and write them into hack/images/official.yaml of the source")
	cmd.MarkFlagsMutuallyExclusive("list", "prune", "update-digests")
	return cmd
}

func updateDigests(ctx context.Context, f *imageFlags, out io.Writer) error {
	if err := f.readRegistry(); err != nil {
		return err
	}
	source := f.source
	if source == "" {
		var err error
		if source, err = toolchain.Source(ctx, "."); err != nil {
			return err
		}
	}
	changed, err := images.UpdateDigests(ctx, filepath.Join(source, "hack", "images", "official.yaml"), f.registry)
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
