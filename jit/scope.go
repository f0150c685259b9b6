package jit

import (
	"go/ast"
	"go/token"
)

// This file resolves identifiers lexically, without types.
//
// Pruning comes before type checking, so it cannot ask the type checker what an
// identifier means; and it must be exact about scopes, because a local variable
// that happens to be called like a package-level one (or like an imported
// package) would otherwise drag that declaration, and all that it needs, into
// the compiled program. Go's scopes are lexical and blocks nest, so a walk with
// a stack of name tables finds for each identifier the one that declares it.
// Two kinds of name need types and are only reported: selectors (x.name) and
// the keys of composite literals, which may be struct fields.

// A resolver walks syntax and reports the identifiers in it. Callbacks may be nil.
type resolver struct {
	// local is called for a use of an identifier that the walked syntax declares.
	local func(id, decl *ast.Ident)
	// free is called for a use of an identifier declared outside of it.
	free func(id *ast.Ident)
	// qualified is called instead of free for x in x.sel.
	qualified func(x, sel *ast.Ident)
	// member is called for every selected name, and for every method name in an interface type.
	member func(name string)
	// key is called for an identifier declared outside that is the key of a composite literal's element.
	key func(id *ast.Ident)

	scope *scope
}

// A scope is the names declared in one block.
type scope struct {
	outer *scope
	names map[string]*ast.Ident
}

func (r *resolver) open() { r.scope = &scope{outer: r.scope} }

func (r *resolver) close() { r.scope = r.scope.outer }

// declare adds id to the innermost scope.
func (r *resolver) declare(id *ast.Ident) {
	if id == nil || id.Name == "_" || r.scope == nil {
		return
	}
	if r.scope.names == nil {
		r.scope.names = make(map[string]*ast.Ident)
	}
	r.scope.names[id.Name] = id
}

// lookup returns the identifier that declares name, or nil.
func (r *resolver) lookup(name string) *ast.Ident {
	for s := r.scope; s != nil; s = s.outer {
		if id := s.names[name]; id != nil {
			return id
		}
	}
	return nil
}

func (r *resolver) use(id *ast.Ident) {
	if id.Name == "_" {
		return
	}
	if decl := r.lookup(id.Name); decl != nil {
		if r.local != nil {
			r.local(id, decl)
		}
	} else if r.free != nil {
		r.free(id)
	}
}

// funcDecl walks a declared function or method, its body too unless signatureOnly.
func (r *resolver) funcDecl(d *ast.FuncDecl, signatureOnly bool) {
	r.open()
	defer r.close()
	if d.Recv != nil {
		for _, f := range d.Recv.List {
			r.receiver(f.Type)
		}
	}
	r.funcType(d.Type)
	if d.Recv != nil {
		r.params(d.Recv)
	}
	if d.Body != nil && !signatureOnly {
		r.stmts(d.Body.List)
	}
}

// receiver walks a receiver's type, whose type arguments are declarations.
func (r *resolver) receiver(t ast.Expr) {
	switch t := t.(type) {
	case *ast.StarExpr:
		r.receiver(t.X)
	case *ast.ParenExpr:
		r.receiver(t.X)
	case *ast.IndexExpr:
		r.expr(t.X)
		r.typeParam(t.Index)
	case *ast.IndexListExpr:
		r.expr(t.X)
		for _, x := range t.Indices {
			r.typeParam(x)
		}
	default:
		r.expr(t)
	}
}

func (r *resolver) typeParam(x ast.Expr) {
	if id, ok := x.(*ast.Ident); ok {
		r.declare(id)
	}
}

// funcType walks a signature and declares its parameters in the current scope.
func (r *resolver) funcType(t *ast.FuncType) {
	r.typeParams(t.TypeParams)
	for _, list := range []*ast.FieldList{t.Params, t.Results} {
		if list != nil {
			for _, f := range list.List {
				r.expr(f.Type)
			}
		}
	}
	r.params(t.Params)
	r.params(t.Results)
}

