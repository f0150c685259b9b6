package build

import (
	"encoding/binary"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file writes the constant values that the package initialiser stores in package-level
// variables to their objects. Strings and addresses of other variables are constants, too, see
// opt/datatable.go.

// constOffset returns the offset of addr in what it is a part of, if it is
// constant.
func constOffset(addr ssa.Value) (off int64, ok bool) {
	for {
		switch a := addr.(type) {
		case *ssa.FieldAddr:
			s := elemType(a.X.Type()).Underlying().(*types.Struct)
			off += fieldOffsets(s)[a.Field]
			addr = a.X
		case *ssa.IndexAddr:
			n, isConst := constInt(a.Index)
			if _, isPtr := a.X.Type().Underlying().(*types.Pointer); !isPtr || !isConst {
				return 0, false
			}
			off += n * sizes.Sizeof(elemOf(a.X.Type()))
			addr = a.X
		default:
			return off, true
		}
	}
}

// storeConst writes the value v to d at offset off, if it is constant or an address.
func (fn *function) storeConst(d *ir.Data, off int64, v ssa.Value) bool {
	mem := d.Bytes[off:]
	switch v := v.(type) {
	case *ssa.Const:
		if s, ok := constString(v); ok {
			if s != "" {
				d.AddRef(ir.Ref{Off: off, To: fn.b.stringData(s)})
				binary.LittleEndian.PutUint64(mem[8:], uint64(len(s)))
			}
			return true
		}
		i, ok := intTypeOf(v.Type())
		if !ok {
			return v.Value == nil
		}
		if v.Value == nil {
			return true
		}
		n := fn.constOperand(v).vals[0].Imm
		for k := range i.bits / 8 {
			mem[k] = byte(n >> (8 * k))
		}
		return true
	case *ssa.Function:
		if fn.b.world.funcLeaf(v.Signature) != ir.I64 {
			return false
		}
		binary.LittleEndian.PutUint64(mem, uint64(fn.b.world.funcID(storedFunc{fn: v})))
		return true
	case *ssa.ChangeType:
		return fn.storeConst(d, off, v.X)
	case *ssa.MakeInterface:
		return fn.storeInterface(d, off, v)
	case *ssa.Call:
		if o := fn.b.constructedMap(v); o != nil {
			binary.LittleEndian.PutUint64(mem, uint64(fn.b.world.mapID(o)))
			return true
		}
	case *ssa.UnOp:
		switch x := v.X.(type) {
		case *ssa.Alloc: // a composite literal that go/ssa builds in a variable first
			return fn.storeLiteral(d, off, x)
		case *ssa.Call: // a copy of a map
			return fn.storeConst(d, off, x)
		case *ssa.Global:
			if isMapPointer(v.Type()) {
				binary.LittleEndian.PutUint64(mem, uint64(fn.b.world.mapID(fn.b.mapOfVariable(x))))
				return true
			}
		}
	case *ssa.Slice:
		return fn.storeSlice(d, off, v)
	case *ssa.Global, *ssa.FieldAddr, *ssa.IndexAddr, *ssa.Alloc:
		to, at, ok := fn.constAddress(v)
		if ok {
			d.AddRef(ir.Ref{Off: off, To: to, ToOff: at})
		}
		return ok
	}
	return false
}

// storeInterface is storeConst for an interface.
func (fn *function) storeInterface(d *ir.Data, off int64, v *ssa.MakeInterface) bool {
	t := v.X.Type()
	l, err := fn.b.layoutOf(t)
	if err != nil || isErrnoNamed(t) || isCellType(t) {
		return false
	}
	id := uint64(fn.b.world.typeID(t))
	_, isPtr := t.Underlying().(*types.Pointer)
	i, isInt := intTypeOf(t)
	n, isConst := constInt(v.X)
	switch {
	case isInt && isConst && i.bits > 0:
		word := uint64(n)
		if i.bits < 64 { // boxed has it with the sign in all of 32 bits
			word = uint64(uint32(n))
		}
		binary.LittleEndian.PutUint64(d.Bytes[off+8:], word)
	case isPtr:
		if !fn.storeConst(d, off+8, v.X) {
			return false
		}
	case l.count > 1:
		box := &ir.Data{Name: fn.b.dataName(d.Name + ".interface"), Bytes: make([]byte, l.size), Align: 8}
		if !fn.storeConst(box, 0, v.X) {
			return false
		}
		fn.b.m.Data = append(fn.b.m.Data, box)
		d.AddRef(ir.Ref{Off: off + 8, To: box})
	default:
		return false
	}
	binary.LittleEndian.PutUint64(d.Bytes[off:], id)
	return true
}

// storeSlice is storeConst for a slice of an array.
func (fn *function) storeSlice(d *ir.Data, off int64, v *ssa.Slice) bool {
	p, isPtr := v.X.Type().Underlying().(*types.Pointer)
	if !isPtr || v.Max != nil {
		return false
	}
	arr := p.Elem().Underlying().(*types.Array)
	low, high := int64(0), arr.Len()
	for _, bound := range []struct {
		v  ssa.Value
		to *int64
	}{{v.Low, &low}, {v.High, &high}} {
		if bound.v == nil {
			continue
		}
		n, isConst := constInt(bound.v)
		if !isConst {
			return false
		}
		*bound.to = n
	}
	to, at, ok := fn.constAddress(v.X)
	if !ok || low < 0 || low > high || high > arr.Len() {
		return false
	}
	d.AddRef(ir.Ref{Off: off, To: to, ToOff: at + low*sizes.Sizeof(arr.Elem())})
	binary.LittleEndian.PutUint64(d.Bytes[off+8:], uint64(high-low))
	binary.LittleEndian.PutUint64(d.Bytes[off+16:], uint64(arr.Len()-low))
	return true
}

// constAddress returns the object and the offset that v, an address, is of: a package-level
// variable or a composite literal, or a part of one.
func (fn *function) constAddress(v ssa.Value) (d *ir.Data, off int64, ok bool) {
	off, ok = constOffset(v)
	if !ok {
		return nil, 0, false
	}
	switch root := rootOf(v).(type) {
	case *ssa.Global:
		if isMapPointer(elemType(root.Type())) {
			return nil, 0, false
		}
		d = fn.globalData(root)
	case *ssa.Alloc:
		d = fn.literalData(root.Parent().Pkg.Pkg.Path(), root)
	}
	return d, off, d != nil
}

// storeLiteral writes what the variable a is initialised with to d at offset at.
func (fn *function) storeLiteral(d *ir.Data, at int64, a *ssa.Alloc) bool {
	for _, instr := range a.Block().Instrs {
		s, ok := instr.(*ssa.Store)
		if !ok {
			continue
		}
		if rootOf(s.Addr) != ssa.Value(a) {
			continue
		}
		if off, ok := constOffset(s.Addr); !ok || !fn.storeConst(d, at+off, s.Val) {
			return false
		}
	}
	return true
}
