// Package irtest holds text forms of modules that the tests of several packages
// share. It may import ir only.
package irtest

import (
	"fmt"
	"strings"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// OpSamples holds, for each operation, a valid module that contains it, in the
// very form in which it is printed. Function @f takes integers only and runs to
// its end without a panic on any argument, given a helper that returns 7.
var OpSamples = opSamples()

func opSamples() map[ir.Op]string {
	m := map[ir.Op]string{
		ir.OpParam: `func @f(v0 i64) (i64) {
b0:
	return v0
}
`,
		ir.OpConst: `func @f() (i64) {
b0:
	v0 = const i64 -9223372036854775808
	return v0
}
`,
		ir.OpNeg:    unary("i64", "neg i64 v0"),
		ir.OpSExtIn: unary("i64", "sextin i64 8 v0"),
		ir.OpBswap:  unary("i64", "bswap i64 16 v0"),
		ir.OpTrunc:  unary("i32", "trunc i32 v0"),
		ir.OpZExt:   widen("zext"),
		ir.OpSExt:   widen("sext"),
		ir.OpSelect: `func @f(v0 i32, v1 i64, v2 i64) (i64) {
b0:
	v3 = select i64 v0, v1, v2
	return v3
}
`,
		ir.OpPi:       unary("i64", "pi i64 v0"),
		ir.OpOpaque:   unary("i64", "opaque i64 v0"),
		ir.OpSlotAddr: inSlot("v2 = load.8 i64 v1 +0", "i64"),
		ir.OpDataAddr: `data @d size 16 align 8 ro "\x01\x02"

func @f() (i32) {
b0:
	v0 = dataaddr ptr.data @d +8
	v1 = load.4 i32 v0 -4
	return v1
}
`,
		ir.OpMapRef: `map @m
helper lookup 1 (map, mem) sizes (-1) ptr.mapvalue reads

func @f(v0 i64) (i32) {
	slot s0 "key" size 8 align 8
b0:
	v1 = slotaddr ptr.stack s0
	store.8 v1 +0, v0
	v2 = mapref mapref @m
	v3 = helper ptr.mapvalue lookup(v2, v1)
	v4 = const ptr 0
	v5 = eq i32 v3, v4
	return v5
}
`,
		ir.OpFuncAddr: `helper loop 181 (scalar, func, scalar, scalar) i64

func @f(v0 i64) (i64) {
b0:
	v1 = funcaddr funcref @g
	v2 = helper i64 loop(v0, v1, v0, v0)
	return v2
}

func @g(v0 i64) (i64) {
b0:
	return v0
}
`,
		ir.OpPtrAdd: inSlot(`v2 = const i64 4
	v3 = ptradd ptr.stack v1, v2
	v4 = load.4s i64 v3 -4`, "i64"),
		ir.OpPtrDiff: inSlot(`v2 = const i64 4
	v3 = ptradd ptr.stack v1, v2
	v4 = ptrdiff i64 v3, v1`, "i64"),
		ir.OpPtrToInt: inSlot("v2 = ptrtoint i64 v1", "i64"),
		ir.OpIntToPtr: inSlot(`v2 = ptrtoint i64 v1
	v3 = inttoptr ptr v2
	v4 = eq i32 v3, v1`, "i32"),
		ir.OpLoad: inSlot("v2 = load.2s i32 v1 +2", "i32"),
		ir.OpStore: inSlot(`store.8 v1 +0, v1
	v2 = load.8 ptr.stack v1 +0
	v3 = eq i32 v2, v1`, "i32"),
		ir.OpMemZero: inSlot(`memzero 3 v1 +1
	v2 = load.4 i32 v1 +0`, "i32"),
		ir.OpMemCopy: `func @f(v0 i64) (i64) {
	slot s0 "a" size 8 align 8
	slot s1 "b" size 8 align 8 looped
b0:
	v1 = slotaddr ptr.stack s0
	store.8 v1 +0, v0
	v2 = slotaddr ptr.stack s1
	memcopy 8 v2, v1
	v3 = load.8 i64 v2 +0
	return v3
}
`,
		ir.OpAtomic: inSlot(`atomic.8 add v1 +0, v0
	v2 = atomic.8 i64 cmpxchg v1 +0, v0, v0`, "i64"),
		ir.OpCall: `func @f(v0 i64) (i64) {
b0:
	call @h()
	v1 = call i64 @g(v0)
	return v1
}

func @g(v0 i64) (i64) noinline {
b0:
	return v0
}

func @h() {
b0:
	return
}
`,
		ir.OpResult: `func @f(v0 i64, v1 i32) (i32, i64) {
b0:
	v2 = call void @swap(v0, v1)
	v3 = result i32 0 v2
	v4 = result i64 1 v2
	return v3, v4
}

func @swap(v0 i64, v1 i32) (i32, i64) {
b0:
	return v1, v0
}
`,
		ir.OpHelper: `helper get_prandom_u32 7 () i64

func @f() (i64) {
b0:
	v0 = helper i64 get_prandom_u32()
	return v0
}
`,
		ir.OpCheck: checked(`v1 = const i32 1
	check v1 !0`, "v1", "i32"),
		ir.OpCheckIdx: checked(`v1 = const i64 3
	v2 = const i64 4
	v3 = checkidx i64 v1, v2 !0`, "v3", "i64"),
		ir.OpCheckULe: checked(`v1 = const i64 4
	v2 = checkule i64 v1, v1 !0`, "v2", "i64"),
		ir.OpLoopLimit: checked("looplimit !0", "v0", "i64"),
		ir.OpCheckNonNil: `site !0 nil "nil pointer dereference"

func @f(v0 i64) (i64) {
	slot s0 "x" size 8 align 8
b0:
	v1 = slotaddr ptr.stack s0
	v2 = checknonnil ptr.stack v1 !0
	store.8 v2 +0, v0
	return v0
}
`,
	}
	for op := ir.OpAdd; op <= ir.OpAShr; op++ {
		m[op] = binary(fmt.Sprintf("%s i64 v0, v1", op), "i64")
	}
	for op := ir.OpEq; op <= ir.OpSGe; op++ {
		m[op] = binary(fmt.Sprintf("%s i32 v0, v1", op), "i32")
	}
	return m
}

func unary(result, instr string) string {
	return fmt.Sprintf(`func @f(v0 i64) (%s) {
b0:
	v1 = %s
	return v1
}
`, result, instr)
}

func widen(op string) string {
	return fmt.Sprintf(`func @f(v0 i32) (i64) {
b0:
	v1 = %s i64 v0
	return v1
}
`, op)
}

func binary(instr, result string) string {
	return fmt.Sprintf(`func @f(v0 i64, v1 i64) (%s) {
b0:
	v2 = %s
	return v2
}
`, result, instr)
}

// inSlot returns a function that stores its parameter v0 at v1 in a slot of 8
// bytes, runs body and returns body's last value.
func inSlot(body, result string) string {
	last := 2
	for i := 2; i < 10; i++ {
		if strings.Contains(body, fmt.Sprintf("v%d = ", i)) {
			last = i
		}
	}
	return fmt.Sprintf(`func @f(v0 i64) (%s) {
	slot s0 "x" size 8 align 8
b0:
	v1 = slotaddr ptr.stack s0
	store.8 v1 +0, v0
	%s
	return v%d
}
`, result, body, last)
}

func checked(body, value, result string) string {
	return fmt.Sprintf(`site !0 index "index out of range"

func @f(v0 i64) (%s) {
b0:
	%s
	return %s
}
`, result, body, value)
}
