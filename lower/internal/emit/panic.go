package emit

import (
	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file writes the exits of panics, behind all other code of the function:
//
//	     r1 = &panics[site 0]
//	     goto tail
//	     r1 = &panics[site 1]
//	tail: r2 = 1
//	     lock *(u64 *)(r1 +0) += r2
//	     r0 = status
//	     exit
//
// The status is what the program returns for a panic in the entry function, and
// -1 as a 64-bit number in others, whose callers test it and pass it on. In
// programs that return the site nothing is counted, and the status is -(1+site)
// everywhere.

// A stub is the exit of a panic.
type stub struct {
	label label
	site  int
	pos   mir.Pos
}

// stub returns the label of the exit for a panic at site. Panics at the same
// site share it.
func (fn *function) stub(site int, pos mir.Pos) label {
	for i := range fn.stubs {
		if fn.stubs[i].site == site {
			return fn.stubs[i].label
		}
	}
	if pos == 0 {
		pos = fn.code.pos
	}
	l := fn.code.newLabel()
	fn.stubs = append(fn.stubs, stub{label: l, site: site, pos: pos})
	return l
}

// emitStubs writes the exits of all panics of the function.
func (fn *function) emitStubs() {
	if fn.in.ReturnSite {
		for _, s := range fn.stubs {
			fn.code.at(s.pos)
			fn.code.bind(s.label)
			status := int32(-1 - s.site)
			if fn.f.Callback {
				status = fn.f.Stop
			}
			fn.code.emit(asm.Mov.Imm(asm.R0, status))
			fn.code.emit(asm.Return())
		}
		return
	}
	if len(fn.stubs) == 0 {
		return
	}
	fn.counts = true
	tail := fn.code.newLabel()
	for i, s := range fn.stubs {
		fn.code.at(s.pos)
		fn.code.bind(s.label)
		fn.code.emit(asm.LoadMapValue(asm.R1, 0, uint32(8*s.site)).WithReference(fn.in.PanicSection))
		if i < len(fn.stubs)-1 {
			fn.code.jump(asm.Instruction{OpCode: opGoto}, tail)
		}
	}
	fn.code.bind(tail)
	fn.code.emit(asm.Mov.Imm(asm.R2, 1))
	fn.code.emit(atomic(mir.AtomicAdd, 8, asm.R1, asm.R2, 0))
	fn.leave()
}

// propagate writes a return after a call that panicked; R0 is its status.
func (fn *function) propagate() {
	switch {
	case fn.f.Callback:
		fn.code.emit(asm.Mov.Imm(asm.R0, fn.f.Stop))
	case fn.f.Entry && !fn.in.ReturnSite:
		fn.code.emit(asm.Mov.Imm(asm.R0, fn.in.OnPanic))
	}
	fn.code.emit(asm.Return())
}

// leave writes a return after a panic that is counted already, or that cannot
// happen.
func (fn *function) leave() {
	status := int32(-1)
	switch {
	case fn.f.Callback:
		status = fn.f.Stop
	case fn.f.Entry:
		status = fn.in.OnPanic
	}
	fn.code.emit(asm.Mov.Imm(asm.R0, status))
	fn.code.emit(asm.Return())
}
