// Package e2e holds the tests that need a kernel, or all packages together:
// the differential tests, the hooks, the examples, the benchmarks and the rule
// of which package may import which.
//
// They run in the kernel of the host, and with
//
//	go test ./e2e -kernel=6.12 [-run REGEXP]
//
// in a distribution kernel booted in QEMU (see package e2e/kernels); -kernel=all
// runs the whole matrix.
//
// A test is skipped only for want of privilege, or on an error that wraps
// "not supported" in a kernel older than the release the test states. On CI
// (environment variable CI=true) privilege may not be wanting.
package e2e
