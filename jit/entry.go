package jit

import (
	"fmt"
	"go/ast"
	"go/token"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file makes declarations for func values that have none of their own:
// instances of generic functions and method values. The declaration calls the
// one that there is, and inlining makes the two one.
//
// Made declarations are named as the linker names the func value. That is no
// Go identifier, so it cannot clash with one.

func (f *front) unsuitable(v *funcValue, fix, format string, args ...any) *decl {
	pos := v.pos()
	if v.generated() {
		pos = token.Position{}
	}
	f.diags.Add(lower.UnsuitableValue, pos, fix, "%s: %s", v.short(), fmt.Sprintf(format, args...))
	return nil
}

// methodExpr makes a function of the method expression T.M.
func (f *front) methodExpr(v *funcValue, d *decl) *decl {
	recv := d.fn.Recv.List[0].Type
	if _, ok := recv.(*ast.Ident); !ok {
		return f.unsuitable(v, "call it in a function literal", "the receiver is a pointer, or of a generic type")
	}
	params := renamed(d.fn.Type.Params, 1)
	sig := &ast.FuncType{Func: d.fn.Pos(), Params: params, Results: unnamed(d.fn.Type.Results)}
	callee := &ast.SelectorExpr{X: paramName(0), Sel: ast.NewIdent(d.fn.Name.Name)}
	fn := forwarder(v.short(), d.fn.Name.Pos(), sig, callee)
	params.List = slices.Insert(params.List, 0, &ast.Field{Names: []*ast.Ident{paramName(0)}, Type: recv})
	return &decl{file: d.file, fn: fn}
}

// instance makes a function that calls the instance of d, a generic function,
// that v is. The linker does not say which instance that is; v's type does, if
// all type parameters occur in the signature.
func (f *front) instance(v *funcValue, d *decl) *decl {
	const fix = "call it in a function literal: func(x T) R { return f[T](x) }"
	names := make(map[string]ast.Expr)
	var order []string
	for _, field := range d.fn.Type.TypeParams.List {
		for _, id := range field.Names {
			names[id.Name] = nil
			order = append(order, id.Name)
		}
	}
	in := slices.Collect(v.typ.Ins())
	out := slices.Collect(v.typ.Outs())
	for i, t := range fieldTypes(d.fn.Type.Params) {
		f.infer(v, d.file, t, in[i], names)
	}
	for i, t := range fieldTypes(d.fn.Type.Results) {
		f.infer(v, d.file, t, out[i], names)
	}
	var args []ast.Expr
	for _, name := range order {
		if names[name] == nil {
			return f.unsuitable(v, fix, "type argument %s cannot be told from the signature", name)
		}
		args = append(args, names[name])
	}
	sig := &ast.FuncType{Func: d.fn.Pos(), Params: &ast.FieldList{}}
	var err error
	if sig.Params, err = f.reflectFields(v, d.file, in); err == nil {
		sig.Results, err = f.reflectFields(v, d.file, out)
	}
	if err != nil {
		return f.unsuitable(v, fix, "%v", err)
	}
	for _, field := range sig.Results.List {
		field.Names = nil
	}
	callee := &ast.IndexListExpr{X: &ast.Ident{NamePos: d.fn.Name.Pos(), Name: d.fn.Name.Name}, Indices: args}
	return &decl{file: d.file, fn: forwarder(v.short(), d.fn.Name.Pos(), sig, callee)}
}

// fieldTypes returns the type of each parameter of a list.
func fieldTypes(list *ast.FieldList) []ast.Expr {
	var types []ast.Expr
	if list == nil {
		return nil
	}
	for _, field := range list.List {
		for range max(1, len(field.Names)) {
			types = append(types, field.Type)
		}
	}
	return types
}

// infer matches the syntax of a type against the type it became and notes what
// the type parameters in names stand for.
func (f *front) infer(v *funcValue, file *file, x ast.Expr, t reflect.Type, names map[string]ast.Expr) {
	switch x := x.(type) {
	case *ast.ParenExpr:
		f.infer(v, file, x.X, t, names)
	case *ast.Ident:
		if old, ok := names[x.Name]; ok && old == nil {
			names[x.Name], _ = f.reflectSyntax(v, file, t)
		}
	case *ast.StarExpr:
		if t.Kind() == reflect.Pointer {
			f.infer(v, file, x.X, t.Elem(), names)
		}
	case *ast.ArrayType:
		if t.Kind() == reflect.Array || t.Kind() == reflect.Slice {
			f.infer(v, file, x.Elt, t.Elem(), names)
		}
	}
}

// reflectFields returns parameters of the given types, named p0, p1, and so on.
func (f *front) reflectFields(v *funcValue, file *file, list []reflect.Type) (*ast.FieldList, error) {
	fields := &ast.FieldList{}
	for i, t := range list {
		x, err := f.reflectSyntax(v, file, t)
		if err != nil {
			return nil, err
		}
		fields.List = append(fields.List, &ast.Field{Names: []*ast.Ident{paramName(i)}, Type: x})
	}
	return fields, nil
}

func paramName(i int) *ast.Ident { return ast.NewIdent("p" + strconv.Itoa(i)) }

// reflectSyntax returns how file writes the type t.
func (f *front) reflectSyntax(v *funcValue, file *file, t reflect.Type) (ast.Expr, error) {
	name := t.Name()
	switch {
	case strings.Contains(name, "["):
		return nil, fmt.Errorf("type %s is an instance of a generic type", t)
	case name != "" && t.PkgPath() == "":
		return ast.NewIdent(name), nil
	case name != "" && t.PkgPath() == v.pkgPath():
		if f.lookupDecl(file, name) == nil {
			return nil, fmt.Errorf("type %s is not declared at package level", t)
		}
		return ast.NewIdent(name), nil
	case name != "":
		for _, local := range sortedKeys(file.imports) {
			if importPath(file.imports[local]) == t.PkgPath() {
				return &ast.SelectorExpr{X: ast.NewIdent(local), Sel: ast.NewIdent(name)}, nil
			}
		}
		return nil, fmt.Errorf("type %s is of a package that the function's file does not import", t)
	}
	switch t.Kind() {
	case reflect.Pointer:
		elem, err := f.reflectSyntax(v, file, t.Elem())
		return &ast.StarExpr{X: elem}, err
	case reflect.Array:
		elem, err := f.reflectSyntax(v, file, t.Elem())
		return &ast.ArrayType{Len: intLit(uint64(t.Len())), Elt: elem}, err
	}
	return nil, fmt.Errorf("type %s has no name", t)
}

// lookupDecl returns a declaration of file's package, or nil.
func (f *front) lookupDecl(file *file, name string) *decl {
	if file.pkg.decls[name] == nil {
		file.pkg.readRest()
	}
	return file.pkg.decls[name]
}

// forwarder returns a function of the given signature, whose parameters have
// names, that returns what callee does.
func forwarder(name string, pos token.Pos, sig *ast.FuncType, callee ast.Expr, before ...ast.Stmt) *ast.FuncDecl {
	call := &ast.CallExpr{Fun: callee, Lparen: pos, Rparen: pos}
	for _, field := range sig.Params.List {
		for _, id := range field.Names {
			call.Args = append(call.Args, &ast.Ident{NamePos: pos, Name: id.Name})
		}
	}
	var last ast.Stmt = &ast.ExprStmt{X: call}
	if sig.Results.NumFields() > 0 {
		last = &ast.ReturnStmt{Return: pos, Results: []ast.Expr{call}}
	}
	return &ast.FuncDecl{
		Name: &ast.Ident{NamePos: pos, Name: name}, Type: sig,
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: append(before, last)},
	}
}

