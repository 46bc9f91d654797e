// Package clusters tests, with the build tag lab, what cniperf does to clusters
// that it did not make: nothing without their owner's word, and with it nothing
// but what the dry run lists. make test-clusters runs it.
package clusters
