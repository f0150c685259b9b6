package ir

import (
	"errors"
	"fmt"
)

// This file and verify_op.go are the definition of a valid module. Its
// invariants are:
//
// Module
//   - Func.Module is the module that lists the function; no function is listed
//     twice; functions have names of their own, and so do maps.
//   - Site.Index and Slot.Index are the positions in their lists; data and slots
//     are aligned to a power of two, slots to at most 8; no size is negative.
//
// Structure of a function
//   - There is an entry block, and no edge leads to it.
//   - IDs are unique and below NumBlocks and NumValues; Block.Func and
//     Value.Block point to the owner; every value stands in one place.
//   - Params holds OpParam values and nothing else does.
//   - Every block ends in a terminator of the form that its kind says, and
//     edges lead to blocks of the same function.
//   - Slots, data, maps, functions and sites belong to the function's module
//     (slots to the function itself).
//   - Fields that the operation does not use are zero.
//   - No two values have their operands in the same memory, where a pass that
//     changes those of one would change those of the other.
//
// Values
//   - Every operand is a value of the function, and in reachable blocks its
//     definition dominates its use. A use by an edge is at the end of the
//     block that the edge leaves.
//   - Only OpResult may use a value of type Void, an OpCall with several
//     results, and it follows that call with nothing between them but other
//     OpResults of the same call.
//   - Wherever a value flows into a place of a given type (a block parameter, a
//     function's parameter or result, a select), the types are equal, or the place
//     is PtrAny and the value a pointer, or the place is a pointer and the
//     value the constant nil.
//   - The types, widths and immediates of each operation are as in verify_op.go.
//
// Rules of the kernel verifier that hold for pointers by construction
//   - A PtrCtx is dereferenced as it is: it is never the operand of OpPtrAdd,
//     of an atomic operation or of a memory block operation. PtrPacketEnd is
//     compared and subtracted only.
//   - A pointer is loaded and stored whole, 8 bytes at a displacement that is a
//     multiple of 8. The exception are the packet pointers of a context, which
//     the kernel declares as 4-byte fields.
//   - Stack is accessed at its natural alignment where the slot is known.

// Verify checks that m is valid and returns an error that lists every
// violation, each with the function, block and instruction as [Module.String]
// prints them.
func Verify(m *Module) error {
	c := &verifier{module: m}
	c.checkModule()
	for _, f := range m.Funcs {
		c.checkFunc(f)
	}
	return errors.Join(c.errs...)
}

// VerifyFunc checks that f alone is valid, as [Verify] does.
func VerifyFunc(f *Func) error {
	c := &verifier{module: f.Module}
	c.checkFunc(f)
	return errors.Join(c.errs...)
}

// A verifier collects the violations of a module. The fields after errs belong
// to the function being checked.
type verifier struct {
	module *Module
	errs   []error
	owned  map[Aux]bool // made by owns

	f       *Func
	b       *Block   // the block being checked
	v       *Value   // the instruction being checked, or nil
	defs    []*Value // by Value.ID: the value that stands in f
	index   []int    // by Value.ID: position in Block.Instrs, or -1 for a parameter
	args    map[**Value]bool
	dom     *DomTree // nil if the graph is broken
	printer *printer // made on the first violation
}

// errorf reports a violation at the current place.
func (c *verifier) errorf(format string, args ...any) {
	where := ""
	if c.f != nil {
		where = fmt.Sprintf("func @%s: ", quoteName(c.f.Name))
		if c.b != nil {
			if c.printer == nil {
				c.printer = &printer{names: nameObjects(c.f.Module), numbering: number(c.f)}
			}
			where += c.printer.block(c.b) + ": "
		}
		if c.v != nil {
			where += c.printer.define(c.v) + ": "
		}
	}
	c.errs = append(c.errs, fmt.Errorf("%s%s", where, fmt.Sprintf(format, args...)))
}

func (c *verifier) checkModule() {
	m := c.module
	funcs := make(map[*Func]bool)
	funcNames := make(map[string]bool)
	for _, f := range m.Funcs {
		if funcs[f] {
			c.errorf("function %q is listed twice", f.Name)
		} else if funcNames[f.Name] {
			c.errorf("two functions are named %q", f.Name)
		}
		funcs[f] = true
		funcNames[f.Name] = true
	}
	mapNames := make(map[string]bool)
	for _, o := range m.Maps {
		if mapNames[o.Name] {
			c.errorf("two maps are named %q", o.Name)
		}
		mapNames[o.Name] = true
	}
	for _, d := range m.Data {
		if !isPowerOfTwo(d.Align) {
			c.errorf("data %q is aligned to %d", d.Name, d.Align)
		}
		if d.Room < 0 {
			c.errorf("data %q has room %d", d.Name, d.Room)
		}
		for i, r := range d.Refs {
			switch {
			case r.Off%8 != 0 || d.Align < 8 || r.Off < 0 || r.Off > int64(len(d.Bytes))-8 || i > 0 && r.Off <= d.Refs[i-1].Off:
				c.errorf("data %q has an address at offset %d", d.Name, r.Off)
			case r.ToOff < 0 || r.ToOff > int64(len(r.To.Bytes)):
				c.errorf("data %q has the address of offset %d of %q", d.Name, r.ToOff, r.To.Name)
			}
		}
	}
	for i, s := range m.Sites {
		if s.Index != i {
			c.errorf("site %d has index %d", i, s.Index)
		}
	}
}

func isPowerOfTwo(n int64) bool { return n > 0 && n&(n-1) == 0 }

