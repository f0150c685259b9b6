package jit

import (
	"go/token"
	"go/types"
	"reflect"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file finds the function that FuncSource is to run, and compares its type
// with the one that the host has for it.

// funcRoots parses Go source text and returns the function of the given name.
func (f *front) funcRoots(name, src, fn string) []*decl {
	p := newPkg("", "")
	if f.parse(p, name, []byte(src)) == nil {
		return nil
	}
	d := p.decls[fn]
	if d == nil || d.fn == nil {
		f.diags.Add(lower.NoProgram, token.Position{Filename: name}, "", "no function is called %s", fn)
		return nil
	}
	return []*decl{d}
}

// sameLayouts reports whether arguments and results of the two function types are
// laid out alike.
func sameLayouts(sig *types.Signature, t reflect.Type) bool {
	var in []types.Type
	if sig.Recv() != nil {
		in = append(in, sig.Recv().Type())
	}
	for v := range sig.Params().Variables() {
		in = append(in, v.Type())
	}
	if len(in) != t.NumIn() || sig.Results().Len() != t.NumOut() {
		return false
	}
	for i, p := range in {
		if !sameLayout(p, t.In(i)) {
			return false
		}
	}
	for i := range t.NumOut() {
		if !sameLayout(sig.Results().At(i).Type(), t.Out(i)) {
			return false
		}
	}
	return true
}

// sameLayout reports whether two types of plain data are the same but for the
// names of types.
func sameLayout(x types.Type, y reflect.Type) bool {
	switch x := x.Underlying().(type) {
	case *types.Basic:
		return types.Typ[x.Kind()].Name() == y.Kind().String()
	case *types.Array:
		return y.Kind() == reflect.Array && x.Len() == int64(y.Len()) && sameLayout(x.Elem(), y.Elem())
	case *types.Struct:
		if y.Kind() != reflect.Struct || x.NumFields() != y.NumField() {
			return false
		}
		for i := range y.NumField() {
			if x.Field(i).Name() != y.Field(i).Name || !sameLayout(x.Field(i).Type(), y.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return false
}
