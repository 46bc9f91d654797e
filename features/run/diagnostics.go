package run

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/cniperf/cniperf/fixtures/diagnose"
	"github.com/cniperf/cniperf/internal/verdict"
)

// explainable returns why a run's clusters are worth a look before its pods are
// removed, "" where they aren't.
func (e ending) explainable(code int, reason string) string {
	if code == verdict.ExitInfrastructure || code == verdict.ExitFail {
		return reason
	}
	invalid := e.measured.invalid()
	// An interrupted run has its minute to clean up and no more.
	if invalid > 0 && code != ExitInterrupted {
		return fmt.Sprintf("%d invalid samples, so their rounds were dropped; the run itself: %s", invalid, reason)
	}
	return ""
}

// diagnose keeps in the run's folder what explains an outcome that has to be
// explained, and returns the line that says so. That it can't is no outcome.
func (e ending) diagnose(ctx context.Context, code int, reason string) string {
	why := e.explainable(code, reason)
	if why == "" {
		return ""
	}
	e.progress.Printf("keeping diagnostics")
	spec, err := diagnose.Default()
	if err != nil {
		return err.Error()
	}
	var clusters []diagnose.Cluster
	for _, c := range e.bed.Reached() {
		clusters = append(clusters, diagnose.Cluster{Name: c.Name, REST: c.REST})
	}
	sum, err := diagnose.Collect(ctx, filepath.Join(e.runDir, "diagnostics"), why, spec, clusters)
	if err != nil {
		return err.Error()
	}
	return sum.String()
}
