package jit

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unsafe"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file makes a declared function of a function literal.
//
// A literal may use what is declared in the functions around it. Types and
// constants are copied with it. A variable becomes a variable of the new
// function that is set to the value it had when the literal was evaluated:
//
//	port := uint16(flags.port)                     func lifted(ctx *ebpf.XDP) ebpf.Action {
//	jit.Compile(func(ctx *ebpf.XDP) ebpf.Action {       var port uint16
//		return check(ctx, port)              =>         port = 8080
//	})                                                  { return check(ctx, port) }
//	                                                }
//
// That agrees with Go only if the variable never changes: it must be assigned
// nowhere but where it is declared, and its address must not be taken. This is also the
// condition under which the Go compiler certainly captures the value rather
// than a reference, so that the values can be read from the closure. Their order
// there is that of first use in the literal, as the type checker sees it, and
// the compiler skips code that is dead because of a constant condition; a
// literal with such code is refused rather than understood.
//
// The types of the variables are found by type-checking the surrounding
// function without the bodies of those that it calls. Only the literal and what
// the types of its variables follow from is understood, so that a main function
// that uses half of a module's packages costs no more than a small one. Errors
// do not matter there, because it will not be compiled; a variable whose type
// depends on a package that is not at hand is refused.

// A lifter turns one literal into a function.
type lifter struct {
	f    *front
	v    *funcValue
	file *file
	lit  literal

	specs  map[*ast.Ident]*ast.GenDecl // local types and constants by the identifier that declares them
	params map[*ast.Ident]bool         // type parameters around the literal
	uses   map[*ast.Ident]*ast.Ident   // uses of local names and what declares them
	order  []*ast.Ident                // uses in the order of the walk
	types  map[*types.Var]types.Type   // of the captured variables
}

// lift makes a declaration of a literal, or reports why it cannot.
func (f *front) lift(v *funcValue, file *file, lit literal) *decl {
	l := newLifter(f, v, file, lit)
	names, vars, ok := l.outside(lit.lit)
	if !ok {
		return nil
	}
	var set []ast.Stmt
	if len(vars) > 0 {
		if set, ok = l.capture(vars); !ok {
			return nil
		}
	}
	return l.declaration(v.short(), names, set)
}

// newLifter returns a lifter of lit that knows what names stand for. A literal whose
// value is not known, so that v is nil, can capture nothing.
func newLifter(f *front, v *funcValue, file *file, lit literal) *lifter {
	l := &lifter{f: f, v: v, file: file, lit: lit,
		specs: make(map[*ast.Ident]*ast.GenDecl), params: make(map[*ast.Ident]bool), uses: make(map[*ast.Ident]*ast.Ident), types: make(map[*types.Var]types.Type)}
	l.resolve()
	return l
}

// declaration returns the literal as a function of the given name, which begins with local
// declarations and the statements that set what it captures.
func (l *lifter) declaration(name string, names []*ast.GenDecl, set []ast.Stmt) *decl {
	var stmts []ast.Stmt
	for _, gen := range names {
		stmts = append(stmts, &ast.DeclStmt{Decl: gen})
	}
	stmts = append(stmts, set...)
	lit := l.lit.lit
	body := lit.Body
	if len(stmts) > 0 {
		body = &ast.BlockStmt{Lbrace: body.Lbrace, List: append(stmts, lit.Body), Rbrace: body.Rbrace}
	}
	return &decl{file: l.file, fn: &ast.FuncDecl{Name: &ast.Ident{NamePos: lit.Type.Func, Name: name}, Type: lit.Type, Body: body}}
}

func (l *lifter) refuse(pos token.Pos, fix, format string, args ...any) {
	l.f.diags.Add(lower.UnsuitableCapture, l.f.fset.Position(pos), fix, format, args...)
}

// resolve records what the names in the surrounding declaration stand for.
func (l *lifter) resolve() {
	r := resolver{local: func(id, decl *ast.Ident) {
		l.uses[id] = decl
		l.order = append(l.order, id)
	}}
	switch d := l.lit.decl.(type) {
	case *ast.FuncDecl:
		r.funcDecl(d, false)
		if d.Type.TypeParams != nil {
			for _, field := range d.Type.TypeParams.List {
				for _, id := range field.Names {
					l.params[id] = true
				}
			}
		}
		if d.Recv != nil {
			ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.IndexExpr:
					if id, ok := x.Index.(*ast.Ident); ok {
						l.params[id] = true
					}
				case *ast.IndexListExpr:
					for _, x := range x.Indices {
						if id, ok := x.(*ast.Ident); ok {
							l.params[id] = true
						}
					}
				}
				return true
			})
		}
	case *ast.GenDecl:
		r.genDecl(d)
	}
	ast.Inspect(l.lit.decl, func(n ast.Node) bool {
		if n, ok := n.(*ast.DeclStmt); ok {
			if gen, ok := n.Decl.(*ast.GenDecl); ok && gen.Tok != token.VAR {
				for _, s := range gen.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						l.specs[s.Name] = gen
					case *ast.ValueSpec:
						for _, id := range s.Names {
							l.specs[id] = gen
						}
					}
				}
			}
		}
		return true
	})
}

