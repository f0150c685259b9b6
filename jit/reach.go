package jit

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file finds what a program needs of the packages it is written in.
//
// Kernel-side functions live in ordinary host packages, which import what they
// like. Only declarations that the program's functions refer to, directly or
// through others, are type-checked and compiled, so that the rest of the
// package need not be understood, nor its imports be found.
//
// The method is a work list over declarations. An identifier that its own
// declaration does not declare refers to a package-level declaration, to an
// imported package, or to Go's universe. Methods are chosen by name: a method
// of a type that is reached is needed once its name is selected anywhere
// (x.name), whatever x is, because types are not known yet. This keeps too much
// rather than too little, as rapid type analysis does for call graphs.

// A depth says how much of a declaration is needed.
type depth uint8

const (
	// signature is enough to type-check a use: a function without its body.
	signature depth = iota + 1
	full
)

// A reach is the state of one search.
type reach struct {
	lib   *importer
	diags *lower.DiagnosticList // nil if what cannot be used is of no interest
	pos   func(token.Pos) token.Position

	marks   map[*decl]depth
	work    []*decl
	members map[string]depth   // names selected
	waiting map[string][]*decl // methods of reached types, until their names are selected
	imports map[*ast.ImportSpec]bool
	made    []*decl // marked declarations that are not in the source
	live    bool    // the program's maps are in this process
	specs   map[*decl]ast.Spec
	// hosts is the types of home of which variables stand for memory of the host.
	hosts map[string]bool
	home  *pkg
	// unsized is the fields of structs whose size is not known, see livemaps.go.
	unsized map[token.Pos]bool
	// via is, for a declaration in a library, the user's identifier that led there.
	via map[*decl]use
	// lacking says, for declarations in a library, why they cannot be used, or "".
	lacking map[part]string
	// dropped is the functions of a library whose bodies cannot be used, and why.
	dropped map[*decl]string
	// vars is the package-level variables of the user's code that are named.
	vars map[variable]bool
	// refused is where the user's code names what has been reported to be unusable.
	refused map[token.Pos]bool
	// given is the variables of home that WithConst sets, whatever initialises them.
	given map[string]bool
}

// A variable is one of those that a declaration declares.
type variable struct {
	d    *decl
	name string
}

// A use is the place where the user's code refers to something.
type use struct {
	pos  token.Pos
	name string
}

func newReach(lib *importer, diags *lower.DiagnosticList, pos func(token.Pos) token.Position) *reach {
	return &reach{
		lib: lib, diags: diags, pos: pos,
		marks:   make(map[*decl]depth),
		members: make(map[string]depth),
		waiting: make(map[string][]*decl),
		imports: make(map[*ast.ImportSpec]bool),
		via:     make(map[*decl]use),
		lacking: make(map[part]string),
		dropped: make(map[*decl]string),
		vars:    make(map[variable]bool),
		refused: make(map[token.Pos]bool),
		specs:   make(map[*decl]ast.Spec),
		unsized: make(map[token.Pos]bool),
	}
}

// need marks a declaration; run follows it.
func (r *reach) need(d *decl, depth depth, from use) {
	if d.file.pkg.library {
		if _, ok := r.via[d]; !ok {
			r.via[d] = from
		}
	}
	if r.marks[d] >= depth {
		return
	}
	first := r.marks[d] == 0
	r.marks[d] = depth
	r.work = append(r.work, d)
	if !first {
		return
	}
	if d.fn != nil && d.file.funcs[d.fn] == nil || d.gen != nil && d.file.groups[d.gen] == nil {
		r.made = append(r.made, d)
	}
	for _, a := range d.again {
		r.need(a, depth, from)
	}
	if d.gen == nil {
		return
	}
	if s, ok := d.spec().(*ast.TypeSpec); ok {
		r.needMethods(d, s.Name.Name, from)
	} else if p := d.provider(); p != nil {
		r.need(p, depth, from)
	}
}

// needMethods marks the methods of a type that has just been reached.
func (r *reach) needMethods(d *decl, name string, from use) {
	p := d.file.pkg
	p.readRest() // methods may be in any file
	for _, m := range p.methods[name] {
		if p.library && r.lacks(m, false) != "" {
			continue
		}
		if depth := r.members[m.fn.Name.Name]; depth != 0 {
			r.need(m, depth, from)
		}
		if r.marks[m] < full {
			r.waiting[m.fn.Name.Name] = append(r.waiting[m.fn.Name.Name], m)
			if _, ok := r.via[m]; p.library && !ok {
				r.via[m] = from
			}
		}
	}
}

// member marks the methods called name.
func (r *reach) member(name string, depth depth) {
	if r.members[name] >= depth {
		return
	}
	r.members[name] = depth
	for _, m := range r.waiting[name] {
		r.need(m, depth, r.via[m])
	}
	if depth == full {
		delete(r.waiting, name)
	}
}

// run follows the marked declarations to the end.
func (r *reach) run() {
	for len(r.work) > 0 {
		d := r.work[len(r.work)-1]
		r.work = r.work[:len(r.work)-1]
		depth := r.marks[d]
		r.follow(d, depth == full, depth)
	}
}

