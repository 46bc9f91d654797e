package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cniperf/cniperf/fixtures/lab"
	"github.com/cniperf/cniperf/fixtures/testbed"
	"github.com/cniperf/cniperf/internal/journal"
)

// errOther tells that what stands is not what the run that is resumed was measured on.
var errOther = errors.New("not what was measured")

// standing records what a cluster is once it stands.
type standing struct {
	lab     *lab.Spec
	book    *book
	workers *workers
	runDir  string
}

// note records what a cluster is once it stands, and refuses another one than the
// resumed run was measured on.
func (s *standing) note(ctx context.Context, c *testbed.Cluster) error {
	if err := s.sameCluster(ctx, c); err != nil {
		return err
	}
	for _, f := range c.Facts {
		fact := journal.Fact{Cluster: c.Name, Subject: f.Subject, Claim: f.Claim, Found: f.Found}
		if slices.Contains(s.book.past.Facts, fact) {
			continue
		}
		if err := s.book.append(fact); err != nil {
			return err
		}
	}
	for _, t := range c.Timings {
		if err := s.book.stage(t.Stage, t.Duration, nil); err != nil {
			return err
		}
	}
	return s.noteIdle(ctx, c)
}

// sameCluster refuses a cluster that isn't what the run that is resumed was
// measured on, and else records what it is.
func (s *standing) sameCluster(ctx context.Context, c *testbed.Cluster) error {
	var now map[string]string
	err := s.workers.asked(ctx, c.Name, "what it is", func(ctx context.Context) (err error) {
		now, err = c.Fingerprint(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	return s.same(journal.Fingerprint{Cluster: c.Name, Values: now})
}

// same refuses what isn't what the run that is resumed was measured on, and else
// records it.
func (s *standing) same(now journal.Fingerprint) error {
	for _, was := range s.book.past.Prints {
		if was.Cluster != now.Cluster || was.Node != now.Node {
			continue
		}
		if err := refusal(differences(was.Values, now.Values)); err != nil {
			return fmt.Errorf("%w: resume %s: cluster %s: %w", errOther, s.runDir, strings.TrimSuffix(now.Cluster+", node "+now.Node, ", node "), err)
		}
		return nil
	}
	return s.book.writer.Append(now)
}
