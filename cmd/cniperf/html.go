package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/cniperf/cniperf/internal/htmlreport"
	"github.com/cniperf/cniperf/internal/journal"
)

// printHTML prints the page of one run.
func printHTML(out io.Writer, args []string) (*journal.Run, error) {
	if len(args) != 1 {
		return nil, errors.New("report: a page shows one run: give one RUN")
	}
	figures, err := publishedFigures()
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	runs, err := readRuns(args, htmlreport.Read)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if err := htmlreport.New(runs[0], figures, htmlreport.English{}).HTML(out); err != nil {
		return nil, fmt.Errorf("report on %s: %w", runs[0].Dir, err)
	}
	return runs[0], nil
}