// pkgPath returns the import path of the package of v, "main" for main.
func (v *funcValue) pkgPath() string { return packageOf(v.name) }

// packageOf returns the import path in a linker's name.
func packageOf(name string) string {
	return strings.ReplaceAll(strings.TrimSuffix(packagePrefix(name), "."), "%2e", ".")
}

// packagePrefix returns the part of a linker's name that is the package, with
// the dot that follows it.
func packagePrefix(name string) string {
	if i := strings.IndexByte(name, '['); i >= 0 {
		name = name[:i] // type arguments may have slashes
	}
	slash := strings.LastIndex(name, "/") + 1
	return name[:slash+strings.Index(name[slash:], ".")+1]
}

// methodValue makes a function that calls a method of the value that was the
// receiver when the method value was made.
func (f *front) methodValue(v *funcValue) *decl {
	rest, ok := strings.CutSuffix(v.name[len(packagePrefix(v.name)):], "-fm")
	if !ok {
		return f.unsuitable(v, "write a function literal that calls it", "the function is a wrapper that the Go compiler made, without source")
	}
	recv, method, _ := strings.Cut(rest, ".")
	if strings.Contains(rest, "[") {
		return f.unsuitable(v, "call it in a function literal", "method of a generic type")
	}
	pointer := strings.HasPrefix(recv, "(*")
	recv = strings.Trim(recv, "(*)")
	name := callerIn(v.pkgPath())
	if name == "" {
		return f.unsuitable(v, "write a function literal that calls it", "a method value can only be compiled by the package that declares the method")
	}
	file := f.openSource(name)
	if file == nil {
		return nil
	}
	p := file.pkg
	p.readRest()
	var d *decl
	for _, m := range p.methods[recv] {
		if m.fn.Name.Name == method {
			d = m
		}
	}
	if d == nil {
		return f.unsuitable(v, "write a function literal that calls it", "%s has no method %s of its own: it is an interface, or the method is promoted from an embedded field", recv, method)
	}
	typ, err := f.typeOf(d.file, recv)
	if err != nil {
		return f.unsuitable(v, "", "%v", err)
	}
	mem := unsafe.Add(v.data, alignUp(ptrSize, sizes.Alignof(typ)))
	if pointer {
		if mem = *(*unsafe.Pointer)(unsafe.Add(v.data, ptrSize)); mem == nil {
			return f.unsuitable(v, "", "the receiver is nil")
		}
	}
	sig := &ast.FuncType{Params: renamed(d.fn.Type.Params, 0), Results: unnamed(d.fn.Type.Results)}
	on, before := ast.NewIdent("recv"), []ast.Stmt(nil)
	if pointer || plainData(typ) != nil {
		if err = checkClosureLayout(); err == nil && !pointer {
			_, err = captureOf(typ)
		}
		on = f.newHostVar(d.file, recv, ast.NewIdent(recv), mem, d.fn.Name.Pos())
	} else {
		before, err = snapshotInto(on, typ, mem, 0)
		before = append([]ast.Stmt{varStmt("recv", ast.NewIdent(recv))}, before...)
	}
	if err != nil {
		return f.unsuitable(v, "write a function literal that calls it", "the receiver %v", err)
	}
	return &decl{file: d.file, fn: forwarder(v.short(), d.fn.Name.Pos(), sig, &ast.SelectorExpr{X: on, Sel: ast.NewIdent(method)}, before...)}
}

// renamed returns the same parameters with names of their own, numbered from first.
func renamed(list *ast.FieldList, first int) *ast.FieldList {
	fields := &ast.FieldList{}
	for i, t := range fieldTypes(list) {
		fields.List = append(fields.List, &ast.Field{Names: []*ast.Ident{paramName(first + i)}, Type: t})
	}
	return fields
}

// unnamed returns the same results without names, which are those of another function's
// variables.
func unnamed(list *ast.FieldList) *ast.FieldList {
	if list == nil {
		return nil
	}
	fields := &ast.FieldList{}
	for _, t := range fieldTypes(list) {
		fields.List = append(fields.List, &ast.Field{Type: t})
	}
	return fields
}

// callerIn returns the file of the innermost caller that is in a package, or "".
func callerIn(pkgPath string) string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if packageOf(frame.Function) == pkgPath {
			return frame.File
		}
		if !more {
			return ""
		}
	}
}
