// Command podrun starts benchmark tools inside pods.
//
//	podrun serve -cpu last -servers JSON      supervise a pod's servers, pinned
//	podrun run -id ID -cpu last -timeout 5s -port N -- ARGV   run a client, certify its output
//	podrun fetch -id ID                       print a finished run's output again
//	podrun servers                            answer each line of standard input with the servers' state
//	podrun observe                            answer questions about the node on standard input
//
// run pins the tool, limits its time and its output, snapshots the counters of
// the pod's interfaces and of the node's processors around it, and ends the
// output with the trailer of internal/trailer. The output is kept in -dir until
// the next run, so that a cut exec stream loses nothing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// maxOutput bounds what one run may print; a tool that exceeds it is ended.
const maxOutput = 16 << 20

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "podrun:", err)
		os.Exit(125)
	}
}

type options struct {
	id, cpu, dir, servers string
	port                  int // of the server whose sockets are looked for
	udp                   bool
	timeout               time.Duration
	argv                  []string
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("want one of serve, servers, run, fetch, observe")
	}
	var o options
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	fs.StringVar(&o.id, "id", "", "name of the run")
	fs.StringVar(&o.cpu, "cpu", "", "CPU to pin to: a number, last, or empty for none")
	fs.StringVar(&o.dir, "dir", "/run/podrun", "where outputs are kept")
	fs.StringVar(&o.servers, "servers", "", "serve: the servers as JSON")
	fs.DurationVar(&o.timeout, "timeout", 0, "when the tool is killed")
	fs.IntVar(&o.port, "port", 0, "run: the server's port, by which the tool's sockets are found")
	fs.BoolVar(&o.udp, "udp", false, "the port is UDP")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	o.argv = fs.Args()
	switch args[0] {
	case "serve":
		return serve(o.cpu, o.dir, o.servers)
	case "run":
		return measure(o, os.Stdout)
	case "fetch":
		return fetch(o, os.Stdout)
	case "servers":
		return answerServers(o.dir, os.Stdin, os.Stdout)
	case "observe":
		return observe(os.Stdin, os.Stdout)
	default:
		return fmt.Errorf("unknown command %q", args[0])
	}
}
