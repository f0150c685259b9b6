package jit

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
)

// This file follows references within the library.
//
// The standard library is written for hosts: much of it needs the runtime,
// assembly, or packages that are not here. Such a part must not matter unless the
// program really uses it, because what is reached is more than what is used: one
// call of x.String reaches the String methods of all types that are reached. So a
// function whose body refers to what there is not keeps its signature alone, and only
// its call is an error; a method whose signature does is as if it were not there;
// and of other declarations the use is an error.
//
// What a declaration refers to depends on the library alone. It is computed once
// and kept with the declaration.

// A part is a declaration, or of a function only the signature.
type part struct {
	d    *decl
	body bool
}

// An outline is what a part refers to.
type outline struct {
	needs   []*decl
	imports []*ast.ImportSpec
	members []string
	// lacks says which of the references lead nowhere, or is "".
	lacks string
}

// followLibrary marks what a part of the library refers to.
func (r *reach) followLibrary(d *decl, body bool, depth depth) {
	if body = body && d.fn != nil && !bodyless(d); body {
		if why := r.lacks(d, true); why != "" {
			r.dropped[d] = why
			body = false
		}
	}
	o := r.outline(part{d, body})
	for _, s := range o.imports {
		r.imports[s] = true
	}
	for _, n := range o.needs {
		r.need(n, depth, r.via[d])
	}
	for _, name := range o.members {
		r.member(name, depth)
	}
}

// lacks says why a declaration cannot be used here, with its body if it is a
// function and that is wanted, or returns "".
func (r *reach) lacks(d *decl, body bool) string {
	p := part{d, body && d.fn != nil && !bodyless(d)}
	if why, ok := r.lacking[p]; ok {
		return why
	}
	r.lacking[p] = "" // if it refers to itself, the rest decides
	o := r.outline(p)
	why := o.lacks
	for i := 0; why == "" && i < len(o.needs); i++ {
		why = r.lacks(o.needs[i], false)
	}
	r.lacking[p] = why
	return why
}

// outline returns what p, a part of the library, refers to.
func (r *reach) outline(p part) *outline {
	cache := &p.d.outlines[0]
	if p.body {
		cache = &p.d.outlines[1]
	}
	o := cache.Load()
	if o == nil {
		o = r.newOutline(p)
		cache.Store(o)
	}
	return o
}

func (r *reach) newOutline(p part) *outline {
	o := new(outline)
	f := p.d.file
	seen := make(map[any]bool)
	need := func(d *decl) {
		if !seen[d] {
			seen[d] = true
			o.needs = append(o.needs, d)
		}
	}
	missing := func(what string) {
		if o.lacks == "" {
			o.lacks = what
		}
	}
	w := resolver{
		free: func(id *ast.Ident) {
			if d := f.pkg.decls[id.Name]; d != nil {
				need(d)
			} else if types.Universe.Lookup(id.Name) == nil {
				missing("it needs " + f.pkg.path + "." + id.Name)
			} else if id.Name == "error" && !seen["Error"] {
				seen["Error"] = true
				o.members = append(o.members, "Error")
			}
		},
		key: func(id *ast.Ident) {
			if d := f.pkg.decls[id.Name]; d != nil && d.gen != nil && d.gen.Tok == token.CONST {
				need(d)
			}
		},
		member: func(name string) {
			if !seen[name] {
				seen[name] = true
				o.members = append(o.members, name)
			}
		},
	}
	w.qualified = func(x, sel *ast.Ident) {
		s := f.imports[x.Name]
		if s == nil {
			w.free(x)
			return
		}
		if !seen[s] {
			seen[s] = true
			o.imports = append(o.imports, s)
		}
		path := importPath(s)
		if path == "unsafe" {
			return
		}
		var lib *pkg
		if !isHostOnly(path) {
			lib = r.lib.find(path)
		}
		if lib == nil {
			missing("it needs package " + strconv.Quote(path))
		} else if d := lib.decls[sel.Name]; d != nil {
			need(d)
		} else {
			missing("it needs " + path + "." + sel.Name)
		}
	}
	p.d.walk(&w, p.body)
	return o
}
