// Package signals says which signals end a program of ours in its own time, so
// that it can clean up first.
package signals

import (
	"os"
	"os/signal"
	"syscall"
)

// Ending are Ctrl-C, the usual request to end, and the end of the terminal or of
// the connection that the program was started from. What is ignored stays ignored,
// as it is under nohup: asking for SIGHUP would make it end after all.
func Ending() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}