func (r *resolver) typeParams(list *ast.FieldList) {
	r.params(list)
	if list != nil {
		for _, f := range list.List {
			r.expr(f.Type)
		}
	}
}

func (r *resolver) params(list *ast.FieldList) {
	if list == nil {
		return
	}
	for _, f := range list.List {
		for _, id := range f.Names {
			r.declare(id)
		}
	}
}

func (r *resolver) genDecl(d *ast.GenDecl) {
	for _, s := range d.Specs {
		r.spec(s)
	}
}

// spec walks one declaration of a type, or of constants or variables.
func (r *resolver) spec(s ast.Spec) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		r.declare(s.Name)
		r.open()
		r.typeParams(s.TypeParams)
		r.expr(s.Type)
		r.close()
	case *ast.ValueSpec:
		r.expr(s.Type)
		r.exprs(s.Values)
		for _, id := range s.Names {
			r.declare(id)
		}
	}
}

func (r *resolver) exprs(list []ast.Expr) {
	for _, x := range list {
		r.expr(x)
	}
}

// expr walks an expression or a type.
func (r *resolver) expr(x ast.Expr) {
	switch x := x.(type) {
	case nil, *ast.BasicLit, *ast.BadExpr:
	case *ast.Ident:
		r.use(x)
	case *ast.SelectorExpr:
		r.selector(x)
	case *ast.CompositeLit:
		r.compositeLit(x)
	case *ast.FuncLit:
		r.open()
		r.funcType(x.Type)
		r.stmts(x.Body.List)
		r.close()
	case *ast.FuncType:
		r.open()
		r.funcType(x)
		r.close()
	case *ast.StructType:
		for _, f := range x.Fields.List {
			r.expr(f.Type)
		}
	case *ast.InterfaceType:
		r.interfaceType(x)
	case *ast.ParenExpr:
		r.expr(x.X)
	case *ast.StarExpr:
		r.expr(x.X)
	case *ast.UnaryExpr:
		r.expr(x.X)
	case *ast.BinaryExpr:
		r.expr(x.X)
		r.expr(x.Y)
	case *ast.KeyValueExpr:
		r.expr(x.Key)
		r.expr(x.Value)
	case *ast.CallExpr:
		r.expr(x.Fun)
		r.exprs(x.Args)
	case *ast.IndexExpr:
		r.expr(x.X)
		r.expr(x.Index)
	case *ast.IndexListExpr:
		r.expr(x.X)
		r.exprs(x.Indices)
	case *ast.SliceExpr:
		r.expr(x.X)
		r.exprs([]ast.Expr{x.Low, x.High, x.Max})
	case *ast.TypeAssertExpr:
		r.expr(x.X)
		r.expr(x.Type)
	case *ast.Ellipsis:
		r.expr(x.Elt)
	case *ast.ArrayType:
		r.expr(x.Len)
		r.expr(x.Elt)
	case *ast.MapType:
		r.expr(x.Key)
		r.expr(x.Value)
	case *ast.ChanType:
		r.expr(x.Value)
	}
}

func (r *resolver) selector(x *ast.SelectorExpr) {
	if r.member != nil {
		r.member(x.Sel.Name)
	}
	id, ok := x.X.(*ast.Ident)
	if !ok {
		r.expr(x.X)
		return
	}
	if r.qualified != nil && r.lookup(id.Name) == nil {
		r.qualified(id, x.Sel)
		return
	}
	r.use(id)
}

func (r *resolver) compositeLit(x *ast.CompositeLit) {
	r.expr(x.Type)
	for _, elt := range x.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			r.expr(elt)
			continue
		}
		if id, ok := kv.Key.(*ast.Ident); !ok {
			r.expr(kv.Key)
		} else if decl := r.lookup(id.Name); decl != nil {
			r.use(id)
		} else if r.key != nil {
			r.key(id)
		}
		r.expr(kv.Value)
	}
}

