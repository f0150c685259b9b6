// Package e2e holds the tests that need a kernel, or all packages together:
// the differential tests, the hooks, the examples, the benchmarks and the rule
// of which package may import which.
//
// They run in the kernel of the host, and with
//
//	go test ./e2e -kernel=6.12 [-run REGEXP]
//
// in a distribution kernel booted in QEMU (see package e2e/kernels); -kernel=all
// runs the whole matrix, -arch=arm64 that of another machine. -table writes the
// outcome into the README, and -broken puts a defect into the compiler, which the
// tests must find in every kernel.
//
// A test is skipped only for want of privilege, or on an error that says "not
// supported" in a kernel older than the release that the table of features
// states. A program that the verifier rejects is always a failure. On CI
// (environment variable CI=true) privilege may not be wanting. The host's kernel
// may be built without a feature, if it refuses a program that does nothing, and
// that undergo has not made, as well.
package e2e
