package build

import (
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
)

// This file lowers calls of functions that the compiler implements itself.

// lowerIntrinsic lowers the call c of callee, the intrinsic of the given name.
func (fn *function) lowerIntrinsic(name string, callee *ssa.Function, c *ssa.CallCommon) operand {
	switch {
	case name == printkName:
		return fn.lowerPrintk(c)
	case mapIntrinsics[name] != nil:
		return mapIntrinsics[name](fn, callee, c)
	case strings.HasPrefix(name, packetPrefix):
		return fn.lowerPacket(name, c)
	case name == overlayName:
		return fn.lowerOverlay(callee, c)
	case strings.HasPrefix(name, regsPrefix):
		return fn.lowerRegs(name, c)
	case strings.HasPrefix(name, tracingPrefix):
		return fn.lowerTracing(name, c)
	}
	fn.fail(diag.NoBody, "use a version of package ebpf that belongs to this compiler",
		"call of %s, an intrinsic %s that the compiler does not have", callee, name)
	return badOperand
}

// findVariadic looks for the variadic arguments of intrinsics. They are taken
// apart while compiling: the slice of interfaces that go/ssa makes for them never
// exists, and what makes it is skipped.
func (fn *function) findVariadic() {
	fn.variadic = make(map[ssa.Value][]ssa.Value)
	for _, blk := range fn.src.Blocks {
		for _, instr := range blk.Instrs {
			c, ok := instr.(*ssa.Call)
			if !ok || !c.Call.Signature().Variadic() {
				continue
			}
			// A function without source is an error that hides others.
			if f := c.Call.StaticCallee(); f != nil && len(f.Blocks) == 0 {
				fn.takeApart(c.Call.Args[len(c.Call.Args)-1])
			}
		}
	}
}

// takeApart records the elements of the slice v if it was made for this call.
func (fn *function) takeApart(v ssa.Value) {
	s, ok := v.(*ssa.Slice)
	if !ok {
		return
	}
	arr, ok := s.X.(*ssa.Alloc)
	if !ok || len(*s.Referrers()) != 1 || s.Low != nil || s.High != nil {
		return
	}
	for _, r := range *arr.Referrers() {
		if _, ok := r.(*ssa.IndexAddr); !ok && r != s {
			return
		}
	}
	elems := make([]ssa.Value, arrayOf(arr.Type()).Len())
	for _, r := range *arr.Referrers() {
		e, ok := r.(*ssa.IndexAddr)
		if !ok {
			continue
		}
		i, _ := constInt(e.Index)
		fn.skip[e] = true
		for _, r := range *e.Referrers() {
			if st, ok := r.(*ssa.Store); ok {
				elems[i] = st.Val
				fn.skip[st] = true
			}
		}
	}
	fn.skip[arr], fn.skip[s] = true, true
	fn.vals[s] = operand{}
	fn.variadic[s] = elems
}
