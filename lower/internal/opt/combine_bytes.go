package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file takes values apart into bytes and finds runs of them.

// An octet is what one byte of a value is: byte at, from the lowest, of src, or the
// constant at if src is nil.
type octet struct {
	src *ir.Value
	at  uint8
}

func (p octet) isZero() bool { return p == octet{} }

// maxByteDepth bounds how deep bytesOf looks: a sum of 8 bytes, one by one, with
// an extension and a shift each.
const maxByteDepth = 24

// bytesOf returns the bytes of v, from the lowest. Those that nothing is known of
// are bytes of v itself.
func (c *combiner) bytesOf(v *ir.Value, depth int) [8]octet {
	if p, ok := c.bytes[v]; ok {
		return p
	}
	var p [8]octet
	n := int(v.Type.Size())
	for i := range n {
		p[i] = octet{v, uint8(i)}
	}
	if depth > maxByteDepth || !v.Type.IsInt() {
		return p
	}
	arg := func(i int) [8]octet { return c.bytesOf(v.Args[i], depth+1) }
	switch v.Op {
	case ir.OpConst:
		for i := range n {
			p[i] = octet{nil, uint8(v.Imm >> (8 * i))}
		}
	case ir.OpLoad:
		if !v.Signed {
			clear(p[v.Width:n])
		}
	case ir.OpZExt:
		p = arg(0)
	case ir.OpSExt, ir.OpTrunc:
		a := arg(0)
		copy(p[:4], a[:4])
	case ir.OpSExtIn:
		a := arg(0)
		copy(p[:v.Imm/8], a[:])
	case ir.OpBswap:
		a := arg(0)
		k := int(v.Imm / 8)
		clear(p[k:n])
		for i := range k {
			p[i] = a[k-1-i]
		}
	case ir.OpShl, ir.OpLShr:
		if by, ok := shiftCount(v); ok && by%8 == 0 {
			k := int(by / 8)
			a := arg(0)
			clear(p[:n])
			if v.Op == ir.OpShl {
				copy(p[k:n], a[:n-k])
			} else {
				copy(p[:n-k], a[k:n])
			}
		}
	case ir.OpAnd:
		if mask, ok := constArg(v, 1); ok {
			a := arg(0)
			for i := range n {
				switch uint8(mask >> (8 * i)) {
				case 0:
					p[i] = octet{}
				case 0xff:
					p[i] = a[i]
				}
			}
		}
	case ir.OpOr, ir.OpXor, ir.OpAdd:
		a, b := arg(0), arg(1)
		for i := range n {
			switch {
			case b[i].isZero():
				p[i] = a[i]
			case a[i].isZero():
				p[i] = b[i]
			case v.Op == ir.OpAdd: // there may be carries
				for i := range n {
					p[i] = octet{v, uint8(i)}
				}
				c.bytes[v] = p
				return p
			}
		}
	}
	c.bytes[v] = p
	return p
}

// A runKind is what a run of bytes is.
type runKind uint8

const (
	// valueRun is adjacent bytes of src, constRun of a constant.
	valueRun runKind = iota
	constRun
	// loadRun is bytes that several loads read from adjacent addresses.
	loadRun
)

// A run is size bytes that one instruction can make, perhaps after it has
// reversed them.
type run struct {
	kind     runKind
	size     int // 1, 2, 4 or 8
	reversed bool
	src      *ir.Value // of a valueRun
	low      int       // the lowest byte taken of src
	value    int64     // of a constRun
	// first is the load at the lowest address of a loadRun, which is disp beyond that
	// load's pointer, last the one that is executed last.
	first, last *ir.Value
	disp        int64
	at          int // where the run is in a value
}

// longestRun returns the longest run that the octets begin with. A run of a single
// byte counts if it is the only one.
func (c *combiner) longestRun(octets []octet) (run, bool) {
	for size := 8; size >= 2; size /= 2 {
		if size > len(octets) {
			continue
		}
		if r, ok := c.runOf(octets[:size]); ok {
			return r, true
		}
	}
	return run{}, false
}

// runOf returns the run that is all of the octets.
func (c *combiner) runOf(octets []octet) (run, bool) {
	if r, ok := constRunOf(octets); ok {
		return r, true
	}
	for _, reversed := range [...]bool{false, true} {
		if r, ok := valueRunOf(octets, reversed); ok {
			return r, true
		}
	}
	for _, reversed := range [...]bool{false, true} {
		if r, ok := c.loadRunOf(octets, reversed); ok {
			return r, true
		}
	}
	return run{}, false
}

func constRunOf(octets []octet) (run, bool) {
	r := run{kind: constRun, size: len(octets)}
	for i, p := range octets {
		if p.src != nil {
			return run{}, false
		}
		r.value |= int64(p.at) << (8 * i)
	}
	return r, true
}

