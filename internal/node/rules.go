package node

import (
	"fmt"
	"strconv"
	"strings"
)

// Rule is one rule of an iptables chain.
type Rule struct {
	Chain string
	// Jump is the chain or the target that it goes to.
	Jump string
	// Packets are those that it matched.
	Packets uint64
	words   []string
}

// ParseRules takes the rules from what iptables -v -S or iptables-save prints; other
// lines are left alone. counted wants each to have counters, as -v gives them.
func ParseRules(text string, counted bool) ([]Rule, error) {
	var rules []Rule
	for line := range strings.Lines(text) {
		// iptables-save -c has the counters before the rule.
		counters, rest, ok := strings.Cut(strings.TrimSpace(line), "-A ")
		if !ok || counters != "" && counters[0] != '[' {
			continue
		}
		r := Rule{words: strings.Fields(rest)}
		if len(r.words) == 0 {
			return nil, fmt.Errorf("iptables: a rule of no chain: %q", line)
		}
		r.Chain, r.Jump = r.words[0], r.after("-j")
		if counted {
			var err error
			if r.Packets, err = strconv.ParseUint(r.after("-c"), 10, 64); err != nil {
				return nil, fmt.Errorf("iptables: counters of %q: %w", line, err)
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// ServiceChain is kube-proxy's chain of a ClusterIP, ADDRESS:PORT/PROTOCOL, among the
// rules of the nat table; empty if there is none.
func ServiceChain(rules []Rule, service string) string {
	for _, r := range rules {
		if r.Chain != "KUBE-SERVICES" || !strings.HasPrefix(r.Jump, "KUBE-SVC-") {
			continue
		}
		address, _, _ := strings.Cut(r.after("-d"), "/")
		if address+":"+r.after("--dport")+"/"+r.after("-p") == service {
			return r.Jump
		}
	}
	return ""
}

// Endpoint is the ADDRESS:PORT/PROTOCOL to which a rule translates; empty if it
// doesn't.
func (r Rule) Endpoint() string {
	if r.Jump != "DNAT" {
		return ""
	}
	return r.after("--to-destination") + "/" + r.after("-p")
}

// after is the word that follows an option.
func (r Rule) after(option string) string {
	for i, w := range r.words[:len(r.words)-1] {
		if w == option {
			return r.words[i+1]
		}
	}
	return ""
}
