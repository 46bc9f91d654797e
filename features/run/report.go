package run

import (
	"fmt"
	"os"
	"path/filepath"

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
	shown, err := withEvidence(run)
	if err != nil {
		return err
	}
	if err := htmlreport.Write(s.runDir, shown, published); err != nil {
		return err
	}
	return report.New(run, published).Text(os.Stdout)
}

// pageable is up to which size in bytes of a journal its page shows the evidence of
// every sample: a browser has to hold what the page holds.
const pageable = 64 << 20

// withEvidence returns the run with what was seen around its samples, if a page can
// hold it.
func withEvidence(run *journal.Run) (*journal.Run, error) {
	info, err := os.Stat(filepath.Join(run.Dir, journal.FileName))
	if err != nil || info.Size() > pageable {
		return run, err
	}
	return journal.Read(run.Dir)
}
