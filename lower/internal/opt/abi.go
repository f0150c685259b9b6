package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes the calling convention of BPF subprograms explicit, for the
// functions that inlining has left.
//
// A subprogram takes five arguments in registers and returns one value, and
// cannot leave the program: an exit leads back to its caller. Therefore:
//
//   - A function that may panic returns a status, an I64 that is negative if it
//     panicked: when it does, it counts the site and exits with -1. Its caller
//     tests the status right after the call and, if it is negative, leaves in the
//     same way without counting: a panic without a site. If the only result
//     has 32 bits, status and result are one value, the result zero-extended.
//   - Of several results the first is returned if there is no status. All
//     others are written to a slot of the caller.
//   - Arguments that find no register are written to the same slot. Its address
//     is the last argument.
//
// Arguments and results share the slot's 8-byte cells: the callee reads the
// former on entry and writes the latter when it returns.
//
// Functions whose address is taken are called by helpers, which have a convention
// of their own; where such a function is also called, the calls go to a copy.
//
// Precondition: canBeSubprogram holds for each function that is called. After
// this pass no function may be inlined any more.
//
// Before:                          After:
//
//	v1 = call i32 @g(v0)            v1 = call i64 @g(v0)
//	return v1                       v2 = slt i32 v1, 0
//	                                branch v2, b1(v1), b2()
//	                                b1(v4 i64): panic v4
//	                                b2: v3 = trunc i32 v1
//	                                return v3
//
// Reference: Documentation/bpf/standardization/abi.rst in the kernel tree, which
// the convention extends.

// maxRegArgs is the number of argument registers, r1 to r5.
const maxRegArgs = 5

// cell is the size of an argument or result in memory.
const cell = 8

// ABI makes the calling convention of m's functions explicit.
func ABI(m *ir.Module, _ *Config) {
	removeUncalled(m)
	copyTaken(m)
	g := newCallGraph(m)
	conventions := make(map[*ir.Func]*convention)
	for _, f := range g.order { // callees first
		a := &lowering{f: f, conventions: conventions, names: newRenaming(f)}
		c := conventionOf(f, conventions)
		for _, call := range calls(f) {
			a.lowerCall(call)
		}
		if g.sites[f] > 0 {
			conventions[f] = c
			a.lowerFunc(c)
		}
		a.names.apply()
	}
}

// copyTaken gives functions that are both called and passed to helpers a copy
// for the calls.
func copyTaken(m *ir.Module) {
	g := newCallGraph(m)
	copies := make(map[*ir.Func]*ir.Func)
	for _, f := range g.order {
		if g.taken[f] && g.sites[f] > 0 {
			n := m.NewFunc(f.Name+".called", f.Pos)
			n.Results, n.NoInline = slices.Clone(f.Results), f.NoInline // not a callback
			ir.CloneInto(n, f)
			copies[f] = n
		}
	}
	if len(copies) == 0 {
		return
	}
	for _, f := range m.Funcs {
		for _, call := range calls(f) {
			if n := copies[call.Callee()]; n != nil {
				call.Aux = n
			}
		}
	}
}

// A convention is how one function is called.
type convention struct {
	params  []ir.Type
	results []ir.Type
	regs    int  // parameters in registers, before the address of the slot
	inR0    bool // the first result is returned
	status  bool // r0 also says whether the function panicked
	cells   int  // size of the slot, in cells
}

// conventionOf decides how f is called. The functions it calls have conventions.
func conventionOf(f *ir.Func, known map[*ir.Func]*convention) *convention {
	c := &convention{results: f.Results, status: mayPanic(f, known)}
	for _, p := range f.Params() {
		c.params = append(c.params, p.Type)
	}
	switch {
	case len(f.Results) == 0:
	case c.status:
		c.inR0 = len(f.Results) == 1 && f.Results[0] == ir.I32
	default:
		c.inR0 = true
	}
	c.regs = len(c.params)
	if c.regs > maxRegArgs || len(c.inMemory()) > 0 {
		c.regs = min(c.regs, maxRegArgs-1)
	}
	c.cells = max(len(c.params)-c.regs, len(c.inMemory()))
	return c
}

// inMemory returns the types of the results that are written to the slot.
func (c *convention) inMemory() []ir.Type {
	if c.inR0 {
		return c.results[1:]
	}
	return c.results
}

// returns returns the result types of the function as it is called.
func (c *convention) returns() []ir.Type {
	switch {
	case c.status:
		return []ir.Type{ir.I64}
	case c.inR0:
		return c.results[:1]
	}
	return nil
}

// mayPanic reports whether a call of f may panic.
func mayPanic(f *ir.Func, known map[*ir.Func]*convention) bool {
	for _, b := range f.Blocks {
		if b.Term.Kind == ir.TermPanic {
			return true
		}
		for _, v := range b.Instrs {
			if v.Op == ir.OpCall {
				if c := known[v.Callee()]; c != nil && !c.status {
					continue
				}
			}
			if v.Op.Is(ir.MayPanic) {
				return true
			}
		}
	}
	return false
}

