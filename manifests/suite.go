package manifests

import "embed"

// Suite holds what the suite deploys and how it measures: workload/ (pods and
// Services), bypass/ (the same-node accelerator), profiles/ (how much to measure), thresholds/ (what is asserted),
// published.yaml (the figures shown beside ours), reference.yaml (what a run takes on the machine of the
// README) and diagnostics.yaml (what is kept when a run went wrong).
//
//go:embed workload bypass profiles thresholds published.yaml diagnostics.yaml reference.yaml
var Suite embed.FS
