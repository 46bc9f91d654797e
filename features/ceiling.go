package features

import (
	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/internal/measure"
)

// goodput is the share of an Ethernet link's rate that the payload of TCP can
// have. Of the 1538 bytes that a full frame takes on the wire (1500 of MTU, 18
// of header and checksum, 20 of preamble and gap), 52 of the MTU are headers of
// IPv4 and of TCP with its timestamps. So a full 10 Gbit/s link shows as 9.41.
const goodput = 1448. / 1538

// ceilings are the limits that the arms of a comparison share, by the name of
// the metric and in its unit: the rate of the link, where the lab file gives it,
// for what crosses it. Every arm's client sends by its node's first interface.
// Clusters whose links differ share no limit.
func ceilings(spec *lab.Spec, placement string, clusters []string) (map[string]float64, error) {
	if placement != measure.CrossNode {
		return nil, nil
	}
	var rate float64
	for i, name := range clusters {
		c, err := spec.Cluster(name)
		if err != nil {
			return nil, err
		}
		link := c.Interfaces[0].LinkMbits * 1e6
		if link == 0 || i > 0 && link != rate {
			return nil, nil
		}
		rate = link
	}
	return map[string]float64{measure.Throughput.Name: rate * goodput}, nil
}

func (s *Suite) ceilings(cmp Comparison) (map[string]float64, error) {
	clusters, err := s.Catalogue.Clusters(cmp)
	if err != nil {
		return nil, err
	}
	return ceilings(s.spec, cmp.Placement, clusters)
}
