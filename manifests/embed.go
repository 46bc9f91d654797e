// Package manifests holds the YAML that cniperf applies or decides by: what is
// policy is data, and all of it lives here, inside the binary.
package manifests

import "embed"

// CNI holds, in cni/, the templates of our values for the charts of the CNIs
// and of our changes to what upstream wrote.
//
//go:embed cni
var CNI embed.FS
