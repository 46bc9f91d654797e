// Package aws without Amazon: its client of EC2 alone takes a fifth of the time
// that compiling Calico takes. Felix asks for it when awsSrcDstCheck is set,
// which no cluster of ours does.
package aws

import (
	"errors"

	apiv3 "github.com/projectcalico/api/pkg/apis/projectcalico/v3"
	log "github.com/sirupsen/logrus"
	"k8s.io/utils/clock"

	"github.com/projectcalico/calico/libcalico-go/lib/health"
)

var errWithout = errors.New("awsSrcDstCheck is set, but this Felix is built without AWS: see hack/images/calico/overlay of cniperf")

type SrcDstCheckUpdater interface {
	Update(option apiv3.AWSSrcDstCheckOption) error
}

func WaitForEC2SrcDstCheckUpdate(check apiv3.AWSSrcDstCheckOption, healthAgg *health.HealthAggregator, updater SrcDstCheckUpdater, _ clock.Clock) {
	const healthName = "AWSSourceDestinationCheck"
	healthAgg.RegisterReporter(healthName, &health.HealthReport{Live: true, Ready: true}, 0)
	healthAgg.Report(healthName, &health.HealthReport{Live: true, Ready: false})
	log.WithField("src-dst-check", check).Errorf("Failed to set source-destination-check: %v", updater.Update(check))
}

type EC2SrcDstCheckUpdater struct{}

func NewEC2SrcDstCheckUpdater() *EC2SrcDstCheckUpdater { return &EC2SrcDstCheckUpdater{} }

func (*EC2SrcDstCheckUpdater) Update(apiv3.AWSSrcDstCheckOption) error { return errWithout }
