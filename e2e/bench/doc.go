// Package bench compares what undergo makes of Go with what clang makes of C: small and
// medium programs of the kinds that XDP is used for, each written in both languages by the
// customs of each.
//
//	go test ./e2e/bench                          # equal results: native Go, undergo, clang
//	go test ./e2e/bench -run Compare -compare -v # and the table of ratios
//	go test ./e2e/bench -run Dump -dump fnv -v   # and the instructions of one program
//
// Clang 19 is used where it is installed as clang-19.
//
// The ratios are of instructions in 8-byte slots, bytes of machine code, instructions that the
// verifier looked at, microseconds of loading, and nanoseconds of a run less those of a
// program that does nothing. The latter are of the kernel's run-time statistics, because a
// test run tells whole nanoseconds only. Of each compiler several instances are
// loaded, whose code lies at different places; they run in turns, and the medians count.
// A test run repeats a program on the packet that the run before has left: no program is
// repeated more often than it then does the same work.
// The machine should have nothing else to do.
package bench