func (c *verifier) checkFunc(f *Func) {
	c.f, c.b, c.v, c.dom, c.printer = f, nil, nil, nil, nil
	if f.Module == nil || f.Module != c.module {
		c.errorf("function of another module")
	}
	for i, t := range f.Results {
		if t == Void || t >= numTypes {
			c.errorf("result %d has type %s", i, t)
		}
	}
	for i, s := range f.Slots {
		switch {
		case s.Index != i:
			c.errorf("slot s%d has index %d", i, s.Index)
		case s.Size < 0 || !isPowerOfTwo(s.Align) || s.Align > 8:
			c.errorf("slot s%d has size %d and alignment %d", i, s.Size, s.Align)
		}
	}
	if len(f.Blocks) == 0 {
		c.errorf("no entry block")
		return
	}
	if !c.checkGraph() {
		return
	}
	c.dom = Dominators(f)
	c.collectDefs()
	for _, b := range f.Blocks {
		c.checkBlock(b)
	}
	c.b, c.v = nil, nil
}

// checkGraph checks blocks and edges and reports whether the graph is sound
// enough to look further.
func (c *verifier) checkGraph() bool {
	f := c.f
	before := len(c.errs)
	byID := make([]*Block, f.NumBlocks())
	for i, b := range f.Blocks {
		switch {
		case b.Func != f:
			c.errorf("block %d belongs to another function", i)
		case b.ID < 0 || int(b.ID) >= len(byID):
			c.errorf("block %d has ID %d of %d", i, b.ID, len(byID))
		case byID[b.ID] != nil:
			c.errorf("block %d has the ID of another, %d", i, b.ID)
		default:
			byID[b.ID] = b
		}
	}
	if len(c.errs) > before {
		return false
	}
	for _, b := range f.Blocks {
		c.b = b
		for i, e := range b.Term.Succs {
			switch {
			case e.To == nil || e.To.Func != f || int(e.To.ID) >= len(byID) || byID[e.To.ID] != e.To:
				c.errorf("successor %d is not a block of the function", i)
			case e.To == f.Blocks[0]:
				c.errorf("successor %d is the entry block", i)
			}
		}
	}
	c.b = nil
	return len(c.errs) == before
}

// collectDefs fills defs and index.
func (c *verifier) collectDefs() {
	c.defs = make([]*Value, c.f.NumValues())
	c.index = make([]int, c.f.NumValues())
	c.args = make(map[**Value]bool)
	for _, b := range c.f.Blocks {
		c.b = b
		for _, v := range b.Params {
			c.define(v, -1)
		}
		for i, v := range b.Instrs {
			c.define(v, i)
		}
	}
}

func (c *verifier) define(v *Value, index int) {
	c.v = v
	switch {
	case v.ID < 0 || int(v.ID) >= len(c.defs):
		c.errorf("ID %d of %d", v.ID, len(c.defs))
	case c.defs[v.ID] == v:
		c.errorf("stands in two places")
	case c.defs[v.ID] != nil:
		c.errorf("has the ID of another value, %d", v.ID)
	default:
		c.defs[v.ID] = v
		c.index[v.ID] = index
		if len(v.Args) > 0 {
			if c.args[&v.Args[0]] {
				c.errorf("has its operands in the memory of another value's")
			}
			c.args[&v.Args[0]] = true
		}
	}
	if v.Block != c.b {
		c.errorf("Block is not the block it stands in")
	}
	if (v.Op == OpParam) != (index < 0) {
		c.errorf("operation out of place")
	}
	c.v = nil
}

func (c *verifier) checkBlock(b *Block) {
	c.b = b
	for _, v := range b.Params {
		c.v = v
		if v.Type == Void || v.Type >= numTypes {
			c.errorf("parameter of type %s", v.Type)
		}
		c.checkUnusedFields(v)
	}
	for i, v := range b.Instrs {
		c.v = v
		if v.Op == OpParam {
			continue // reported by define
		}
		if v.Op == OpInvalid || v.Op >= numOps {
			c.errorf("invalid operation %d", v.Op)
			continue
		}
		if c.checkArgs(v.Args, i, v.Op == OpResult) {
			c.checkOp(v, i)
		}
	}
	c.v = nil
	c.checkTerm(&b.Term)
}

// checkArgs checks that args may be used at instruction pos of the current
// block, and reports whether all are values of the function.
func (c *verifier) checkArgs(args []*Value, pos int, mayBeVoid bool) bool {
	ok := true
	for i, a := range args {
		switch {
		case a == nil:
			c.errorf("operand %d is missing", i)
			ok = false
		case a.ID < 0 || int(a.ID) >= len(c.defs) || c.defs[a.ID] != a:
			c.errorf("operand %d is not a value of the function", i)
			ok = false
		case a.Type == Void && !mayBeVoid:
			c.errorf("operand %d has no value", i)
			ok = false
		case !c.dominates(a, pos):
			c.errorf("operand %d, %s, is used before it is defined", i, c.name(a))
		}
	}
	return ok
}

// name returns the printed name of a.
func (c *verifier) name(a *Value) string {
	if c.printer == nil {
		c.printer = &printer{names: nameObjects(c.f.Module), numbering: number(c.f)}
	}
	return c.printer.value(a)
}

// dominates reports whether the definition of a comes before instruction pos of
// the current block on every path.
func (c *verifier) dominates(a *Value, pos int) bool {
	if !c.dom.Reachable(c.b) {
		return true
	}
	if a.Block == c.b {
		return c.index[a.ID] < pos
	}
	return a.Block != nil && int(a.Block.ID) < c.f.NumBlocks() && c.dom.Dominates(a.Block, c.b)
}
