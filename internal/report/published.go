package report

import (
	"fmt"
	"io"
	"math"

	"github.com/cniperf/cniperf/internal/measure"
	"github.com/cniperf/cniperf/internal/strict"
)

// Published holds the figures of the published page by cell, in the units of
// package measure.
type Published map[measure.Cell]measure.Value

// byPath is one benchmark's figures by arm, for each place in the page.
type byPath[T any] struct {
	PodIP     map[string]T `yaml:"pod-ip"`
	ClusterIP map[string]T `yaml:"cluster-ip"`
	SameNode  map[string]T `yaml:"same-node"` // by Pod IP, within a node
}

type redisFigures struct {
	Get float64 `yaml:"get"`
	Set float64 `yaml:"set"`
}

// DecodePublished reads the published figures: latency in microseconds,
// transactions and requests per second, throughput in Gbit/s for 1, 2 and 4
// streams. Unknown fields and figures that aren't above zero are errors.
func DecodePublished(r io.Reader) (Published, error) {
	var file struct {
		Sockperf byPath[float64]      `yaml:"sockperf-latency"`
		Netperf  byPath[float64]      `yaml:"netperf-tcp-rr"`
		Iperf3   byPath[[3]float64]   `yaml:"iperf3"`
		Redis    byPath[redisFigures] `yaml:"redis"`
	}
	data, err := io.ReadAll(r)
	if err == nil {
		err = strict.Decode(data, &file)
	}
	if err != nil {
		return nil, fmt.Errorf("published figures: %w", err)
	}
	p := Published{}
	file.Sockperf.each(func(c measure.Cell, v float64) { p.add(c, "sockperf-latency", measure.Latency, v) })
	file.Netperf.each(func(c measure.Cell, v float64) { p.add(c, "netperf-tcp-rr", measure.Transactions, v) })
	file.Iperf3.each(func(c measure.Cell, v [3]float64) {
		for i, benchmark := range []string{"iperf3-p1", "iperf3-p2", "iperf3-p4"} {
			p.add(c, benchmark, measure.Throughput, v[i]*1e9)
		}
	})
	file.Redis.each(func(c measure.Cell, v redisFigures) {
		p.add(c, "redis-get", measure.Requests, v.Get)
		p.add(c, "redis-set", measure.Requests, v.Set)
	})
	for c, v := range p {
		if !(v.Value > 0) || math.IsInf(v.Value, 0) {
			return nil, fmt.Errorf("published figures: %s is %v, want a number above zero", c, v.Value)
		}
	}
	return p, nil
}

func (b byPath[T]) each(visit func(measure.Cell, T)) {
	for _, place := range []struct {
		path, placement string
		figures         map[string]T
	}{
		{measure.PodIP, measure.CrossNode, b.PodIP},
		{measure.ClusterIP, measure.CrossNode, b.ClusterIP},
		{measure.PodIP, measure.SameNode, b.SameNode},
	} {
		for arm, v := range place.figures {
			visit(measure.Cell{Arm: arm, Path: place.path, Placement: place.placement}, v)
		}
	}
}

func (p Published) add(c measure.Cell, benchmark string, m measure.Metric, v float64) {
	c.Benchmark = benchmark
	p[c] = measure.Value{Metric: m, Value: v}
}

// figure is the published value of a metric of a cell. The page shows the host
// arm in the table of every path, where our cell says host-ip.
func (p Published) figure(c measure.Cell, path string, m measure.Metric) *float64 {
	c.Control = false
	v, ok := p[c]
	if !ok {
		c.Path = path
		v, ok = p[c]
	}
	if !ok || v.Metric != m {
		return nil
	}
	return &v.Value
}