// follow marks what d refers to, in its body if that is wanted, as needed in depth.
func (r *reach) follow(d *decl, body bool, depth depth) {
	f := d.file
	if f.pkg.library {
		r.followLibrary(d, body, depth)
		return
	}
	w := r.resolver(d, depth)
	r.walk(d, &w, body)
}

// resolver returns a resolver that marks what d, which is the user's, refers to.
func (r *reach) resolver(d *decl, depth depth) resolver {
	f := d.file
	return resolver{
		free:   func(id *ast.Ident) { r.ident(f, id, d, depth) },
		key:    func(id *ast.Ident) { r.key(f, id, d, depth) },
		member: func(name string) { r.member(name, depth) },
		qualified: func(x, sel *ast.Ident) {
			if !r.selectImport(f, x, sel, d, depth) {
				r.ident(f, x, d, depth)
			}
		},
	}
}

// followSignatures marks the signatures of what parts of d refer to.
func (r *reach) followSignatures(d *decl, parts []ast.Node) {
	w := r.resolver(d, signature)
	in := func(id *ast.Ident) bool {
		return slices.ContainsFunc(parts, func(n ast.Node) bool { return within(id, n) })
	}
	free, key, qualified := w.free, w.key, w.qualified
	w.free = func(id *ast.Ident) {
		if in(id) {
			free(id)
		}
	}
	w.key = func(id *ast.Ident) {
		if in(id) {
			key(id)
		}
	}
	w.qualified = func(x, sel *ast.Ident) {
		if in(x) {
			qualified(x, sel)
		}
	}
	r.walk(d, &w, true)
}

// walk makes w walk the declaration, with the body of a function if that is wanted.
func (r *reach) walk(d *decl, w *resolver, body bool) {
	if d.fn == nil {
		w.spec(r.spec(d))
		return
	}
	d.walk(w, body)
}

func (d *decl) walk(w *resolver, body bool) {
	if d.fn != nil {
		w.funcDecl(d.fn, !body)
	} else {
		w.spec(d.spec())
	}
}

// bodyless reports whether the body of d is for the host only: functions of the
// library that have a directive are known to the compiler by it.
func bodyless(d *decl) bool {
	if d.file.pkg.path != ebpfPath || d.fn == nil {
		return false
	}
	for _, name := range [...]string{"helper", "intrinsic", "kfunc"} {
		if _, _, ok := directive(d.fn.Doc, name); ok {
			return true
		}
	}
	return false
}

// ident follows an identifier that is declared outside of its declaration.
func (r *reach) ident(f *file, id *ast.Ident, from *decl, depth depth) {
	u := r.useOf(from, id.Pos(), id.Name)
	if d := r.lookup(f, id.Name); d != nil {
		r.noteVar(d, id.Name)
		r.need(d, depth, u)
		return
	}
	if id.Name == "error" {
		r.member("Error", depth)
	}
	for _, s := range f.dots {
		if p := r.lib.find(importPath(s)); p != nil && refused(importPath(s), id.Name) == "" {
			if p.decls[id.Name] != nil {
				r.imports[s] = true
				if d := r.imported(importPath(s), id.Name, id.Pos(), u); d != nil {
					r.noteVar(d, id.Name)
					r.need(d, depth, u)
				}
			}
		} else if types.Universe.Lookup(id.Name) == nil {
			r.imports[s] = true // the type checker will tell
		}
	}
}

// lookup finds a package-level declaration, reading more of the package if need be.
func (r *reach) lookup(f *file, name string) *decl {
	p := f.pkg
	d := p.decls[name]
	if d == nil && p.rest != nil && f.imports[name] == nil && types.Universe.Lookup(name) == nil && p.readRest() {
		d = p.decls[name]
	}
	return d
}

// key follows the key of an element of a composite literal. It is either the
// name of a field or an index, which is a constant.
func (r *reach) key(f *file, id *ast.Ident, from *decl, depth depth) {
	if d := f.pkg.decls[id.Name]; d != nil && d.gen != nil && d.gen.Tok == token.CONST {
		r.need(d, depth, r.useOf(from, id.Pos(), id.Name))
	}
}

// selectImport follows x.sel if x is an imported package.
func (r *reach) selectImport(f *file, x, sel *ast.Ident, from *decl, depth depth) bool {
	s := f.imports[x.Name]
	if s == nil {
		return false
	}
	r.imports[s] = true
	path := importPath(s)
	if path == "unsafe" {
		return true
	}
	u := r.useOf(from, x.Pos(), x.Name+"."+sel.Name)
	if d := r.imported(path, sel.Name, sel.Pos(), u); d != nil {
		r.noteVar(d, sel.Name)
		r.need(d, depth, u)
	}
	return true
}

// noteVar notes the use of the package-level declaration d by name, if it is of a variable of the
// user's code.
func (r *reach) noteVar(d *decl, name string) {
	if !d.file.pkg.library && d.gen != nil && d.gen.Tok == token.VAR {
		r.vars[variable{d, name}] = true
	}
}

// useOf returns the place in the user's code that led to pos.
func (r *reach) useOf(from *decl, pos token.Pos, name string) use {
	if from.file.pkg.library {
		return r.via[from]
	}
	return use{pos: pos, name: name}
}
