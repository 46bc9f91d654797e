//go:build faults

package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// result is one repetition of a row.
type result struct {
	Row  string        `json:"row"`
	OK   bool          `json:"ok"`
	What string        `json:"what"`
	Took time.Duration `json:"took_ns"`
	// Whole is how long the repetition took, and Load the machine's load averages
	// at its end.
	Whole time.Duration `json:"whole_ns,omitempty"`
	Load  string        `json:"load,omitempty"`
}

// load is the machine's load average over 1, 5 and 15 minutes.
func load(t *testing.T) string {
	b, err := os.ReadFile("/proc/loadavg")
	require.NoError(t, err)
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

// table collects results, also those of earlier calls when it has a file.
type table struct {
	file    string
	results []result
}

func readTable(t *testing.T, file string) *table {
	tb := &table{file: file}
	if file == "" {
		return tb
	}
	data, err := os.ReadFile(file)
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	for line := range bytes.Lines(data) {
		var r result
		require.NoError(t, json.Unmarshal(line, &r))
		tb.results = append(tb.results, r)
	}
	return tb
}

func (tb *table) add(t *testing.T, r result) {
	tb.results = append(tb.results, r)
	if tb.file == "" {
		return
	}
	line, err := json.Marshal(r)
	require.NoError(t, err)
	f, err := os.OpenFile(tb.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = f.Write(append(line, '\n'))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// markdown is the table, one line for each row that was tried.
func (tb *table) markdown() string {
	var b strings.Builder
	b.WriteString("| fault | what must happen | what was seen | repetitions | worst time |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		var tried, ok int
		var worst time.Duration
		var what string
		for _, res := range tb.results {
			if res.Row != r.name {
				continue
			}
			tried++
			if res.OK {
				ok++
				worst, what = max(worst, res.Took), res.What
			}
		}
		if tried == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d of %d | %.1f s |\n", r.fault, r.must, strings.ReplaceAll(what, "|", `\|`), ok, tried, worst.Seconds())
	}
	return b.String()
}
