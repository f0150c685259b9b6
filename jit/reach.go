package jit

import (
	"go/ast"
	"go/token"
	"go/types"

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
	lib   *library
	diags *lower.DiagnosticList // nil if what cannot be used is of no interest
	pos   func(token.Pos) token.Position

	marks   map[*decl]depth
	work    []*decl
	members map[string]depth   // names selected
	waiting map[string][]*decl // methods of reached types, until their names are selected
	imports map[*ast.ImportSpec]bool
	made    []*decl // marked functions that are not in the source
	// via is, for a declaration in a library, the user's identifier that led there.
	via map[*decl]use
}

// A use is the place where the user's code refers to something.
type use struct {
	pos  token.Pos
	name string
}

func newReach(lib *library, diags *lower.DiagnosticList, pos func(token.Pos) token.Position) *reach {
	return &reach{
		lib: lib, diags: diags, pos: pos,
		marks:   make(map[*decl]depth),
		members: make(map[string]depth),
		waiting: make(map[string][]*decl),
		imports: make(map[*ast.ImportSpec]bool),
		via:     make(map[*decl]use),
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
	if d.fn != nil && d.file.funcs[d.fn] == nil {
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
	w := resolver{
		free:   func(id *ast.Ident) { r.ident(f, id, d, depth) },
		key:    func(id *ast.Ident) { r.key(f, id, d, depth) },
		member: func(name string) { r.member(name, depth) },
		qualified: func(x, sel *ast.Ident) {
			if !r.selectImport(f, x, sel, d, depth) {
				r.ident(f, x, d, depth)
			}
		},
	}
	if d.fn != nil {
		w.funcDecl(d.fn, !body || bodyless(d))
	} else {
		w.spec(d.spec())
	}
}

// bodyless reports whether the body of d is for the host only: functions of the
// library that have a directive are known to the compiler by it.
func bodyless(d *decl) bool {
	if !d.file.pkg.library || d.fn == nil {
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
		r.need(d, depth, u)
		return
	}
	if id.Name == "error" {
		r.member("Error", depth)
	}
	for _, s := range f.dots {
		if p := r.lib.find(importPath(s)); p != nil {
			if d := p.decls[id.Name]; d != nil {
				r.imports[s] = true
				r.need(d, depth, u)
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
	p := r.lib.find(path)
	if p == nil {
		r.unsupported(u, from, path, sel.Name)
		return true
	}
	if d := p.decls[sel.Name]; d != nil {
		r.need(d, depth, u)
	}
	return true
}

// useOf returns the place in the user's code that led to pos.
func (r *reach) useOf(from *decl, pos token.Pos, name string) use {
	if from.file.pkg.library {
		return r.via[from]
	}
	return use{pos: pos, name: name}
}

// unsupported reports the use of a package that kernel-side code cannot import.
func (r *reach) unsupported(u use, from *decl, path, name string) {
	if r.diags == nil {
		return
	}
	if from.file.pkg.library {
		r.diags.Add(lower.HostOnly, r.pos(u.pos), "call it from the host's side of the program",
			"%s runs on the host only and cannot be used in a kernel-side function", u.name)
		return
	}
	r.diags.Add(lower.UnsupportedImport, r.pos(u.pos), alternative(path, name),
		"%s cannot be used in a kernel-side function: package %q is not among those that can be compiled", u.name, path)
}

// alternatives says what to write instead of functions that people try first.
var alternatives = map[string]string{
	"C":               "cgo code cannot run in the kernel; write it in Go",
	"errors":          "return an integer, such as a negative errno",
	"fmt":             "use ebpf.Printk, or hand the values to the host",
	"log":             "use ebpf.Printk, or hand the values to the host",
	"log/slog":        "use ebpf.Printk, or hand the values to the host",
	"math/rand":       "use ebpf.GetPrandomU32",
	"math/rand/v2":    "use ebpf.GetPrandomU32",
	"os.Getpid":       "use ebpf.GetCurrentPidTgid() >> 32",
	"os.Getuid":       "use uint32(ebpf.GetCurrentUidGid())",
	"runtime.NumCPU":  "pass the number as a constant",
	"time.Now":        "use ebpf.KtimeGetNs",
	"time.Since":      "subtract two results of ebpf.KtimeGetNs",
	"syscall.Getpid":  "use ebpf.GetCurrentPidTgid() >> 32",
	"math/rand.Intn":  "use ebpf.GetPrandomU32() % n",
	"math/rand/v2.N":  "use ebpf.GetPrandomU32() % n",
	"runtime.GOARCH":  "pass it as a constant",
	"sync.Mutex":      "kernel-side functions cannot block",
	"time.Sleep":      "kernel-side functions cannot block",
	"runtime.Gosched": "kernel-side functions cannot block",
}

func alternative(path, name string) string {
	if s, ok := alternatives[path+"."+name]; ok {
		return s
	}
	if s, ok := alternatives[path]; ok {
		return s
	}
	return "do this on the host, or copy the declaration into this package"
}
