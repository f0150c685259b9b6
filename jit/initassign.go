package jit

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
)

// This file finds out whether a function, or the initialiser of a variable, may assign to a
// package-level variable that the program uses: without types, in the syntax of packages of which
// some may not even be there.
//
// Method: a reference to the variable is followed outwards through the expression that it is in, to
// what is done with it. It is an assignment if it is assigned to, its address is taken, it is sliced,
// or if something that may refer to its memory goes where it is lost sight of. A local
// variable or a parameter that it is assigned or passed to is another name of it, and followed in turn,
// if what is assigned may refer to memory at all: a copy of an integer does not. What is called is
// searched (see initcalls.go), and so are all methods of a name that is selected.

// An initSearch is the search of one initialiser.
type initSearch struct {
	r       *reach
	methods map[string][]*decl // of the user's packages
	fields  map[string]bool    // names of fields there
	work    []*decl
	waiting map[*decl]bool // in work
	done    map[*decl]bool // no longer in work
	// names is the local variables that may refer to memory of a variable, by the identifier that
	// declares them.
	names map[*ast.Ident]reference
	// unknown is set if function values are called; uncalled is the functions that are named and
	// are not known to be called.
	unknown  bool
	uncalled []*decl
	found    variable
}

// A reference is a value that refers to memory of a variable: the variable itself, or what is
// reached from it by levels indirections and elements.
type reference struct {
	v      variable
	levels int
	local  bool // by a name of its own
}

func newInitSearch(r *reach, methods map[string][]*decl, fields map[string]bool) *initSearch {
	return &initSearch{r: r, methods: methods, fields: fields, waiting: make(map[*decl]bool), done: make(map[*decl]bool), names: make(map[*ast.Ident]reference)}
}

// methodsByName returns the methods that pkgs declare.
func methodsByName(pkgs []*pkg) map[string][]*decl {
	methods := make(map[string][]*decl)
	for _, p := range pkgs {
		for _, typ := range sortedKeys(p.methods) {
			for _, m := range p.methods[typ] {
				methods[m.fn.Name.Name] = append(methods[m.fn.Name.Name], m)
			}
		}
	}
	return methods
}

// assigned returns a variable that d may assign to.
func (s *initSearch) assigned(d *decl) (v variable, ok bool) {
	s.add(d)
	for len(s.work) > 0 && s.found.d == nil {
		d := s.work[0]
		s.work = s.work[1:]
		s.waiting[d], s.done[d] = false, true
		s.scan(d)
		if s.unknown {
			for _, d := range s.uncalled {
				s.add(d)
			}
			s.uncalled = nil
		}
	}
	return s.found, s.found.d != nil
}

// add searches d, unless that has been done.
func (s *initSearch) add(d *decl) {
	if d == nil || d.file.pkg.library || s.waiting[d] || s.done[d] {
		return
	}
	s.waiting[d] = true
	s.work = append(s.work, d)
}

// name makes the variable that id, in d, declares another name.
func (s *initSearch) name(d *decl, id *ast.Ident, ref reference) {
	if _, ok := s.names[id]; ok || id == nil || id.Name == "_" {
		return
	}
	ref.local = true
	s.names[id] = ref
	s.done[d] = false // its uses count now
	s.add(d)
}

