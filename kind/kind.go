// Package kind embeds the description of the lab and the template of the kind
// clusters in it.
package kind

import _ "embed"

// Lab is the lab file used when no other is named; package fixtures/lab
// defines its fields.
//
//go:embed lab.yaml
var Lab []byte

// Cluster is the text/template of one cluster's kind configuration; package
// fixtures/lab fills it.
//
//go:embed cluster.yaml.tmpl
var Cluster string
