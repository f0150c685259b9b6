package jit

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file finds what initialises the variables that a program uses besides their own
// initialisers: functions named init that assign to them, and initialisers of other variables that
// call what does, as in
//
//	var _ = register("tcp", 6)
//
// The compiler runs them with the initialisers of the program's variables. The others, which may do
// anything that the host can, are left out.

// needInits marks the functions named init and the variables that the program needs, and all that
// they refer to.
func (r *reach) needInits() {
	tried := make(map[*decl]bool)
	for again := true; again; {
		again = false
		pkgs := append(r.lib.userPackages(), r.home)
		used := false
		for _, p := range pkgs {
			if r.usesVars(p) {
				p.readRest() // any file may have a function named init
				used = true
			}
		}
		if !used {
			return
		}
		methods, fields := methodsByName(pkgs), fieldNames(pkgs)
		for _, p := range pkgs {
			for _, d := range p.initialisers() {
				if tried[d] || d.fn == nil && r.marks[d] != 0 {
					continue
				}
				if v, ok := newInitSearch(r, methods, fields).assigned(d); ok {
					tried[d], again = true, true
					r.needInit(d, v)
				}
			}
		}
	}
}

// usesVars reports whether the program uses variables of p that something may assign to.
func (r *reach) usesVars(p *pkg) bool {
	for v := range r.vars {
		if v.d.file.pkg == p && !r.settled(v) {
			return true
		}
	}
	return false
}

// settled reports whether the value of v in the program does not depend on what the host assigns to it.
func (r *reach) settled(v variable) bool {
	return r.madeByEbpf(v.d) || v.d.file.pkg == r.home && r.given[v.name]
}

// initialisers returns the functions named init of p and its variables whose initialisers call
// something, in the order of their files.
func (p *pkg) initialisers() []*decl {
	var list []*decl
	for _, f := range p.files {
		for _, syntax := range f.syntax.Decls {
			if fn, ok := syntax.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && fn.Body != nil {
				list = append(list, f.funcs[fn])
			}
			for _, d := range f.groups[syntax] {
				if s, ok := d.spec().(*ast.ValueSpec); ok && d.gen.Tok == token.VAR && slices.ContainsFunc(s.Values, hasCall) {
					list = append(list, d)
				}
			}
		}
	}
	return list
}

func hasCall(x ast.Expr) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		if _, ok := n.(*ast.CallExpr); ok {
			found = true
		}
		return !found
	})
	return found
}

// needInit marks d, which assigns to v when the package is initialised. Where it cannot be compiled
// it says why it is needed.
func (r *reach) needInit(d *decl, v variable) {
	what := "init"
	if d.fn == nil {
		what = "the initialiser of " + d.spec().(*ast.ValueSpec).Names[0].Name
	}
	report := func(fix, format string, args ...any) {
		r.diags.Add(lower.UnsupportedExpr, r.pos(d.pos()), fix, format, args...)
	}
	if p := v.d.file.pkg; p != d.file.pkg {
		report("assign to it in package "+p.name, "%s may assign to variable %s of package %s, which the program uses", what, v.name, p.name)
		return
	}
	before := r.diags.Len()
	r.need(d, full, use{})
	r.run() // more variables may be needed now
	if r.diags.Len() > before {
		fix := "move what only the host can do elsewhere"
		if d.file.pkg == r.home {
			fix += ", or set the variable with jit.WithConst"
		}
		report(fix,
			"%s is run when compiling: it may assign to variable %s, which the program uses", what, v.name)
	}
}

// madeByEbpf reports whether a variable that d declares is made by a function of package ebpf, as maps
// are: what the host does with it has no part in the program.
func (r *reach) madeByEbpf(d *decl) bool {
	s, ok := d.spec().(*ast.ValueSpec)
	return ok && slices.ContainsFunc(s.Values, func(v ast.Expr) bool {
		call, ok := v.(*ast.CallExpr)
		if !ok {
			return false
		}
		fn := call.Fun
		switch x := fn.(type) {
		case *ast.IndexExpr:
			fn = x.X
		case *ast.IndexListExpr:
			fn = x.X
		}
		sel, ok := fn.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		id, ok := sel.X.(*ast.Ident)
		return ok && d.file.imports[id.Name] != nil && importPath(d.file.imports[id.Name]) == ebpfPath
	})
}