// scan goes through the references in d.
func (s *initSearch) scan(d *decl) {
	sc := &initScan{initSearch: s, d: d, locals: make(map[*ast.Ident]*ast.Ident), refs: make(map[ast.Expr]reference), decls: make(map[ast.Expr]*decl)}
	p := d.file.pkg
	named := make(map[ast.Expr]*decl) // functions
	declared := func(x ast.Expr, to *decl, name string) {
		switch {
		case to == nil || to.file.pkg.library:
			return
		case to.fn != nil:
			named[x] = to
		case to.gen != nil && to.gen.Tok == token.VAR:
			s.add(to) // the variable may hold functions
		}
		sc.decls[x] = to
		if v := (variable{to, name}); s.r.vars[v] && !s.r.settled(v) {
			sc.refs[x] = reference{v: v}
		}
	}
	w := resolver{
		local: func(id, by *ast.Ident) { sc.locals[id] = by },
		free:  func(id *ast.Ident) { declared(id, p.decls[id.Name], id.Name) },
		qualified: func(x, sel *ast.Ident) {
			imp := d.file.imports[x.Name]
			if imp == nil {
				declared(x, p.decls[x.Name], x.Name)
			} else if to := s.r.lib.pkgs[importPath(imp)]; to != nil {
				sc.imported = append(sc.imported, x)
				declared(sel, to.decls[sel.Name], sel.Name)
			}
		},
		member: func(name string) {
			for _, m := range s.methods[name] {
				s.add(m)
			}
		},
	}
	d.walk(&w, true)
	calls := sc.callsIn(sc.root())
	s.unknown = s.unknown || calls.unknown
	for _, x := range slices.SortedFunc(maps.Keys(named), func(a, b ast.Expr) int { return int(a.Pos() - b.Pos()) }) {
		if calls.named[x] {
			s.add(named[x])
		} else {
			s.uncalled = append(s.uncalled, named[x])
		}
	}
	sc.inspect()
}

// root returns the syntax of the declaration.
func (sc *initScan) root() ast.Node {
	if sc.d.fn == nil {
		return sc.d.spec()
	}
	return sc.d.fn
}

// An initScan is the search of a declaration.
type initScan struct {
	*initSearch
	d        *decl
	locals   map[*ast.Ident]*ast.Ident // uses of local variables, by what declares them
	refs     map[ast.Expr]reference    // uses of package-level variables of the program
	decls    map[ast.Expr]*decl        // uses of package-level declarations
	imported []*ast.Ident              // uses of names of packages
}

func (sc *initScan) inspect() {
	var path []ast.Node
	ast.Inspect(sc.root(), func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		path = append(path, n)
		id, ok := n.(*ast.Ident)
		if !ok || sc.found.d != nil {
			return true
		}
		ref, ok := sc.refs[id]
		if by := sc.locals[id]; by != nil {
			ref, ok = sc.names[by]
		}
		if ok && sc.assigns(ref, path) {
			sc.found = ref.v
		}
		return true
	})
}

// assigns reports whether what is done with the last node of path, which is ref, may be to assign to
// the memory that ref refers to.
func (sc *initScan) assigns(ref reference, path []ast.Node) bool {
	whole := true // not a part of it
	for i := len(path) - 2; i >= 0; i-- {
		x, _ := path[i+1].(ast.Expr)
		switch n := path[i].(type) {
		case *ast.ParenExpr:
			continue
		case *ast.StarExpr:
			ref.levels++
			whole = false
			continue
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && n.Sel == x && slices.Contains(sc.imported, id) {
				continue // the variable of another package
			}
			if call, ok := path[max(i-1, 0)].(*ast.CallExpr); ok && call.Fun == n {
				return sc.callsMethod(ref, n.Sel.Name)
			}
			ref.levels = unknownLevels
			whole = false
			continue
		case *ast.IndexExpr:
			if n.Index == x {
				return false
			}
			ref.levels++
			whole = false
			continue
		case *ast.SliceExpr:
			return n.X == x
		case *ast.UnaryExpr:
			return n.Op == token.AND
		case *ast.IncDecStmt:
			return !whole || !ref.local
		case *ast.AssignStmt:
			if k := slices.Index(n.Lhs, x); k >= 0 {
				return !whole || !ref.local
			}
			return sc.flows(ref, n.Lhs, slices.Index(n.Rhs, x), len(n.Rhs))
		case *ast.ValueSpec:
			return sc.r.refers(ref) && (sc.d.fn == nil || sc.flows(ref, identExprs(n.Names), slices.Index(n.Values, x), len(n.Values)))
		case *ast.RangeStmt:
			if n.X != x {
				return n.Tok == token.ASSIGN && (!whole || !ref.local)
			}
			ref.levels++
			return n.Value != nil && sc.flows(ref, []ast.Expr{n.Value}, 0, 1)
		case *ast.CallExpr:
			return sc.passes(ref, n, x)
		case *ast.ReturnStmt, *ast.CompositeLit, *ast.KeyValueExpr, *ast.SendStmt, *ast.TypeAssertExpr:
			return sc.r.refers(ref)
		default: // an operand, a condition
			return false
		}
	}
	return false
}

