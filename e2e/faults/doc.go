// Package faults breaks real runs on the standing lab and asserts that nothing
// is lost, nothing is left behind and no wrong word is said: make test-faults.
// Without the build tag faults it is empty.
package faults