// valueRunOf returns the run if the octets are side by side in one value. Those
// that are known to be zero may have been replaced by a constant.
func valueRunOf(octets []octet, reversed bool) (run, bool) {
	size := len(octets)
	i := slices.IndexFunc(octets, func(p octet) bool { return p.src != nil })
	place := func(i int) int {
		if reversed {
			return size - 1 - i
		}
		return i
	}
	r := run{kind: valueRun, size: size, reversed: reversed, src: octets[i].src}
	r.low = int(octets[i].at) - place(i)
	if r.low < 0 || r.low+size > int(r.src.Type.Size()) {
		return run{}, false
	}
	zero, _ := knownBits(r.src)
	for i, p := range octets {
		at := r.low + place(i)
		if p.isZero() && zero>>(8*at)&0xff == 0xff {
			continue
		}
		if p != (octet{r.src, uint8(at)}) {
			return run{}, false
		}
	}
	return r, true
}

// loadRunOf returns the run if the octets are at adjacent addresses, from the
// first on or, if reversed, from the last.
func (c *combiner) loadRunOf(octets []octet, reversed bool) (run, bool) {
	size := len(octets)
	first := octets[0]
	if reversed {
		first = octets[size-1]
	}
	if first.src == nil || first.src.Op != ir.OpLoad {
		return run{}, false
	}
	r := run{kind: loadRun, size: size, reversed: reversed, first: first.src, disp: first.src.Imm + int64(first.at)}
	whole := placeOf(r.first.Args[0], r.disp, int64(size))
	early := r.first
	r.last = r.first
	for i, p := range octets {
		if p.src == nil || p.src.Op != ir.OpLoad || p.src.Block != r.first.Block {
			return run{}, false
		}
		l := placeOf(p.src.Args[0], p.src.Imm+int64(p.at), 1)
		want := whole.off + int64(i)
		if reversed {
			want = whole.off + int64(size-1-i)
		}
		if !whole.sameBase(l) || whole.anchor != l.anchor || l.off != want {
			return run{}, false
		}
		if c.index[p.src] < c.index[early] {
			early = p.src
		}
		if c.index[p.src] > c.index[r.last] {
			r.last = p.src
		}
	}
	if !c.mayAccess(whole) {
		return run{}, false
	}
	for _, v := range r.first.Block.Instrs[c.index[early]:c.index[r.last]] {
		if c.mayWrite(v, whole) {
			return run{}, false
		}
	}
	return r, true
}

// mayAccess reports whether the kernel takes an access to l as a whole, given
// that it takes one to each part of it.
func (c *combiner) mayAccess(l place) bool {
	switch object := l.base.(type) {
	case *ir.Slot:
		return l.anchor == nil && l.off%l.size == 0 && object.Size >= l.off+l.size
	case *ir.Data:
		if l.anchor == nil { // the IR has no others
			return l.off%l.size == 0 && int64(len(object.Bytes)) >= l.off+l.size
		}
	}
	switch l.memClass() {
	case ir.PtrData, ir.PtrMapValue, ir.PtrPacket, ir.PtrMem:
		return c.unaligns
	}
	return false
}

// mayWrite reports whether v may change what is at l.
func (c *combiner) mayWrite(v *ir.Value, l place) bool {
	e := effectOf(v)
	if slot, onStack := l.onStack(); onStack {
		if e.leaked && (slot == nil || c.leaked[slot.Index]) {
			return true
		}
	} else if e.shared {
		return true
	}
	for _, w := range e.writes {
		if c.mayMeet(w, l) {
			return true
		}
	}
	return false
}

// emitRun makes the value of r, zero above its bytes, before the instruction at. The
// type is that of at if it is an integer, or the smallest that will do.
func (c *combiner) emitRun(r run, at *ir.Value) *ir.Value {
	t := at.Type
	if !t.IsInt() {
		t = ir.I32
		if r.size == 8 {
			t = ir.I64
		}
	}
	var x *ir.Value
	switch r.kind {
	case constRun:
		return c.constant(at, t, r.value)
	case loadRun:
		alignObject(placeOf(r.first.Args[0], 0, 0), int64(r.size))
		x = c.f.NewValue(ir.OpLoad, t, r.last.Pos, r.first.Args[0])
		x.Imm, x.Width = r.disp, uint8(r.size)
		c.after[r.last] = append(c.after[r.last], x)
	case valueRun:
		x = r.src
		if r.low > 0 {
			x = c.emit(at, ir.OpLShr, x.Type, x, c.constant(at, x.Type, int64(8*r.low)))
		}
		switch {
		case x.Type == ir.I64 && t == ir.I32:
			x = c.emit(at, ir.OpTrunc, ir.I32, x)
		case x.Type == ir.I32 && t == ir.I64:
			x = c.emit(at, ir.OpZExt, ir.I64, x)
		}
		if !r.reversed && int64(r.size) < min(t.Size(), r.src.Type.Size()-int64(r.low)) {
			x = c.emit(at, ir.OpAnd, t, x, c.constant(at, t, 1<<(8*r.size)-1))
		}
	}
	if r.reversed {
		x = c.emit(at, ir.OpBswap, t, x)
		x.Imm = int64(8 * r.size)
	}
	return x
}

// alignObject makes the object of l, if it is a known one, as aligned as an access
// of the given size must be.
func alignObject(l place, size int64) {
	switch object := l.base.(type) {
	case *ir.Slot:
		object.Align = max(object.Align, size)
	case *ir.Data:
		object.Align = max(object.Align, size)
	}
}
