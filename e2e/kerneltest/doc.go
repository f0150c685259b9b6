// Package kerneltest is what tests that need a kernel share: the features that not
// every kernel has, each declared once with the release that must have it, and the rule
// of which failure may skip a test.
//
// A test is skipped for want of privilege, unless the environment variable CI is true; or
// on an error that says "not supported", in a kernel older than the feature's
// declaration says. A program that the verifier rejects is always a failure. The kernel
// of the host, which is none of the matrix, may be built without a feature if it refuses
// a program that does nothing, and that undergo has not made, as well.
//
// # What this package may know
//
// The public packages, cilium's, and testing. The tests of all packages may import it.
package kerneltest
