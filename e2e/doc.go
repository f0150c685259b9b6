// Package e2e holds the tests that need a kernel, or all packages together:
// the differential tests, the hooks, the examples, the benchmarks and the rule
// of which package may import which.
//
// They run in the kernel of the host, and with
//
//	go test ./e2e -kernel=6.12 [-run REGEXP]
//
// in a distribution kernel booted in QEMU (see package e2e/kernels), together with those of
// the other packages that need a kernel; -kernel=all runs the whole matrix, -guests of them
// at a time, -arch=arm64 that of another machine. -table writes the
// outcome into the README, and -broken puts a defect into the compiler, which the
// tests must find in every kernel.
//
// Package e2e/kerneltest says what not every kernel has, and which failure may skip a test.
package e2e