func within(n, outer ast.Node) bool { return outer.Pos() <= n.Pos() && n.Pos() < outer.End() }

// outside returns the local declarations of types and constants that n needs
// from around the literal, in source order, and the variables.
func (l *lifter) outside(n ast.Node) (names []*ast.GenDecl, vars []*ast.Ident, ok bool) {
	seen := make(map[*ast.GenDecl]bool)
	declared := make(map[string]*ast.Ident)
	ok = true
	var visit func(n ast.Node)
	visit = func(n ast.Node) {
		for _, id := range l.order {
			decl := l.uses[id]
			if !within(id, n) || within(decl, n) || within(decl, l.lit.lit) {
				continue
			}
			if other := declared[decl.Name]; other != nil && other != decl {
				l.refuse(id.Pos(), "rename one", "the literal depends on two declarations of %s in the functions around it", decl.Name)
				ok = false
				return
			}
			declared[decl.Name] = decl
			switch gen := l.specs[decl]; {
			case l.params[decl]:
				l.refuse(id.Pos(), "move the literal into a function that is not generic", "the literal depends on type parameter %s of the function around it", decl.Name)
				ok = false
			case gen != nil && !seen[gen]:
				seen[gen] = true
				names = append(names, gen)
				visit(gen)
			case gen == nil && !slices.Contains(vars, decl):
				vars = append(vars, decl)
			}
		}
	}
	visit(n)
	slices.SortFunc(names, func(a, b *ast.GenDecl) int { return int(a.Pos() - b.Pos()) })
	return names, vars, ok
}

// capture returns statements that declare the captured variables and set them.
func (l *lifter) capture(vars []*ast.Ident) ([]ast.Stmt, bool) {
	info := l.check()
	objs := make([]*types.Var, 0, len(vars))
	ok := true
	for _, id := range vars {
		obj := l.captured(info, id)
		if obj == nil || !l.setType(info, obj, id) {
			l.refuse(id.Pos(), fmt.Sprintf("declare it with its type: var %s T = ...", id.Name),
				"cannot determine the type of captured variable %s without the packages it depends on", id.Name)
			ok = false
			continue
		}
		objs = append(objs, obj)
	}
	if !ok {
		return nil, false
	}
	given := func(obj *types.Var) bool { _, ok := l.f.opts.consts[obj.Name()]; return ok }
	if slices.ContainsFunc(objs, func(o *types.Var) bool { return !given(o) }) && !l.checkValues(info, objs) {
		return nil, false
	}
	offsets := l.layout(info, objs)
	var stmts []ast.Stmt
	for _, obj := range objs {
		typ, err := l.f.typeSyntax(l.file, l.types[obj])
		if err != nil {
			l.refuse(obj.Pos(), "declare the type at package level", "captured variable %s: %v", obj.Name(), err)
			ok = false
			continue
		}
		offset, read := offsets[obj]
		var set []ast.Stmt
		switch {
		case given(obj):
			set, err = constInto(ast.NewIdent(obj.Name()), l.types[obj], l.f.opts.consts[obj.Name()])
			l.f.used[obj.Name()] = true
		case read && plainData(l.types[obj]) == nil:
			set, err = snapshotInto(ast.NewIdent(obj.Name()), l.types[obj], l.v.data, offset)
		case read:
			set, err = l.hostVar(obj, typ, offset)
		}
		if err != nil {
			l.refuse(obj.Pos(), "make it a package-level variable, or capture the parts that are needed", "captured variable %s %v", obj.Name(), err)
			ok = false
			continue
		}
		stmts = append(append(stmts, varStmt(obj.Name(), typ)), set...)
	}
	return stmts, ok
}

// capturable returns an error unless values of type t can be taken over.
func capturable(t types.Type) error {
	if plainData(t) == nil {
		return nil
	}
	_, err := captureOf(t)
	return err
}

