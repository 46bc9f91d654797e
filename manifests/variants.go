package manifests

import "embed"

// Variants holds, in variants/, one file per configuration of a CNI; package
// fixtures/variant defines its fields.
//
//go:embed variants
var Variants embed.FS
