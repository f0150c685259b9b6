// Package bench compares what undergo makes of Go with what clang makes of C: small and
// medium programs of the kinds that XDP is used for, each written in both languages by the
// customs of each.
//
//	go test ./e2e/bench                       # equal results: native Go, undergo, clang
//	go test ./e2e/bench -run Compare -compare # and the table of ratios
//
// Clang 19 is used where it is installed as clang-19.
package bench
