// Package e2e is the suite's entry: go test ./e2e -tags perf. Without the tag
// it is empty, so that go test ./... needs no cluster.
package e2e