func (r *resolver) interfaceType(x *ast.InterfaceType) {
	for _, f := range x.Methods.List {
		for _, id := range f.Names {
			if r.member != nil {
				r.member(id.Name)
			}
		}
		r.expr(f.Type)
	}
}

func (r *resolver) block(b *ast.BlockStmt) {
	if b != nil {
		r.open()
		r.stmts(b.List)
		r.close()
	}
}

func (r *resolver) stmts(list []ast.Stmt) {
	for _, s := range list {
		r.stmt(s)
	}
}

func (r *resolver) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case nil, *ast.BadStmt, *ast.EmptyStmt, *ast.BranchStmt:
	case *ast.DeclStmt:
		if d, ok := s.Decl.(*ast.GenDecl); ok {
			r.genDecl(d)
		}
	case *ast.LabeledStmt:
		r.stmt(s.Stmt)
	case *ast.ExprStmt:
		r.expr(s.X)
	case *ast.SendStmt:
		r.expr(s.Chan)
		r.expr(s.Value)
	case *ast.IncDecStmt:
		r.expr(s.X)
	case *ast.AssignStmt:
		r.assign(s)
	case *ast.GoStmt:
		r.expr(s.Call)
	case *ast.DeferStmt:
		r.expr(s.Call)
	case *ast.ReturnStmt:
		r.exprs(s.Results)
	case *ast.BlockStmt:
		r.block(s)
	case *ast.IfStmt:
		r.open()
		r.stmt(s.Init)
		r.expr(s.Cond)
		r.block(s.Body)
		r.stmt(s.Else)
		r.close()
	case *ast.ForStmt:
		r.open()
		r.stmt(s.Init)
		r.expr(s.Cond)
		r.stmt(s.Post)
		r.block(s.Body)
		r.close()
	case *ast.RangeStmt:
		r.rangeStmt(s)
	case *ast.SwitchStmt:
		r.open()
		r.stmt(s.Init)
		r.expr(s.Tag)
		r.clauses(s.Body, nil)
		r.close()
	case *ast.TypeSwitchStmt:
		r.typeSwitch(s)
	case *ast.SelectStmt:
		r.clauses(s.Body, nil)
	}
}

// assign walks an assignment. In a := b the names of a that the innermost scope
// has already are used, the others are declared.
func (r *resolver) assign(s *ast.AssignStmt) {
	r.exprs(s.Rhs)
	for _, x := range s.Lhs {
		id, ok := x.(*ast.Ident)
		if s.Tok == token.DEFINE && ok && r.scope != nil && r.scope.names[id.Name] == nil {
			r.declare(id)
			continue
		}
		r.expr(x)
	}
}

func (r *resolver) rangeStmt(s *ast.RangeStmt) {
	r.expr(s.X)
	r.open()
	for _, x := range []ast.Expr{s.Key, s.Value} {
		if id, ok := x.(*ast.Ident); ok && s.Tok == token.DEFINE {
			r.declare(id)
		} else {
			r.expr(x)
		}
	}
	r.block(s.Body)
	r.close()
}

func (r *resolver) typeSwitch(s *ast.TypeSwitchStmt) {
	r.open()
	defer r.close()
	r.stmt(s.Init)
	var name *ast.Ident
	switch a := s.Assign.(type) {
	case *ast.AssignStmt: // switch name := x.(type)
		r.exprs(a.Rhs)
		name, _ = a.Lhs[0].(*ast.Ident)
	default:
		r.stmt(a)
	}
	r.clauses(s.Body, name)
}

// clauses walks the clauses of a switch or select, each a scope of its own in
// which name, if there is one, is declared.
func (r *resolver) clauses(body *ast.BlockStmt, name *ast.Ident) {
	for _, s := range body.List {
		r.open()
		switch c := s.(type) {
		case *ast.CaseClause:
			r.exprs(c.List)
			r.declare(name)
			r.stmts(c.Body)
		case *ast.CommClause:
			r.stmt(c.Comm)
			r.stmts(c.Body)
		}
		r.close()
	}
}
