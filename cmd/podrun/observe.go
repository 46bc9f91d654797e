package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/cniperf/cniperf/internal/node"
)

// ciliumSocket is where Cilium's agent serves its API on every node.
const ciliumSocket = "/var/run/cilium/cilium.sock"

// answerTimeout bounds one answer: a question comes between two samples.
const answerTimeout = 5 * time.Second

// observe answers each line of in, a node.Question, with a line of node.Counts.
// It runs in the node's own network namespace, and for a whole run: a new exec
// for each question would take longer than the question.
func observe(in io.Reader, out io.Writer) error {
	o := &observer{cilium: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", ciliumSocket)
		},
	}}}
	lines := bufio.NewScanner(in)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var q node.Question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return fmt.Errorf("question %q: %w", lines.Text(), err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
		answer, err := o.answer(ctx, q)
		cancel()
		if err != nil {
			answer = node.Counts{Error: err.Error()}
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

type observer struct {
	cilium *http.Client
	rules  ruleReader
}

func (o *observer) answer(ctx context.Context, q node.Question) (node.Counts, error) {
	var c node.Counts
	var err error
	if c.Interfaces, err = readLinks(); err != nil {
		return c, err
	}
	if c.IPsec, err = readIPsec(); err != nil {
		return c, err
	}
	if q.Towards != "" {
		if c.Via, err = way(q.Towards, c.Interfaces); err != nil {
			return c, err
		}
	}
	if q.Describe {
		if c.Facts, err = facts(ctx, "/", c.Via); err != nil {
			return c, err
		}
	}
	if q.Service != "" {
		if c.Services, c.Endpoints, err = o.rules.read(ctx, q.Service); err != nil {
			return c, err
		}
	}
	if q.Cilium {
		c.Cilium, err = o.status(ctx)
	}
	return c, err
}

func (o *observer) status(ctx context.Context) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/v1/healthz", nil)
	if err != nil {
		return nil, err
	}
	resp, err := o.cilium.Do(req)
	if err != nil {
		return nil, fmt.Errorf("Cilium's agent on this node: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxOutput))
	if err != nil {
		return nil, fmt.Errorf("Cilium's agent on this node: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("Cilium's agent on this node: %s: %s", resp.Status, body)
	}
	var status json.RawMessage
	if err := json.Unmarshal(body, &status); err != nil {
		return nil, fmt.Errorf("Cilium's agent on this node: %w", err)
	}
	return status, nil
}
