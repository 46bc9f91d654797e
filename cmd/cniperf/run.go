package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	suite "github.com/cniperf/cniperf/features/run"
	"github.com/cniperf/cniperf/fixtures/machine"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/signals"
	"github.com/cniperf/cniperf/internal/toolchain"
	"github.com/cniperf/cniperf/internal/verdict"
)

// runTimeout is how long a run may take that says nothing else.
const runTimeout = "120m"

const runHelp = `run measures and judges: it is the suite, compiled from cniperf's own source, and
takes its flags. It ends as the run did: 0 pass, 1 fail, 2 inconclusive, 3
infrastructure or bad input, 130 interrupted. (go test makes 1 of every failure,
make 2.) Runs are written below ./runs.

Beside the suite's own flags it takes -timeout, which is go test's (` + runTimeout + `), and those
of the framework: -labels, -skip-labels, -feature, -skip-features, -assess,
-skip-assessment and -dry-run.

Flags:
`

func newRunCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run [FLAG...]",
		Short: "Measure and judge, and end with the true exit code",
		Long:  runHelp + suiteFlags(),
		// The suite reads them: what it takes is in one place.
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if slices.ContainsFunc(args, func(a string) bool { return strings.TrimLeft(a, "-") == "help" || a == "-h" }) {
				return cmd.Help()
			}
			return runSuite(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
}

// suiteFlags lists the suite's own flags.
func suiteFlags() string {
	var text strings.Builder
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	f.SetOutput(&text)
	new(suite.Options).Flags(f)
	f.PrintDefaults()
	return text.String()
}

// runEnded is how a run ended that didn't pass. Unlike an exitError it is the last
// word even if cniperf was interrupted: the suite decided that.
type runEnded struct {
	code int
	why  string
}

var outcomes = map[int]string{
	verdict.ExitFail: "fail", verdict.ExitInconclusive: "inconclusive", verdict.ExitInfrastructure: "infrastructure or bad input",
	suite.ExitInterrupted: "interrupted",
}

func (e runEnded) Error() string {
	text := fmt.Sprintf("exit code %d: %s", e.code, cmp.Or(outcomes[e.code], "unknown"))
	if e.why != "" {
		text += ": " + e.why
	}
	return text
}

func runSuite(ctx context.Context, args []string, out, messages io.Writer) error {
	flags, dir, err := suiteArguments(args, time.Now())
	if err != nil {
		return exitError{verdict.ExitInfrastructure, err}
	}
	source, err := toolchain.Source(ctx, ".")
	if err != nil {
		return exitError{verdict.ExitInfrastructure, err}
	}
	fmt.Fprintln(messages, "▶ compiling the suite (some minutes the first time)")
	program, err := compileSuite(ctx, source, messages)
	if err != nil {
		return exitError{verdict.ExitInfrastructure, err}
	}
	cmd := exec.Command(program, flags...)
	cmd.Env = append(os.Environ(), toolchain.SourceEnv+"="+source)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, messages
	return ending(await(cmd), dir)
}

// suiteArguments translates the arguments for the test program, and returns the
// folder of the run besides.
func suiteArguments(args []string, now time.Time) (flags []string, dir string, err error) {
	flags = []string{"-test.v"}
	profile, resume, timeout := "quick", "", cmp.Or(os.Getenv("CNIPERF_TIMEOUT"), runTimeout)
	for i := 0; i < len(args); i++ {
		name, value, assigned := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !slices.Contains([]string{"timeout", "run-dir", "resume", "profile"}, name) || !strings.HasPrefix(args[i], "-") {
			flags = append(flags, args[i])
			continue
		}
		if !assigned {
			if i++; i == len(args) {
				return nil, "", fmt.Errorf("run: -%s wants a value", name)
			}
			value = args[i]
		}
		switch name {
		case "timeout":
			timeout = value
			continue
		case "run-dir":
			dir = value
		case "resume":
			resume = value
		case "profile":
			profile = value
		}
		flags = append(flags, "-"+name+"="+value)
	}
	flags = append(flags, "-test.timeout="+timeout)
	if d, err := time.ParseDuration(timeout); err != nil || d < 0 {
		return nil, "", fmt.Errorf("run: -timeout %q is no duration such as 90m", timeout)
	}
	if resume != "" {
		dir, err = journal.Find(runsDir, resume)
		return flags, dir, err
	}
	if dir == "" {
		if profile != filepath.Base(profile) {
			return nil, "", fmt.Errorf("run: %q is no profile", profile)
		}
		dir = filepath.Join(runsDir, strings.ToLower(now.UTC().Format("20060102T150405Z"))+"-"+profile)
		flags = append(flags, "-run-dir="+dir)
	}
	return flags, dir, nil
}

// compileSuite compiles the suite as hack/perf.sh compiles cniperf, into the cache.
func compileSuite(ctx context.Context, source string, messages io.Writer) (string, error) {
	cache, err := machine.DefaultCacheDir()
	if err != nil {
		return "", err
	}
	program := filepath.Join(cache, "suite", "e2e.test")
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", fmt.Errorf("compile the suite: %w", err)
	}
	cpus, memory := toolchain.Machine()
	args := append([]string{"test", "-c", "-vet=off", "-tags", "perf", "-p", strconv.Itoa(cpus)}, toolchain.Flags()...)
	cmd := exec.CommandContext(ctx, "go", append(args, "-ldflags=-s", "-o", program, "./e2e")...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = source, messages, messages
	cmd.Env = append(os.Environ(), toolchain.Settings(cpus, memory)...)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("compile the suite in %s: %w", source, err)
	}
	return program, nil
}

// await runs a program in a process group of its own and passes signals on, so that
// each arrives once: a terminal sends Ctrl-C to the whole group in front. If cniperf
// is killed, the program is asked to end.
func await(cmd *exec.Cmd) error {
	caught := make(chan os.Signal, 4)
	signal.Notify(caught, signals.Ending()...)
	defer signal.Stop(caught)
	ended := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		// The kernel means the thread that started it when it says parent.
		runtime.LockOSThread()
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
		err := cmd.Start()
		close(started)
		if err == nil {
			err = cmd.Wait()
		}
		ended <- err
	}()
	<-started
	for {
		select {
		case err := <-ended:
			return err
		case s := <-caught:
			if cmd.Process != nil {
				_ = cmd.Process.Signal(s) // it may have ended by itself
			}
		}
	}
}

// ending is nil for a run that passed. A Go program that panics ends with 2, as an
// inconclusive run does: the run's record has the truth.
func ending(err error, dir string) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return runEnded{verdict.ExitInfrastructure, err.Error()}
	case exit.ExitCode() == verdict.ExitInconclusive:
		return recordedEnd(dir)
	case outcomes[exit.ExitCode()] == "":
		return runEnded{verdict.ExitInfrastructure, "the suite ended with " + exit.Error()}
	}
	return runEnded{exit.ExitCode(), ""}
}

func recordedEnd(dir string) error {
	run, err := journal.Read(dir)
	if err != nil {
		return runEnded{verdict.ExitInfrastructure, "the suite broke: " + err.Error()}
	}
	if run.End == nil || run.End.ExitCode != verdict.ExitInconclusive {
		return runEnded{verdict.ExitInfrastructure, "the suite broke, and " + dir + " records no such end"}
	}
	return runEnded{verdict.ExitInconclusive, ""}
}
