package jit

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"runtime"
	"strconv"
	"sync"
	"unsafe"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file reads the values that a closure has captured from its memory.
//
// A func value is a pointer to {entry pc, captured values...}. Go does not
// document how the values lie there; the compiler has put them in the order of
// their first use in the literal, each naturally aligned, for as long as there
// has been a Go compiler in Go. A self-test compares that with closures whose
// captured values are known, once per process, before any value is believed.

const (
	ptrSize = 8
	// maxByValue is the size up to which a variable that is never assigned
	// again is captured by value: cmd/compile, typecheck.CaptureVars.
	maxByValue = 128
)

// sizes is the layout of types.
var sizes = lower.Sizes

func alignUp(n, align int64) int64 { return (n + align - 1) &^ (align - 1) }

// snapshotInto returns statements that set dst, a zero variable of type t, to
// the value that lies offset bytes into a closure. Only zero-pointer data is
// read: integers, bools, and arrays and structs of them.
func snapshotInto(dst ast.Expr, t types.Type, closure unsafe.Pointer, offset int64) ([]ast.Stmt, error) {
	if err := plainData(t); err != nil {
		return nil, err
	}
	if err := checkClosureLayout(); err != nil {
		return nil, err
	}
	size := sizes.Sizeof(t)
	b := make([]byte, size)
	copy(b, unsafe.Slice((*byte)(unsafe.Add(closure, offset)), size))
	return setStmts(nil, dst, t, b), nil
}

func checkClosureLayout() error {
	if closureLayoutKnown() {
		return nil
	}
	return fmt.Errorf("cannot be read, because this Go version (%s) lays closures out in an unknown way; give it with jit.WithConst", runtime.Version())
}

// plainData returns an error unless t is an integer, a bool, or an array or a
// struct of them.
func plainData(t types.Type) error {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&(types.IsInteger|types.IsBoolean) != 0 && u.Kind() != types.UnsafePointer && u.Kind() != types.Invalid {
			return nil
		}
	case *types.Array:
		return plainData(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if err := plainData(f.Type()); err != nil {
				return fmt.Errorf("is a struct whose field %s %w", f.Name(), err)
			}
		}
		return nil
	}
	return fmt.Errorf("is of type %s, and only integers, bools, and arrays and structs of them can be taken over", types.TypeString(t, types.RelativeTo(nil)))
}

// setStmts appends assignments of the parts of a value that are not zero.
func setStmts(list []ast.Stmt, dst ast.Expr, t types.Type, b []byte) []ast.Stmt {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if x := scalarSyntax(u, b); x != nil {
			list = append(list, &ast.AssignStmt{Lhs: []ast.Expr{dst}, Tok: token.ASSIGN, Rhs: []ast.Expr{x}})
		}
	case *types.Array:
		size := sizes.Sizeof(u.Elem())
		for i := range u.Len() {
			elem := &ast.IndexExpr{X: dst, Index: intLit(uint64(i))}
			list = setStmts(list, elem, u.Elem(), b[i*size:(i+1)*size])
		}
	case *types.Struct:
		fields := make([]*types.Var, u.NumFields())
		for i := range fields {
			fields[i] = u.Field(i)
		}
		for i, offset := range sizes.Offsetsof(fields) {
			f := fields[i]
			if f.Name() == "_" {
				continue
			}
			field := &ast.SelectorExpr{X: dst, Sel: ast.NewIdent(f.Name())}
			list = setStmts(list, field, f.Type(), b[offset:offset+sizes.Sizeof(f.Type())])
		}
	}
	return list
}

// scalarSyntax returns a constant, or nil for zero.
func scalarSyntax(t *types.Basic, b []byte) ast.Expr {
	var n uint64
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	if n == 0 {
		return nil
	}
	switch {
	case t.Info()&types.IsBoolean != 0:
		return ast.NewIdent("true")
	case t.Info()&types.IsUnsigned == 0:
		shift := 64 - 8*len(b)
		if i := int64(n<<shift) >> shift; i < 0 {
			return &ast.UnaryExpr{Op: token.SUB, X: intLit(-uint64(i))}
		}
	}
	return intLit(n)
}

func intLit(n uint64) *ast.BasicLit {
	return &ast.BasicLit{Kind: token.INT, Value: strconv.FormatUint(n, 10)}
}

// varStmt returns var name t.
func varStmt(name string, t ast.Expr) ast.Stmt {
	return &ast.DeclStmt{Decl: &ast.GenDecl{Tok: token.VAR, Specs: []ast.Spec{
		&ast.ValueSpec{Names: []*ast.Ident{ast.NewIdent(name)}, Type: t},
	}}}
}

// closureLayoutKnown reports whether closures of this binary look as expected.
var closureLayoutKnown = sync.OnceValue(func() bool {
	type pair struct {
		a uint8
		b uint32
	}
	want := struct {
		_ uintptr
		a uint8
		b uint64
		c int16
		d [3]uint8
		e pair
		f bool
		g uint64
	}{a: 0x11, b: 0x2222, c: -3, d: [3]uint8{4, 5, 6}, e: pair{7, 8}, f: true, g: 0x66}
	fn := sampleClosure(want.a, want.b, want.c, want.d, want.f)
	got := *(*unsafe.Pointer)(unsafe.Pointer(&fn))
	w := unsafe.Slice((*byte)(unsafe.Pointer(&want)), unsafe.Sizeof(want))
	g := unsafe.Slice((*byte)(got), unsafe.Sizeof(want))
	for _, field := range [...][2]uintptr{
		{unsafe.Offsetof(want.a), unsafe.Sizeof(want.a)},
		{unsafe.Offsetof(want.b), unsafe.Sizeof(want.b)},
		{unsafe.Offsetof(want.c), unsafe.Sizeof(want.c)},
		{unsafe.Offsetof(want.d), unsafe.Sizeof(want.d)},
		{unsafe.Offsetof(want.e) + unsafe.Offsetof(want.e.a), unsafe.Sizeof(want.e.a)},
		{unsafe.Offsetof(want.e) + unsafe.Offsetof(want.e.b), unsafe.Sizeof(want.e.b)},
		{unsafe.Offsetof(want.f), unsafe.Sizeof(want.f)},
		{unsafe.Offsetof(want.g), unsafe.Sizeof(want.g)},
	} {
		if string(w[field[0]:field[0]+field[1]]) != string(g[field[0]:field[0]+field[1]]) {
			return false
		}
	}
	return true
})

// sampleClosure returns a closure that captures its parameters, a struct and a
// variable whose value the compiler knows, in the order of their first use.
//
//go:noinline
func sampleClosure(a uint8, b uint64, c int16, d [3]uint8, f bool) func() uint64 {
	e := struct {
		a uint8
		b uint32
	}{7, 8}
	g := uint64(0x66)
	return func() uint64 {
		sum := uint64(a) + b + uint64(c)
		if d[1] == 5 && e.b == 8 && f {
			sum += g
		}
		return sum
	}
}
