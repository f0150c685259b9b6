package interp_test

import (
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/interp"
)

// BenchmarkRun is a loop of arithmetic, memory and a call: 10 steps a round.
func BenchmarkRun(b *testing.B) {
	m := parse(b, `func @f(v0 i64) (i64) {
	slot s0 "x" size 8 align 8
b0:
	v1 = const i64 0
	v2 = const i64 1
	v3 = slotaddr ptr.stack s0
	store.8 v3 +0, v1
	jump b1(v1)
b1(v4 i64):
	v5 = load.8 i64 v3 +0
	v6 = call i64 @g(v5)
	store.8 v3 +0, v6
	v7 = add i64 v4, v2
	v8 = ult i32 v7, v0
	branch v8, b1(v7), b2
b2:
	return v6
}
func @g(v0 i64) (i64) {
b0:
	v1 = xor i64 v0, v0
	v2 = neg i64 v1
	return v2
}`)
	vm := interp.New(m, interp.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := vm.Run(m.Funcs[0], 1000); err != nil {
			b.Fatal(err)
		}
	}
}
