package run

import (
	"fmt"
	"os"

	"github.com/cniperf/cniperf/internal/htmlreport"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/report"
	"github.com/cniperf/cniperf/manifests"
)

// PrintReport writes the reports of what the journal holds so far and prints
// the tables.
func (s *Session) PrintReport() error {
	run, err := journal.ReadValues(s.runDir)
	if err != nil {
		return err
	}
	f, err := manifests.Suite.Open("published.yaml")
	if err != nil {
		return err
	}
	defer f.Close()
	published, err := report.DecodePublished(f)
	if err != nil {
		return fmt.Errorf("published.yaml: %w", err)
	}
	if err := report.Write(s.runDir, run, published); err != nil {
		return err
	}
	shown, err := htmlreport.Read(s.runDir)
	if err != nil {
		return err
	}
	if err := htmlreport.Write(s.runDir, shown, published); err != nil {
		return err
	}
	return report.New(run, published).Text(os.Stdout)
}
