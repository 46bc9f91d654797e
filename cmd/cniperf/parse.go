package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniperf/cniperf/features/tool/toolbox"
	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/output"
)

const parseHelp = `Parse reads the raw output of one run of a benchmark tool and prints its metrics
as one JSON object, each with its value, its unit and the direction in which it
improves. An output that is cut, short, refused or in doubt gives no metrics: the
reason goes to standard error and the exit code is 1.

%s
Without FILE, or with -, standard input is read.`

// readable says what parse reads of each tool, in two columns.
func readable() string {
	var text strings.Builder
	for _, t := range toolbox.Tools() {
		name := t.Name
		for line := range strings.SplitSeq(t.Reads, "\n") {
			fmt.Fprintf(&text, "  %-16s  %s\n", name, line)
			name = ""
		}
	}
	return text.String()
}

// parsed is the JSON object of one output.
type parsed struct {
	Tool    string                 `json:"tool"`
	Version string                 `json:"version,omitempty"`
	Mode    string                 `json:"mode"`
	Asked   float64                `json:"asked_seconds,omitempty"`
	Length  float64                `json:"measured_seconds,omitempty"`
	Metrics map[string]parsedValue `json:"metrics"`
}

type parsedValue struct {
	Value  float64           `json:"value"`
	Unit   string            `json:"unit"`
	Better measure.Direction `json:"better"`
}

func newParseCommand() *cobra.Command {
	var asked time.Duration
	cmd := &cobra.Command{
		Use:       "parse TOOL [FILE]",
		Short:     "Turn one raw output of a benchmark tool into JSON",
		Long:      fmt.Sprintf(parseHelp, readable()),
		Example:   "  cniperf parse sockperf out.txt\n  netperf -H 198.18.0.2 -l 10 -t TCP_RR | cniperf parse netperf --duration 10s",
		ValidArgs: toolbox.Names(),
		Args:      cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asked < 0 {
				return fmt.Errorf("--duration %v is negative", asked)
			}
			in, name := cmd.InOrStdin(), "standard input"
			if len(args) == 2 && args[1] != "-" {
				f, err := os.Open(args[1])
				if err != nil {
					return err
				}
				defer f.Close()
				in, name = f, args[1]
			}
			// One byte over the limit is enough for the parser to refuse it.
			raw, err := io.ReadAll(io.LimitReader(in, output.MaxSize+1))
			if err != nil {
				return fmt.Errorf("reading %s: %w", name, err)
			}
			p, err := parse(args[0], raw, asked)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			b, err := json.Marshal(p)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", b)
			return err
		},
	}
	cmd.Flags().DurationVar(&asked, "duration", 0, "length the run was ordered to have, compared with what the output tells (not for redis-benchmark)")
	return cmd
}

// parse reads raw with the parser of the tool of that name.
func parse(name string, raw []byte, asked time.Duration) (parsed, error) {
	t, err := toolbox.Named(name)
	if err != nil {
		return parsed{}, err
	}
	rs, err := t.Read(raw, asked)
	if err != nil {
		return parsed{}, err
	}
	p := parsed{Tool: rs[0].Tool, Version: rs[0].Version, Asked: rs[0].Asked.Seconds(), Length: rs[0].Measured.Seconds(), Metrics: map[string]parsedValue{}}
	var modes []string
	for _, r := range rs {
		modes = append(modes, r.Mode)
		for _, v := range r.Values {
			key := v.Name
			if t.ManyTests {
				key += "-" + strings.ToLower(r.Mode)
			}
			p.Metrics[key] = parsedValue{v.Value, v.Unit, v.Better}
		}
	}
	p.Mode = strings.Join(modes, ",")
	return p, nil
}
