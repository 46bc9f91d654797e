package manifests

import "embed"

// Suite holds what the suite deploys and how it measures: workload/ (pods and
// Services), bypass/ (the same-node accelerator), catalogue.yaml (what is compared),
// datapaths.yaml (how pods talk, so what arms a lab has), profiles/ (how much to
// measure), thresholds/ (what is asserted), published.yaml (the figures shown beside
// ours), reference.yaml (what a run takes on the reference machine) and
// diagnostics.yaml (what is kept when a run went wrong).
//
//go:embed workload bypass profiles thresholds catalogue.yaml datapaths.yaml published.yaml diagnostics.yaml reference.yaml
var Suite embed.FS