// hostVar returns statements that set the captured variable obj, of the type that typ is the
// syntax of, to a variable that stands for memory of this process.
func (l *lifter) hostVar(obj *types.Var, typ ast.Expr, offset int64) ([]ast.Stmt, error) {
	if err := checkClosureLayout(); err != nil {
		return nil, err
	}
	how, err := captureOf(l.types[obj])
	if err != nil {
		return nil, err
	}
	mem := unsafe.Add(l.v.data, offset)
	x := ast.Expr(nil)
	if how == capturePointer {
		mem = *(*unsafe.Pointer)(mem)
		if mem == nil {
			return nil, nil // as declared
		}
		star, ok := typ.(*ast.StarExpr)
		if !ok {
			return nil, fmt.Errorf("is of a named pointer type")
		}
		x = &ast.UnaryExpr{Op: token.AND, X: l.f.newHostVar(l.file, obj.Name(), star.X, mem, obj.Pos())}
	} else {
		x = l.f.newHostVar(l.file, obj.Name(), typ, mem, obj.Pos())
	}
	return []ast.Stmt{&ast.AssignStmt{Lhs: []ast.Expr{ast.NewIdent(obj.Name())}, Tok: token.ASSIGN, Rhs: []ast.Expr{x}}}, nil
}

// captured returns the variable that id declares. That of a type switch is
// another one in each clause, so that its use in the literal tells which.
func (l *lifter) captured(info *types.Info, id *ast.Ident) *types.Var {
	if obj, ok := info.Defs[id].(*types.Var); ok {
		return obj
	}
	for _, use := range l.order {
		if l.uses[use] == id && within(use, l.lit.lit) {
			obj, _ := info.Uses[use].(*types.Var)
			return obj
		}
	}
	return nil
}

// setType notes the type of a captured variable and reports whether it is
// known. In v := T(x) it is T even if nothing is known of x.
func (l *lifter) setType(info *types.Info, obj *types.Var, id *ast.Ident) bool {
	if t := obj.Type(); valid(t) {
		l.types[obj] = t
		return true
	}
	found := false
	ast.Inspect(l.lit.decl, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != len(a.Rhs) {
			return true
		}
		for i, x := range a.Lhs {
			if call, ok := a.Rhs[i].(*ast.CallExpr); ok && x == id && info.Types[call.Fun].IsType() {
				l.types[obj] = info.Types[call.Fun].Type
				found = valid(l.types[obj])
			}
		}
		return true
	})
	return found
}

// valid reports whether a type was determined completely.
func valid(t types.Type) bool {
	return !strings.Contains(types.TypeString(t, nil), types.Typ[types.Invalid].String())
}

// check type-checks the declaration around the literal, ignoring errors.
func (l *lifter) check() *types.Info {
	r := newReach(l.f.lib, nil, l.f.fset.Position)
	d := l.file.funcs[l.lit.decl]
	for _, spec := range l.file.groups[l.lit.decl] {
		if within(l.lit.lit, spec.spec()) {
			d = spec
		}
	}
	return l.f.checkLeniently(r, d, l.relevant())
}

// checkValues makes sure that the values of the variables are in the closure.
func (l *lifter) checkValues(info *types.Info, vars []*types.Var) bool {
	before := l.f.diags.Len()
	changed := changes(info, l.lit.decl)
	for _, v := range vars {
		const fix = "copy it into a variable of its own before the literal, as in k := %s"
		if pos, ok := changed[v]; ok {
			l.refuse(pos, fmt.Sprintf(fix, v.Name()), "captured variable %s changes or its address is taken; a compiled program has the value of one moment", v.Name())
		} else if err := capturable(l.types[v]); err != nil {
			l.refuse(v.Pos(), "make it a package-level variable, or capture the parts that are needed", "captured variable %s %v", v.Name(), err)
		} else if sizes.Sizeof(l.types[v]) > maxByValue {
			l.refuse(v.Pos(), "make it a package-level variable, or give it with jit.WithConst",
				"captured variable %s is larger than %d bytes", v.Name(), maxByValue)
		}
	}
	if pos := deadCode(info, l.lit.lit); pos.IsValid() {
		l.refuse(pos, "move what depends on the constant into a function of its own, or give the captured variables with jit.WithConst",
			"a literal with captured variables has a condition that is constant")
	}
	return l.f.diags.Len() == before
}

