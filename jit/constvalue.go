package jit

import (
	"fmt"
	"go/ast"
	"go/types"
	"math"
	"reflect"

	"github.com/undergo-ebpf/undergo/lower"
)

// constInto returns statements that set dst, a zero variable of type t, to a
// value given with WithConst.
func constInto(dst ast.Expr, t types.Type, value any) ([]ast.Stmt, error) {
	if err := plainData(t); err != nil {
		return nil, err
	}
	b := make([]byte, sizes.Sizeof(t))
	if err := encode(b, t, reflect.ValueOf(value)); err != nil {
		return nil, fmt.Errorf("of type %s cannot be given the value %v: %w", typeName(t), value, err)
	}
	return setStmts(nil, dst, t, b), nil
}

// constVars returns the values given with WithConst to package-level variables
// of k, in the layout they have in memory.
func (f *front) constVars(k *checked) map[*types.Var][]byte {
	values := make(map[*types.Var][]byte)
	for _, name := range sortedKeys(f.opts.consts) {
		v, ok := k.types.Scope().Lookup(name).(*types.Var)
		if !ok || f.used[name] {
			continue
		}
		f.used[name] = true
		var mem []byte
		err := plainData(v.Type())
		if err == nil {
			mem = make([]byte, sizes.Sizeof(v.Type()))
			err = encode(mem, v.Type(), reflect.ValueOf(f.opts.consts[name]))
		}
		if err != nil {
			f.diags.Add(lower.UnknownConst, f.fset.Position(v.Pos()), "", "WithConst: variable %s of type %s cannot be given the value %v: %v",
				name, typeName(v.Type()), f.opts.consts[name], err)
			continue
		}
		values[v] = mem
	}
	return values
}

// encode writes v to b in the layout of t.
func encode(b []byte, t types.Type, v reflect.Value) error {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return encodeScalar(b, u, v)
	case *types.Array:
		if v.Kind() != reflect.Array || int64(v.Len()) != u.Len() {
			return fmt.Errorf("%s is not an array of %d elements", kindOf(v), u.Len())
		}
		size := sizes.Sizeof(u.Elem())
		for i := range u.Len() {
			if err := encode(b[i*size:], u.Elem(), v.Index(int(i))); err != nil {
				return err
			}
		}
		return nil
	case *types.Struct:
		if v.Kind() != reflect.Struct || v.NumField() != u.NumFields() {
			return fmt.Errorf("%s is not a struct of %d fields", kindOf(v), u.NumFields())
		}
		fields := make([]*types.Var, u.NumFields())
		for i := range fields {
			if fields[i] = u.Field(i); fields[i].Name() != v.Type().Field(i).Name {
				return fmt.Errorf("it has no field %s", fields[i].Name())
			}
		}
		for i, offset := range sizes.Offsetsof(fields) {
			if err := encode(b[offset:], fields[i].Type(), v.Field(i)); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("no plain data")
}

func kindOf(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	return v.Type().String()
}

func encodeScalar(b []byte, t *types.Basic, v reflect.Value) error {
	var n uint64
	isBool := t.Info()&types.IsBoolean != 0
	bits := 8 * sizes.Sizeof(t)
	switch {
	case isBool && v.Kind() == reflect.Bool:
		if v.Bool() {
			n = 1
		}
	case !isBool && v.IsValid() && v.CanInt():
		i := v.Int()
		if t.Info()&types.IsUnsigned != 0 {
			if i < 0 || bits < 64 && i>>bits != 0 {
				return fmt.Errorf("out of range")
			}
		} else if i<<(64-bits)>>(64-bits) != i {
			return fmt.Errorf("out of range")
		}
		n = uint64(i)
	case !isBool && v.IsValid() && v.CanUint():
		n = v.Uint()
		if t.Info()&types.IsUnsigned == 0 {
			bits--
		}
		if bits < 64 && n > math.MaxUint64>>(64-bits) {
			return fmt.Errorf("out of range")
		}
	default:
		return fmt.Errorf("it is of type %s", kindOf(v))
	}
	for i := range sizes.Sizeof(t) {
		b[i] = byte(n >> (8 * i))
	}
	return nil
}
