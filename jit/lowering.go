package jit

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file hands functions in go/ssa's form to lower.

// lower compiles one function as a program. Diagnostics are added to those of
// the compilation and make the result nil.
func (f *front) lower(s *source, target lower.Target) (*Program, error) {
	if s.section.flags&hasFrags != 0 && !target.Kernel.AtLeast(fragsKernel) {
		f.diags.Add(lower.FeatureMissing, f.fset.Position(s.decl.pos()), "leave out .frags for this kernel, or require a newer one",
			"section %s needs Linux %s, and the program is compiled for %s", s.name, fragsKernel, target.Kernel)
		return nil, nil
	}
	return f.compile(s, lower.Input{Type: s.section.kind, MaySleep: s.section.flags&sleepable != 0}, target)
}

// compile runs lower.Compile with in, but for what s knows.
func (f *front) compile(s *source, in lower.Input, target lower.Target) (*Program, error) {
	p := &Program{name: s.fn.Name(), section: s.name, row: s.section, target: s.target}
	f.busy = []string{p.name}
	in.Fset, in.Entry, in.Name = f.fset, s.fn, s.fn.RelString(nil)
	if strings.Contains(s.fn.Name(), ".") {
		in.Name = s.fn.Name() // of a function literal, whose name has that of the package already
	}
	in.Globals, in.Snapshots, in.Unavailable = f.globals, f.snapshots, f.unavailable
	in.Library = func(importPath string) bool {
		p := f.lib.pkgs[importPath]
		return p != nil && p.library && importPath != ebpfPath
	}
	in.Traced = f.traced(s)
	o := lower.Options{OnPanic: f.opts.onPanic, Verify: f.opts.verify, Registers: f.opts.registers, Live: f.opts.live, Doubt: f.opts.doubt}
	if f.opts.dumps {
		p.record("ssa", ssaText(in.Entry))
		o.Dump = p.record
	}
	p.compileAgain(in, target, o)
	unit, err := lower.Compile(in, target, o)
	if list, ok := err.(lower.DiagnosticError); ok {
		f.diags.Append(list...)
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	p.unit = unit
	p.stages = slices.Concat(f.stages, unit.Stats.Stages)
	return p, nil
}

// ssaText returns the text form of fn and of the functions that it calls,
// directly or through others, in the order of first call.
func ssaText(fn *ssa.Function) string {
	var b strings.Builder
	seen := map[*ssa.Function]bool{fn: true}
	for work := []*ssa.Function{fn}; len(work) > 0; work = work[1:] {
		if len(work[0].Blocks) == 0 {
			continue
		}
		if _, err := work[0].WriteTo(&b); err != nil {
			return fmt.Sprintf("%s: %v", work[0], err)
		}
		for _, block := range work[0].Blocks {
			for _, instr := range block.Instrs {
				for _, op := range instr.Operands(nil) {
					if callee, ok := (*op).(*ssa.Function); ok && !seen[callee] {
						seen[callee] = true
						work = append(work, callee)
					}
				}
			}
		}
	}
	return b.String()
}
