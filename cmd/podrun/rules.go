package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/cniperf/cniperf/internal/node"
)

// ruleReader reads the counters of kube-proxy's rules for one Service at a time. The
// whole nat table, which grows with the Services of the cluster, is read once for
// each; afterwards only the Service's own chains are. (iptables-legacy can't get a
// chain from the kernel without its table.)
type ruleReader struct {
	chains map[string]serviceChain // by the Service's ADDRESS:PORT/PROTOCOL
}

// serviceChain is where kube-proxy has a Service's rules: its chain, in one of the
// two back ends of iptables.
type serviceChain struct{ backend, name string }

// read returns the packets that the Service's rules matched, and those translated to
// each of its endpoints. Both are empty where kube-proxy has no rule for it.
func (r *ruleReader) read(ctx context.Context, service string) (services, endpoints map[string]uint64, err error) {
	services, endpoints = map[string]uint64{}, map[string]uint64{}
	at, known := r.chains[service]
	if !known {
		if at, err = find(ctx, service); err != nil || at.name == "" {
			return services, endpoints, err
		}
	}
	rules, err := at.rules(ctx, at.name)
	if err != nil {
		delete(r.chains, service) // it may have gone with its Service
		return nil, nil, err
	}
	for _, rule := range rules {
		if !strings.HasPrefix(rule.Jump, "KUBE-SEP-") {
			continue
		}
		services[service] += rule.Packets
		translating, err := at.rules(ctx, rule.Jump)
		if err != nil {
			return nil, nil, err
		}
		for _, t := range translating {
			if endpoint := t.Endpoint(); endpoint != "" {
				endpoints[endpoint] = t.Packets
			}
		}
	}
	if r.chains == nil {
		r.chains = map[string]serviceChain{}
	}
	r.chains[service] = at
	return services, endpoints, nil
}

// find looks for the Service's chain. Which back end kube-proxy uses is not known
// beforehand.
func find(ctx context.Context, service string) (serviceChain, error) {
	for _, backend := range []string{"nft", "legacy"} {
		text, err := iptables(ctx, "iptables-"+backend+"-save", "-t", "nat")
		if err != nil {
			return serviceChain{}, err
		}
		rules, err := node.ParseRules(text, false)
		if err != nil {
			return serviceChain{}, err
		}
		if name := node.ServiceChain(rules, service); name != "" {
			return serviceChain{backend, name}, nil
		}
	}
	return serviceChain{}, nil
}

func (c serviceChain) rules(ctx context.Context, chain string) ([]node.Rule, error) {
	text, err := iptables(ctx, "iptables-"+c.backend, "-t", "nat", "-v", "-S", chain)
	if err != nil {
		return nil, err
	}
	return node.ParseRules(text, true)
}

// iptables runs one of its commands that only read. The pod's own disk can't be
// written, so the lock that even those take is made in memory.
func iptables(ctx context.Context, command ...string) (string, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "XTABLES_LOCKFILE=/dev/shm/xtables.lock")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	said, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(said), nil
}
