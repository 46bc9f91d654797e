package manifests

import "embed"

// Suite holds what the suite deploys and how it measures: workload/ (pods and
// Services), bypass/ (the same-node accelerator), profiles/ (how much to measure), thresholds/ (what is asserted)
// and published.yaml (the figures shown beside ours).
//
//go:embed workload bypass profiles thresholds published.yaml
var Suite embed.FS
