// Package resource without the Envoy extensions that Cilium itself does not
// use: the original names them all for CiliumEnvoyConfig resources of users. Our
// clusters run without Envoy.
package resource
