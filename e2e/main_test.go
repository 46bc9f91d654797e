//go:build perf

package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"testing"
	"time"

	"sigs.k8s.io/e2e-framework/pkg/env"
	"sigs.k8s.io/e2e-framework/pkg/envconf"

	"github.com/cniperf/cniperf/features/run"
	"github.com/cniperf/cniperf/internal/signals"
	"github.com/cniperf/cniperf/internal/verdict"
)

var (
	testenv env.Environment
	suite   *run.Session
)

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	at, err := findPlace()
	if err != nil {
		return refuse(err)
	}
	o := run.Options{Source: at.source}
	o.Flags(flag.CommandLine)
	cfg, err := envconf.NewFromFlags()
	if err != nil {
		return refuse(err)
	}
	o.Labels, o.Feature, o.SkipFeature = cfg.Labels(), cfg.FeatureRegex(), cfg.SkipFeatureRegex()
	o.DryRun = cfg.DryRunMode()
	o.Timeout = goTestTimeout()

	ctx, stop := interruptible()
	defer stop()
	if suite, err = run.New(o); err != nil {
		return refuse(err)
	}
	bounded, cancel := suite.Bounded(ctx)
	defer cancel()
	if testenv, err = env.NewWithContext(bounded, cfg); err != nil {
		return refuse(err)
	}
	code := testenv.Run(m)
	return suite.Finish(ctx, code)
}

func refuse(err error) int {
	fmt.Fprintln(os.Stderr, "cniperf:", err)
	return verdict.ExitInfrastructure
}

// interruptible is cancelled by the first SIGINT, SIGTERM or SIGHUP, which leaves time
// to clean up; the second ends the process at once.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, signals.Ending()...)
	go func() {
		s, ok := <-caught
		if !ok {
			return
		}
		fmt.Fprintf(os.Stderr, "\ncniperf: %s: cleaning up (again to stop at once)\n", s)
		cancel(fmt.Errorf("%w by %s", run.ErrInterrupted, s))
		if _, ok := <-caught; ok {
			os.Exit(130)
		}
	}()
	return ctx, func() {
		signal.Stop(caught)
		close(caught)
		cancel(errors.New("run ended"))
	}
}

// goTestTimeout is go test's -timeout, after which it would panic without any
// clean-up; 0 means none.
func goTestTimeout() time.Duration {
	d, ok := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration)
	if !ok {
		return 0
	}
	return d
}
