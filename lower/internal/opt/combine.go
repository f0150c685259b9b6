package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file makes one access to memory of several that are adjacent, and byte
// swaps of the shifts that reverse bytes.
//
// Go code that is portable reads and writes numbers byte by byte, as package
// encoding/binary does, because the order of bytes in memory is its own and not
// the machine's. On the machine this is a single access, with a byte swap if the
// orders differ.
//
// Method: a value is taken apart into its bytes (combine_bytes.go). Where an or,
// a sum or an exclusive or puts bytes together that lie side by side in one
// value, or that loads have read side by side from memory, in order or in reverse, it
// is replaced. Where stores of one block write bytes side by side that are such a run, the
// last of them is replaced by one that writes all (combine_store.go). What the old
// values were made of dies if nobody else uses it.
//
// The loads of a run must be in one block, without a write between the first and
// the last that may change what they read; the combined load takes the place of
// the last, so that the checks that protect them protect it. It starts at the
// address of one of them and ends where one of them does, so that the
// verifier can follow it where it can follow them; only for the stack it asks in
// addition that accesses be aligned (check_ptr_alignment in kernel/bpf/verifier.c),
// and elsewhere where the machine has no fast unaligned accesses
// (CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS).
//
// Before:                          After:
//
//	v1 = load.1 i32 v0 +0           v9 = load.2 i32 v0 +0
//	v2 = load.1 i32 v0 +1           v4 = bswap 16 v9
//	v3 = shl v1, 8                  store.2 v5 +0, v4
//	v4 = or v3, v2
//	v6 = lshr v4, 8
//	store.1 v5 +1, v6
//	store.1 v5 +0, v4
//
// Requires a target of little-endian byte order, as all supported ones are.
//
// Reference: the load-combine and store-merging of LLVM's DAGCombiner
// (MatchLoadCombine, tryStoreMergeOfConstants) and of gc's memcombine pass.

// Combine combines the accesses of f.
func Combine(f *ir.Func, cfg *Config) {
	c := &combiner{
		memory:   newMemory(f),
		names:    newRenaming(f),
		bytes:    make(map[*ir.Value][8]octet),
		covered:  make(map[*ir.Value]bool),
		index:    make(map[*ir.Value]int),
		before:   make(map[*ir.Value][]*ir.Value),
		after:    make(map[*ir.Value][]*ir.Value),
		dead:     make(map[*ir.Value]bool),
		unaligns: cfg.Target.Arch == "amd64" || cfg.Target.Arch == "arm64",
	}
	for _, b := range f.Blocks {
		for i, v := range b.Instrs {
			c.index[v] = i
		}
	}
	for _, b := range ir.RPO(f) {
		c.block(b)
	}
	c.apply()
}

type combiner struct {
	*memory
	names   *renaming
	bytes   map[*ir.Value][8]octet
	covered map[*ir.Value]bool // part of a value that was replaced
	index   map[*ir.Value]int  // place of each instruction in its block
	// before and after are the new instructions around old ones, dead the stores
	// that are part of others now.
	before, after map[*ir.Value][]*ir.Value
	dead          map[*ir.Value]bool
	// unaligns says that the machine has fast unaligned accesses.
	unaligns bool
}

// block combines what is in b: values first, from the last, which are the largest. Their
// bytes are found from the first on, each from those of its operands, which are
// remembered.
func (c *combiner) block(b *ir.Block) {
	for _, v := range b.Instrs {
		if isJoin(v) {
			c.bytesOf(v, 0)
		}
	}
	for _, v := range slices.Backward(b.Instrs) {
		if isJoin(v) && !c.covered[v] {
			c.value(v)
		}
	}
	c.stores(b)
}

// isJoin reports whether v may put bytes together.
func isJoin(v *ir.Value) bool {
	switch v.Op {
	case ir.OpOr, ir.OpXor, ir.OpAdd:
		return v.Type.IsInt() && v.Args[1].Op != ir.OpConst
	}
	return false
}

// value replaces v if its bytes are runs.
func (c *combiner) value(v *ir.Value) {
	octets := c.bytesOf(v, 0)
	n := int(v.Type.Size())
	var runs []run
	loads := make(map[*ir.Value]bool)
	for i := 0; i < n; {
		p := octets[i]
		switch {
		case p.src == v:
			return
		case p.isZero():
			i++
			continue
		case p.src == nil:
			return
		}
		r, ok := c.longestRun(octets[i:n])
		if !ok {
			return
		}
		r.at = i
		runs = append(runs, r)
		for _, p := range octets[i : i+r.size] {
			loads[p.src] = true
		}
		i += r.size
	}
	switch {
	case len(runs) == 0:
		return
	case len(runs) > 1:
		// Not worth it unless it saves loads.
		for _, r := range runs {
			if r.kind != loadRun {
				return
			}
		}
		if 2*len(runs) > len(loads) {
			return
		}
	}
	var whole *ir.Value
	for _, r := range runs {
		x := c.extend(v, c.emitRun(r, v), r)
		if whole != nil {
			x = c.emit(v, ir.OpOr, v.Type, whole, x)
		}
		whole = x
	}
	c.cover(v)
	c.names.set(v, whole)
}

// cover marks what v is put together from, so that no part of it is combined by
// itself.
func (c *combiner) cover(v *ir.Value) {
	if c.covered[v] {
		return
	}
	c.covered[v] = true
	switch v.Op {
	case ir.OpOr, ir.OpXor, ir.OpAdd, ir.OpShl, ir.OpLShr, ir.OpAnd, ir.OpZExt, ir.OpTrunc:
		for _, a := range v.Args {
			c.cover(a)
		}
	}
}

// extend brings x, the value of r, to the type of v and to its place in it.
func (c *combiner) extend(v, x *ir.Value, r run) *ir.Value {
	if x.Type == ir.I32 && v.Type == ir.I64 {
		x = c.emit(v, ir.OpZExt, ir.I64, x)
	}
	if r.at > 0 {
		x = c.emit(v, ir.OpShl, v.Type, x, c.constant(v, v.Type, int64(8*r.at)))
	}
	return x
}

// emit makes an instruction that stands before v.
func (c *combiner) emit(v *ir.Value, op ir.Op, t ir.Type, args ...*ir.Value) *ir.Value {
	x := c.f.NewValue(op, t, v.Pos, args...)
	c.before[v] = append(c.before[v], x)
	return x
}

func (c *combiner) constant(v *ir.Value, t ir.Type, n int64) *ir.Value {
	x := constant(c.f, t, n)
	c.before[v] = append(c.before[v], x)
	return x
}

// apply puts the new instructions where they belong and removes the old.
func (c *combiner) apply() {
	if len(c.before)+len(c.after)+len(c.dead) == 0 && !c.names.any {
		return
	}
	for _, b := range c.f.Blocks {
		var instrs []*ir.Value
		for _, v := range b.Instrs {
			instrs = append(instrs, c.before[v]...)
			if !c.dead[v] {
				instrs = append(instrs, v)
			}
			instrs = append(instrs, c.after[v]...)
		}
		for _, v := range instrs {
			v.Block = b
		}
		b.Instrs = instrs
	}
	c.names.apply()
	removeDead(c.f)
}
