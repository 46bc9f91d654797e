package run

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/features/plan"
	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/record"
)

// A run that ends because nothing is left to compare has to name what was refused.
func TestNothingToCompareNamesTheFirstThatWasLost(t *testing.T) {
	w, err := journal.Create(filepath.Join(t.TempDir(), "run"), journal.Header{RunID: "r"})
	require.NoError(t, err)
	defer w.Close()
	b := &Batch{phase: journal.PhaseFull, room: &room{book: &book{writer: w, past: &journal.Run{}}}}
	b.decided.Name = "c"
	lost := measure.Cell{Arm: "calico", Path: measure.PodIP}
	why := record.Reason{Code: record.PodsFailed, Cluster: "kube-proxy", Detail: "create cniperf/calico-server: exceeded quota"}
	require.NoError(t, b.room.book.skip("c", journal.PhaseFull, lost, why))
	b.cells = []plan.Cell{{Cell: measure.Cell{Arm: "macvlan"}}}
	err = b.enough()
	var left *leftOutError
	require.ErrorAs(t, err, &left)
	assert.Equal(t, record.NothingToCompare, left.why.Code)
	assert.ErrorContains(t, err, "calico")
	assert.ErrorContains(t, err, "create cniperf/calico-server: exceeded quota")
}