func identExprs(ids []*ast.Ident) []ast.Expr {
	list := make([]ast.Expr, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}

// flows reports whether ref, expression k of n, is lost sight of by being assigned to one of lhs. Local variables
// become names of it.
func (sc *initScan) flows(ref reference, lhs []ast.Expr, k, n int) bool {
	if !sc.r.refers(ref) {
		return false
	}
	if n != len(lhs) || k < 0 {
		return true
	}
	id, ok := lhs[k].(*ast.Ident)
	if !ok {
		return true
	}
	if by := sc.locals[id]; by != nil {
		id = by
	} else if sc.decls[id] != nil {
		return true // a package-level variable
	}
	sc.name(sc.d, id, ref)
	return false
}

// passes reports whether the call with the argument x, which is ref, may assign.
func (sc *initScan) passes(ref reference, call *ast.CallExpr, x ast.Expr) bool {
	k := slices.Index(call.Args, x)
	switch fn := call.Fun.(type) {
	case *ast.Ident:
		if to := sc.decls[fn]; to != nil && to.fn != nil {
			return sc.passesTo([]*decl{to}, ref, k)
		}
		switch fn.Name {
		case "len", "cap", "print", "println":
			return false
		case "copy", "clear":
			if k == 0 {
				return true
			}
			ref.levels++
		}
	case *ast.SelectorExpr:
		if to := sc.decls[fn.Sel]; to != nil && to.fn != nil {
			return sc.passesTo([]*decl{to}, ref, k)
		}
		if id, ok := fn.X.(*ast.Ident); ok && sc.locals[id] == nil && sc.d.file.imports[id.Name] != nil {
			if readsOnly[importPath(sc.d.file.imports[id.Name])] {
				return false
			}
		} else if to := sc.methods[fn.Sel.Name]; len(to) > 0 {
			return sc.passesTo(to, ref, k)
		}
	}
	return sc.r.refers(ref)
}

// readsOnly is packages whose functions do not assign to what their arguments refer to.
var readsOnly = map[string]bool{"fmt": true, "log": true, "log/slog": true, "strings": true, "strconv": true, "errors": true}

// passesTo makes argument k, which is ref, of calls of one of fns another name of that, and reports whether
// it is lost sight of.
func (sc *initScan) passesTo(fns []*decl, ref reference, k int) bool {
	if !sc.r.refers(ref) {
		return false
	}
	for _, fn := range fns {
		n := 0
		for _, f := range fn.fn.Type.Params.List {
			_, variadic := f.Type.(*ast.Ellipsis)
			for _, id := range f.Names {
				if n == k || variadic {
					sc.name(fn, id, ref)
				}
				n++
			}
		}
	}
	return false
}

// callsMethod reports whether a call of the method with the given name of ref may assign.
func (sc *initScan) callsMethod(ref reference, name string) bool {
	fns := sc.methods[name]
	if len(fns) == 0 {
		_, ofMap := hostMethods[name]
		return !ofMap
	}
	for _, fn := range fns {
		for _, f := range fn.fn.Recv.List {
			if _, isPtr := f.Type.(*ast.StarExpr); !isPtr && !sc.r.refers(ref) {
				continue
			}
			for _, id := range f.Names {
				sc.name(fn, id, ref)
			}
		}
	}
	return false
}
