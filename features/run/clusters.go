package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/record"
)

// bed brings up a cluster of the lab; *testbed.Testbed is one. fresh tells that
// this call brought it up.
type bed interface {
	Cluster(ctx context.Context, name string) (c *testbed.Cluster, fresh bool, err error)
}

// Clusters are those of the lab, brought up when they are first needed. One that
// is lost costs its own arms and nothing else.
type Clusters struct {
	bed bed
	// note records what a cluster is when it is first up. An error of the
	// infrastructure loses the cluster, any other ends the run.
	note func(context.Context, *testbed.Cluster) error
	say  func(format string, args ...any)
	lost map[string]record.Reason
}

// Up brings up the named clusters and returns those that stand. Why others don't
// stand is told by Lost. An error is the end of ctx, or of the run.
func (c *Clusters) Up(ctx context.Context, names []string) (map[string]*testbed.Cluster, error) {
	up := map[string]*testbed.Cluster{}
	for _, name := range names {
		if _, lost := c.lost[name]; lost {
			continue
		}
		cluster, fresh, err := c.bed.Cluster(ctx, name)
		if err == nil && fresh {
			if err = c.note(ctx, cluster); err != nil && !errors.Is(err, ErrInfrastructure) {
				return up, err
			}
		}
		if ctx.Err() != nil {
			return up, errors.Join(context.Cause(ctx), err)
		}
		if err != nil {
			c.Lose(name, err)
			continue
		}
		up[name] = cluster
	}
	return up, nil
}

// Lose marks a cluster as lost for the rest of the run.
func (c *Clusters) Lose(name string, err error) {
	if c.lost == nil {
		c.lost = map[string]record.Reason{}
	}
	c.lost[name] = record.Reason{Code: record.ClusterLost, Cluster: name, Detail: err.Error()}
	c.say("cluster %s is lost, its arms are left out from now on: %v", name, err)
}

// Lost tells why a cluster is not to be had any more.
func (c *Clusters) Lost(name string) (record.Reason, bool) {
	r, ok := c.lost[name]
	return r, ok
}

// errNone is the reason for a comparison none of whose clusters stands.
func (c *Clusters) errNone(names []string) error {
	var errs []error
	for _, name := range names {
		if r, ok := c.lost[name]; ok {
			errs = append(errs, errors.New(r.String()))
		}
	}
	return fmt.Errorf("%w: %w", ErrInfrastructure, errors.Join(errs...))
}
