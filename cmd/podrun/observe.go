package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
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
	save   string // the iptables-save that shows kube-proxy's rules
}

func (o *observer) answer(ctx context.Context, q node.Question) (node.Counts, error) {
	c := node.Counts{Interfaces: map[string]node.Interface{}}
	dev, err := os.ReadFile("/proc/net/dev")
	if err != nil {
		return c, err
	}
	counters, err := parseNetDev(dev)
	if err != nil {
		return c, err
	}
	for name, n := range counters {
		index, err := interfaceIndex(name, "ifindex")
		if err != nil {
			return c, err
		}
		c.Interfaces[name] = node.Interface{Index: index, Counters: n}
	}
	if q.Rules {
		if c.Services, c.Endpoints, err = o.rules(ctx); err != nil {
			return c, err
		}
	}
	if q.Cilium {
		c.Cilium, err = o.status(ctx)
	}
	return c, err
}

// rules reads kube-proxy's counters from the back end of iptables that it uses,
// which is not known beforehand.
func (o *observer) rules(ctx context.Context) (services, endpoints map[string]uint64, err error) {
	candidates := []string{"iptables-nft-save", "iptables-legacy-save"}
	if o.save != "" {
		candidates = []string{o.save}
	}
	for _, save := range candidates {
		cmd := exec.CommandContext(ctx, save, "-c", "-t", "nat")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		said, err := cmd.Output()
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w: %s", save, err, strings.TrimSpace(stderr.String()))
		}
		if services, endpoints, err = node.ReadRules(string(said)); err != nil {
			return nil, nil, err
		}
		if len(services) > 0 {
			o.save = save
			return services, endpoints, nil
		}
	}
	return nil, nil, errors.New("iptables has no rules of kube-proxy's for any ClusterIP: it runs in another mode, or not at all")
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