// layout returns where in the closure each variable is.
func (l *lifter) layout(info *types.Info, vars []*types.Var) map[*types.Var]int64 {
	offsets := make(map[*types.Var]int64)
	offset := int64(ptrSize)
	ast.Inspect(l.lit.lit.Body, func(n ast.Node) bool {
		if x, ok := n.(ast.Expr); ok && info.Types[x].Value != nil {
			return false // constant expressions evaluate nothing
		}
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := info.Uses[id].(*types.Var)
		if _, seen := offsets[v]; !ok || seen || !slices.Contains(vars, v) {
			return true
		}
		offset = alignUp(offset, sizes.Alignof(l.types[v]))
		offsets[v] = offset
		offset += sizes.Sizeof(l.types[v])
		return true
	})
	return offsets
}

// changes returns the variables that are assigned after their declaration or
// whose address is taken, and where.
func changes(info *types.Info, n ast.Node) map[*types.Var]token.Pos {
	changed := make(map[*types.Var]token.Pos)
	note := func(x ast.Expr) {
		if v := root(info, x); v != nil && v.Pos() != x.Pos() {
			changed[v] = x.Pos()
		}
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, x := range n.Lhs {
				note(x)
			}
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				for _, x := range []ast.Expr{n.Key, n.Value} {
					if x != nil {
						note(x)
					}
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				note(n.X)
			}
		case *ast.SliceExpr:
			note(n.X)
		case *ast.SelectorExpr:
			if s := info.Selections[n]; s != nil && s.Kind() == types.MethodVal && pointerReceiver(s.Obj()) && !isPointer(s.Recv()) {
				note(n.X)
			}
		}
		return true
	})
	return changed
}

func pointerReceiver(method types.Object) bool {
	sig, ok := method.Type().(*types.Signature)
	if !ok || sig.Recv() == nil {
		return true
	}
	_, ok = sig.Recv().Type().(*types.Pointer)
	return ok
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// root returns the variable that x is a part of, or nil if it is behind a pointer or in a slice.
func root(info *types.Info, x ast.Expr) *types.Var {
	for {
		switch y := x.(type) {
		case *ast.Ident:
			v, _ := info.ObjectOf(y).(*types.Var)
			return v
		case *ast.ParenExpr:
			x = y.X
		case *ast.SelectorExpr:
			if s := info.Selections[y]; s != nil && s.Indirect() {
				return nil
			}
			x = y.X
		case *ast.IndexExpr:
			if t := info.TypeOf(y.X); t != nil && !isArray(t) {
				return nil
			}
			x = y.X
		default:
			return nil
		}
	}
}

func isArray(t types.Type) bool {
	_, ok := t.Underlying().(*types.Array)
	return ok
}

// deadCode returns the position of code that the Go compiler may treat as dead,
// or of the condition that makes it so.
func deadCode(info *types.Info, lit *ast.FuncLit) (pos token.Pos) {
	constant := func(x ast.Expr) {
		if x != nil && info.Types[x].Value != nil {
			pos = x.Pos()
		}
	}
	list := func(stmts []ast.Stmt) {
		for i, s := range stmts[:max(0, len(stmts)-1)] {
			if terminates(s) {
				pos = stmts[i+1].Pos()
			}
		}
	}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			constant(n.Cond)
		case *ast.ForStmt:
			constant(n.Cond)
		case *ast.SwitchStmt:
			constant(n.Tag)
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				constant(n.X)
				constant(n.Y)
			}
		case *ast.BlockStmt:
			list(n.List)
		case *ast.CaseClause:
			list(n.Body)
		}
		return true
	})
	return pos
}

// terminates reports whether s may be a terminating statement, as the Go
// specification has it, or jumps.
func terminates(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		id, ok := call.Fun.(*ast.Ident)
		return ok && id.Name == "panic"
	case *ast.BlockStmt:
		return len(s.List) > 0 && terminates(s.List[len(s.List)-1])
	case *ast.IfStmt:
		return s.Else != nil && terminates(s.Body) && terminates(s.Else)
	case *ast.LabeledStmt:
		return terminates(s.Stmt)
	case *ast.ForStmt:
		return s.Cond == nil && !breaks(s.Body)
	case *ast.SwitchStmt:
		return !breaks(s.Body) && allTerminate(s.Body)
	case *ast.TypeSwitchStmt:
		return !breaks(s.Body) && allTerminate(s.Body)
	}
	return false
}

func allTerminate(clauses *ast.BlockStmt) bool {
	hasDefault := false
	for _, s := range clauses.List {
		c, ok := s.(*ast.CaseClause)
		if !ok || len(c.Body) == 0 || !terminates(c.Body[len(c.Body)-1]) {
			return false
		}
		hasDefault = hasDefault || c.List == nil
	}
	return hasDefault
}

func breaks(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		b, ok := n.(*ast.BranchStmt)
		found = found || ok && b.Tok == token.BREAK
		return true
	})
	return found
}
