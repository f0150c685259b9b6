package isel

import (
	"fmt"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file selects calls, parameters and results: moves from and to R1-R5 and
// R0 around the call. Values of type I32 cross calls of functions with a zero
// upper half, like everywhere.

// maxArgs is the number of argument registers.
const maxArgs = 5

func (s *selector) call(v *ir.Value) {
	callee := v.Callee()
	s.callSym(v, mir.OpCallFn, mir.Sym{Kind: mir.SymFunc, Name: callee.Name})
}

func (s *selector) helper(v *ir.Value) {
	h := v.Helper()
	s.callSym(v, mir.OpCallHelper, mir.Sym{Kind: mir.SymHelper, Name: h.Name, ID: h.ID})
}

func (s *selector) callSym(v *ir.Value, op mir.Op, sym mir.Sym) {
	if len(v.Args) > maxArgs {
		panic(fmt.Sprintf("BUG: isel: %d arguments for %s", len(v.Args), sym.Name))
	}
	for i, a := range v.Args {
		s.moveTo(mir.R1+mir.Reg(i), a)
	}
	s.emit(mir.Inst{Op: op, Dst: mir.NoReg, Src: mir.NoReg, Src2: mir.NoReg, Sym: &sym, NArgs: uint8(len(v.Args))})
	if d := s.def(v); d != mir.NoReg {
		s.mov(d, mir.R0)
	}
}

// result is never reached: the calling convention leaves no call with several
// results.
func (s *selector) result(v *ir.Value) {
	panic(fmt.Sprintf("BUG: isel: call with several results in %s", s.fn.Name))
}

// params moves the function's parameters out of their registers.
func (s *selector) params() {
	params := s.fn.Params()
	if len(params) > maxArgs {
		panic(fmt.Sprintf("BUG: isel: %s has %d parameters", s.fn.Name, len(params)))
	}
	for i, p := range params {
		if r := s.values[p.ID].reg; r != mir.NoReg {
			s.mov(r, mir.R1+mir.Reg(i))
		}
	}
}

// results returns from the function. R0 is set even if there is no result,
// because the verifier wants it to be.
func (s *selector) results(results []*ir.Value) {
	switch len(results) {
	case 0:
		s.movImm(mir.R0, ir.I64, 0)
	case 1:
		s.moveTo(mir.R0, results[0])
	default:
		panic(fmt.Sprintf("BUG: isel: %s has %d results", s.fn.Name, len(results)))
	}
	s.simple(mir.OpExit, 0)
}

// panic selects a panic. A callee's is passed on with its status in R0.
func (s *selector) panic(t *ir.Term) {
	if t.Site != nil {
		s.simple(mir.OpPanic, t.Site.Index)
		return
	}
	s.moveTo(mir.R0, t.Args[0])
	s.simple(mir.OpPanic, mir.SitePropagate)
}