// A lowering rewrites one function.
type lowering struct {
	f           *ir.Func
	conventions map[*ir.Func]*convention
	names       *renaming
	slot        *ir.Slot  // for arguments and results of calls
	leave       *ir.Block // passes a callee's panic on
}

// lowerFunc makes f itself follow c.
func (a *lowering) lowerFunc(c *convention) {
	entry := a.f.Entry()
	var memory *ir.Value
	if c.cells > 0 {
		inMemory := slices.Clone(entry.Params[c.regs:])
		entry.Params = entry.Params[:c.regs]
		memory = entry.AddParam(ir.PtrStack, a.f.Pos)
		for i, p := range inMemory {
			ld := a.f.NewValue(ir.OpLoad, p.Type, p.Pos, memory)
			ld.Imm, ld.Width = int64(i)*cell, uint8(p.Type.Size())
			entry.Insert(i, ld)
			a.names.set(p, ld)
		}
	}
	for _, b := range a.f.Blocks {
		if b.Term.Kind != ir.TermReturn {
			continue
		}
		results := b.Term.Args
		if c.inR0 {
			results = results[1:]
		}
		for i, v := range results {
			store(b, b.Term.Pos, memory, int64(i)*cell, v.Type.Size(), v)
		}
		switch {
		case c.status && c.inR0:
			b.Term.Args = []*ir.Value{b.Add(ir.OpZExt, ir.I64, b.Term.Pos, b.Term.Args[0])}
		case c.status:
			b.Term.Args = []*ir.Value{b.Const(ir.I64, 0)}
		case c.inR0:
			b.Term.Args = b.Term.Args[:1]
		default:
			b.Term.Args = nil
		}
	}
	a.f.Results = c.returns()
}

// lowerCall makes the call follow the convention of its callee.
func (a *lowering) lowerCall(call *ir.Value) {
	c := a.conventions[call.Callee()]
	if c == nil {
		panic("BUG: call of a function that calls the caller: @" + call.Callee().Name)
	}
	b := call.Block
	rest := ir.SplitBlock(b, slices.Index(b.Instrs, call))
	rest.Instrs = rest.Instrs[1:] // the call itself

	// The value of the call is taken apart under a new name, because its type
	// may change.
	var memory *ir.Value
	args := call.Args
	if c.cells > 0 {
		memory = b.Add(ir.OpSlotAddr, ir.PtrStack, call.Pos)
		memory.Aux = a.slotFor(c)
		for i, v := range args[c.regs:] {
			store(b, call.Pos, memory, int64(i)*cell, v.Type.Size(), v)
		}
		args = append(slices.Clone(args[:c.regs]), memory)
	}
	t := ir.Void
	if r := c.returns(); len(r) > 0 {
		t = r[0]
	}
	r0 := b.Add(ir.OpCall, t, call.Pos, args...)
	r0.Aux = call.Aux
	if c.status {
		failed := b.Add(ir.OpSLt, ir.I32, call.Pos, r0, b.Const(ir.I64, 0))
		b.Branch(call.Pos, failed, ir.Edge{To: a.leaveBlock(), Args: []*ir.Value{r0}}, ir.Edge{To: rest})
	} else {
		b.Jump(call.Pos, rest)
	}
	a.takeResults(call, c, rest, r0, memory)
}

// takeResults replaces the results of call by what c makes of them, at the
// beginning of rest.
func (a *lowering) takeResults(call *ir.Value, c *convention, rest *ir.Block, r0, memory *ir.Value) {
	results := make([]*ir.Value, len(c.results))
	var taken []*ir.Value
	for i, t := range c.results {
		switch {
		case i > 0 || !c.inR0:
			n := i
			if c.inR0 {
				n--
			}
			ld := a.f.NewValue(ir.OpLoad, t, call.Pos, memory)
			ld.Imm, ld.Width = int64(n)*cell, uint8(t.Size())
			results[i] = ld
			taken = append(taken, ld)
		case c.status:
			results[i] = a.f.NewValue(ir.OpTrunc, t, call.Pos, r0)
			taken = append(taken, results[i])
		default:
			results[i] = r0
		}
	}
	if len(results) == 1 {
		a.names.set(call, results[0])
	}
	rest.RemoveFunc(func(v *ir.Value) bool {
		if v.Op != ir.OpResult || v.Args[0] != call {
			return false
		}
		a.names.set(v, results[v.Imm])
		return true
	})
	rest.Insert(0, taken...)
}

// slotFor returns the slot through which f calls functions with convention c.
// All calls in f share one: its content is dead between them.
func (a *lowering) slotFor(c *convention) *ir.Slot {
	if a.slot == nil {
		a.slot = a.f.NewSlot("call", 0, cell, a.f.Pos)
	}
	a.slot.Size = max(a.slot.Size, int64(c.cells)*cell)
	return a.slot
}

// leaveBlock returns the block that passes on the panic of a callee. Its
// parameter is the status that the callee returned.
func (a *lowering) leaveBlock() *ir.Block {
	if a.leave == nil {
		a.leave = a.f.NewBlock()
		a.leave.PassPanic(0, a.leave.AddParam(ir.I64, 0))
	}
	return a.leave
}
