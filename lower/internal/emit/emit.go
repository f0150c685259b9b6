package emit

import (
	"fmt"
	"go/token"

	"github.com/cilium/ebpf/asm"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// Input is what Emit needs besides the machine code.
type Input struct {
	Target target.Target
	// Fset gives diagnostics their positions.
	Fset *token.FileSet
	// Data is the objects that symbols of kind SymData refer to by name. Those
	// that no instruction refers to are left out.
	Data []Data
	// Sites is the number of panic sites.
	Sites int
	// PanicSection is the name of the section that counts panics, one 64-bit
	// counter for each site.
	PanicSection string
	// OnPanic is the result of the program when it panics.
	OnPanic int32
	// ReturnSite makes the program return -(1+site) when it panics, instead of
	// counting the panic and returning OnPanic.
	ReturnSite bool
	// Diags receives what makes the program impossible to load.
	Diags *diag.List
}

// A Data is an object at a fixed place in a data section.
type Data struct {
	Name    string
	Bytes   []byte
	Align   int64
	Section string // name of the section it belongs to
	Room    int64  // bytes that the section has behind it at least
}

// Output is a program in BPF instructions.
type Output struct {
	// Insns is the code, entry function first. Jumps and calls are resolved;
	// loads of maps and data sections refer to them by name. The first instruction of
	// each function carries its symbol.
	Insns asm.Instructions
	// Sections is the data sections that Insns refers to, in order of Input.Data, that
	// of the panic counters last.
	Sections []Section
	// Objects is where the objects of Input.Data that Insns refers to lie.
	Objects []Object
	// Maps is the names of maps that Insns refers to, in order of first use.
	Maps  []string
	Lines []Line
	Funcs []Func
	// Slots is the size of the program in 8-byte instruction slots.
	Slots int
	// Stack is the bytes of stack of the deepest call chain, as the kernel
	// counts them.
	Stack int
}

// A Section is the initial content of a data section.
type Section struct {
	Name  string
	Bytes []byte
}

// An Object is the place of an object.
type Object struct {
	Index   int // in Input.Data
	Section string
	Offset  int64
}

// A Line says that the instructions from raw offset Offset (in 8-byte slots)
// on come from Pos, which may be 0 at the start of a function.
type Line struct {
	Offset int
	Pos    mir.Pos
}

// A Func describes a function of the program.
type Func struct {
	Name   string
	Symbol string // as the kernel takes it
	Offset int    // raw, in 8-byte slots
	Params int
	Entry  bool
	Stack  int // bytes of frame
	Pos    mir.Pos
}

// Emit returns the program that m is, or reports to in.Diags why there is none and returns
// nil. Functions that the entry function does not reach are left out. m must
// satisfy mir.VerifyAllocated; Emit does not change it.
func Emit(m *mir.Module, in Input) *Output {
	e := &emitter{
		in:    in,
		out:   &Output{},
		funcs: make(map[string]*function, len(m.Funcs)),
	}
	e.reach(m)
	e.layOutData()
	for _, fn := range e.order {
		fn.emit()
	}
	e.checkStack()
	e.link()
	if e.failed {
		return nil
	}
	return e.out
}

// An emitter holds the state of one Emit.
type emitter struct {
	in    Input
	out   *Output
	funcs map[string]*function // by name in Go
	order []*function          // entry first, then as in the module
	data  map[string]place     // where objects lie, by name
	maps  map[string]bool      // those in out.Maps
	// counts is set if a panic is counted somewhere.
	counts bool
	failed bool
}

// A function is a function being emitted.
type function struct {
	*emitter
	f      *mir.Func
	symbol string
	callee []*function // called or their address taken; without repetitions
	frame  frame
	blocks []*mir.Block // in the order of the code
	code   assembler
	labels []label // by block ID, unbound until the block is reached
	stubs  []stub
	offset int // raw offset in the program
}

// reach finds the functions of the program and the data they use.
func (e *emitter) reach(m *mir.Module) {
	all := make(map[string]*mir.Func, len(m.Funcs))
	for _, f := range m.Funcs {
		all[f.Name] = f
	}
	e.data = map[string]place{}
	e.maps = map[string]bool{}
	var visit func(f *mir.Func) *function
	visit = func(f *mir.Func) *function {
		if fn := e.funcs[f.Name]; fn != nil {
			return fn
		}
		fn := &function{emitter: e, f: mergeBlocks(f)}
		e.funcs[f.Name] = fn
		if e.in.Target.Has(target.BackEdges) {
			fn.f = enterLoops(fn.f)
			fn.blocks = layOut(fn.f)
			rotate(fn.blocks)
		} else {
			fn.blocks = layOut(fn.f)
		}
		for _, b := range fn.blocks {
			for i := range b.Insts {
				sym := b.Insts[i].Sym
				if sym == nil {
					continue
				}
				switch sym.Kind {
				case mir.SymData:
					e.data[sym.Name] = place{}
				case mir.SymMap:
					if !e.maps[sym.Name] {
						e.maps[sym.Name] = true
						e.out.Maps = append(e.out.Maps, sym.Name)
					}
				case mir.SymFunc:
					if all[sym.Name] == nil {
						panic(fmt.Sprintf("BUG: emit: %s refers to unknown function %s", f.Name, sym.Name))
					}
					fn.calls(visit(all[sym.Name]))
				}
			}
		}
		return fn
	}
	visit(m.Funcs[0])
	symbols := map[string]bool{}
	for _, f := range m.Funcs {
		if fn := e.funcs[f.Name]; fn != nil {
			fn.symbol = uniqueSymbol(f.Name, symbols)
			e.order = append(e.order, fn)
		}
	}
}

// calls notes that fn refers to callee.
func (fn *function) calls(callee *function) {
	for _, c := range fn.callee {
		if c == callee {
			return
		}
	}
	fn.callee = append(fn.callee, callee)
}

// emit assembles fn's instructions.
func (fn *function) emit() {
	fn.frame = layOutFrame(fn.f, fn.blocks)
	fn.labels = make([]label, fn.f.NumBlocks())
	for i := range fn.labels {
		fn.labels[i] = noLabel
	}
	fn.code.pos = fn.f.Pos
	for i, b := range fn.blocks {
		fn.code.bind(fn.label(b))
		var next *mir.Block
		if i+1 < len(fn.blocks) {
			next = fn.blocks[i+1]
		}
		var prev *mir.Inst
		for j := range b.Insts {
			in := &b.Insts[j]
			if removable(prev, in) {
				continue
			}
			prev = in
			fn.code.at(in.Pos)
			fn.inst(in, next)
		}
	}
	fn.emitStubs()
	if err := fn.code.resolve(fn.in.Target.Has(target.ISAv4)); err != nil {
		fn.reportf(diag.ProgramTooLarge, fn.f.Pos, "split it into functions that are not inlined",
			"%s: %v", fn.f.Name, err)
	}
}

// label returns the label of block b.
func (fn *function) label(b *mir.Block) label {
	if fn.labels[b.ID] == noLabel {
		fn.labels[b.ID] = fn.code.newLabel()
	}
	return fn.labels[b.ID]
}

// link concatenates the functions and resolves references between them.
func (e *emitter) link() {
	offset := 0
	for _, fn := range e.order {
		fn.offset = offset
		offset += fn.code.size()
	}
	if offset > e.in.Target.MaxInsns {
		e.reportf(diag.ProgramTooLarge, e.order[0].f.Pos, "make it smaller or split it into programs that call each other by tail calls",
			"the program has %d instructions, Linux %v takes %d", offset, e.in.Target.Kernel, e.in.Target.MaxInsns)
	}
	out := e.out
	out.Slots = offset
	out.Insns = make(asm.Instructions, 0, offset)
	for _, fn := range e.order {
		out.Funcs = append(out.Funcs, Func{
			Name: fn.f.Name, Symbol: fn.symbol, Offset: fn.offset, Params: fn.f.Params,
			Entry: fn.f.Entry, Stack: fn.frame.size, Pos: fn.f.Pos,
		})
		fn.link()
	}
	if e.counts {
		out.Sections = append(out.Sections, Section{e.in.PanicSection, make([]byte, 8*e.in.Sites)})
	}
}

// link appends the function's instructions to the program.
func (fn *function) link() {
	out := fn.out
	offset := fn.offset
	last := mir.Pos(-1)
	for i := range fn.code.items {
		it := &fn.code.items[i]
		if it.mark != noLabel {
			continue
		}
		ins := it.ins
		if it.callee != nil {
			// As a jump's, the distance counts from the next slot.
			distance := it.callee.offset - offset - 1
			if ins.IsLoadOfFunctionPointer() {
				ins.Constant = int64(uint32(distance))
			} else {
				ins.Constant = int64(distance)
			}
			ins = ins.WithReference(it.callee.symbol)
		}
		if offset == fn.offset {
			ins = ins.WithSymbol(fn.symbol)
		}
		if it.pos != last {
			out.Lines = append(out.Lines, Line{offset, it.pos})
			last = it.pos
		}
		out.Insns = append(out.Insns, ins)
		offset += it.slots()
	}
}

// reportf adds a diagnostic; nothing is emitted then.
func (e *emitter) reportf(code diag.Code, pos mir.Pos, fix, format string, args ...any) {
	e.failed = true
	var p token.Position
	if e.in.Fset != nil && pos > 0 {
		p = e.in.Fset.Position(token.Pos(pos))
	}
	e.in.Diags.Add(code, p, fix, format, args...)
}
