package jit

import (
	"go/ast"
	"go/token"
	"math"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file refuses source that means exponentially more than it says, or that
// nests so deeply that algorithms which are fast on what people write are not.
//
// It comes before type checking, because the type checker already takes time and
// memory that is exponential in the length of
//
//	type T1 struct{ a, b T0 }        const s1 = s0 + s0
//	type T2 struct{ a, b T1 }        const s2 = s1 + s1
//
// and so on. So the size of what a name stands for is added up from the syntax: the
// parts of a type that are there by value, and the bytes of a constant string. Both are
// upper bounds, which are far from what kernel-side code has use for.

const (
	// maxNesting is how deep statements, expressions and types may nest, and
	// maxChain how long chains may be that are deep in the syntax tree only, such as
	// a + b + c and if-else-if.
	maxNesting = 250
	maxChain   = 1000
	// maxParts is the number of fields and elements that a type may have in all.
	maxParts = 1 << 16
	// maxConstString is the length of constant strings.
	maxConstString = 1 << 20
)

// A bounds checks the declarations of one reach.
type bounds struct {
	r    *reach
	file *file
	// local maps identifiers to the one that declares them, in functions that
	// declare types or constants.
	local map[*ast.Ident]*ast.Ident
	specs map[*ast.Ident]spelling
	sizes map[*ast.Ident]int64
	found bool
}

// A spelling is what a name was declared to stand for.
type spelling struct {
	file *file
	expr ast.Expr
	// unit is the size of what has no parts: 1 for types and 0 for constants.
	unit, limit int64
}

// withinBounds reports whether all that was reached of the user's code can be
// type-checked in reasonable time. If not, it has said what is too large.
func (r *reach) withinBounds(packages []*pkg) bool {
	b := &bounds{r: r, local: make(map[*ast.Ident]*ast.Ident), specs: make(map[*ast.Ident]spelling), sizes: make(map[*ast.Ident]int64)}
	var names []*ast.Ident
	for _, p := range packages {
		for _, f := range p.files {
			b.file = f
			for _, syntax := range f.syntax.Decls {
				if d := f.funcs[syntax]; d != nil && r.marks[d] != 0 {
					names = append(names, b.function(d)...)
				}
				for _, d := range f.groups[syntax] {
					if r.marks[d] != 0 {
						b.nesting(d.spec())
						names = append(names, b.declare(d.gen, d.index)...)
					}
				}
			}
		}
	}
	for _, id := range names {
		if !b.found { // one is enough, what follows from it is too large as well
			b.sizeOf(id, b.specs[id].unit)
		}
	}
	return !b.found
}

// function checks a function and returns the names of types and constants declared in it.
func (b *bounds) function(d *decl) []*ast.Ident {
	decls := b.nesting(d.fn)
	if len(decls) == 0 {
		return nil
	}
	w := resolver{local: func(id, decl *ast.Ident) { b.local[id] = decl }}
	d.walk(&w, true)
	var names []*ast.Ident
	for _, gen := range decls {
		for i := range gen.Specs {
			names = append(names, b.declare(gen, i)...)
		}
	}
	return names
}

// declare notes what the names of a specification stand for and returns them.
func (b *bounds) declare(gen *ast.GenDecl, index int) []*ast.Ident {
	switch s := gen.Specs[index].(type) {
	case *ast.TypeSpec:
		b.specs[s.Name] = spelling{b.file, s.Type, 1, maxParts}
		return []*ast.Ident{s.Name}
	case *ast.ValueSpec:
		if gen.Tok != token.CONST {
			return nil
		}
		values := s.Values
		for i := index - 1; len(values) == 0 && i >= 0; i-- { // they are repeated
			if before, ok := gen.Specs[i].(*ast.ValueSpec); ok {
				values = before.Values
			}
		}
		for i, id := range s.Names {
			if i < len(values) {
				b.specs[id] = spelling{b.file, values[i], 0, maxConstString}
			}
		}
		return s.Names
	}
	return nil
}

// nesting checks how deep the syntax nests, and returns the declarations of types and
// constants in it.
func (b *bounds) nesting(root ast.Node) []*ast.GenDecl {
	const step = maxChain / maxNesting
	var decls []*ast.GenDecl
	var stack []ast.Node
	var costs []int
	depth, tooDeep := 0, false
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			depth -= costs[len(costs)-1]
			stack, costs = stack[:len(stack)-1], costs[:len(costs)-1]
			return false
		}
		if s, ok := n.(*ast.DeclStmt); ok {
			if gen, ok := s.Decl.(*ast.GenDecl); ok && (gen.Tok == token.CONST || gen.Tok == token.TYPE) {
				decls = append(decls, gen)
			}
		}
		cost := step
		if len(stack) > 0 && inChain(stack[len(stack)-1], n) {
			cost = 1
		}
		if depth+cost > maxChain {
			if !tooDeep {
				b.report(n.Pos(), "move what is inside into a function or variable of its own", "the source nests too deeply here")
			}
			tooDeep = true
			return false
		}
		depth += cost
		stack, costs = append(stack, n), append(costs, cost)
		return true
	})
	return decls
}

// inChain reports whether child continues a chain that parent is part of.
func inChain(parent, child ast.Node) bool {
	switch p := parent.(type) {
	case *ast.BinaryExpr:
		return child == p.X
	case *ast.CallExpr:
		return child == p.Fun
	case *ast.SelectorExpr:
		return child == p.X
	case *ast.IndexExpr:
		return child == p.X
	case *ast.IfStmt:
		return child == p.Else
	}
	return false
}

func (b *bounds) report(pos token.Pos, fix, format string, args ...any) {
	b.found = true
	b.r.diags.Add(lower.TooComplex, b.r.pos(pos), fix, format, args...)
}

// sizeOf returns the size of what a name stands for. If that is the first that is too
// large, it says so.
func (b *bounds) sizeOf(id *ast.Ident, unit int64) int64 {
	if n, ok := b.sizes[id]; ok {
		return n
	}
	b.sizes[id] = unit // if it refers to itself, which is an error
	s, ok := b.specs[id]
	if !ok {
		return unit
	}
	n := b.size(s.file, s.expr, s.unit)
	switch {
	case n <= s.limit || b.found:
	case s.limit == maxParts:
		b.report(id.Pos(), "use an array or a map for what is large", "type %s has too many parts", id.Name)
	default:
		b.report(id.Pos(), "pass it in a map", "constant %s is too long a string", id.Name)
	}
	b.sizes[id] = n
	return n
}

// size returns the number of parts of a type, or the length of a constant string,
// or a larger number.
func (b *bounds) size(f *file, x ast.Expr, unit int64) int64 {
	switch x := x.(type) {
	case *ast.Ident:
		if decl := b.local[x]; decl != nil {
			return b.sizeOf(decl, unit)
		}
		return b.named(f.pkg, x.Name, unit)
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok && f.imports[id.Name] != nil {
			if p := b.r.lib.find(importPath(f.imports[id.Name])); p != nil && !p.library {
				return b.named(p, x.Sel.Name, unit)
			}
		}
	case *ast.BasicLit:
		if x.Kind == token.STRING {
			return int64(len(x.Value))
		}
	case *ast.BinaryExpr:
		if x.Op != token.ADD {
			break
		}
		return addSat(b.size(f, x.X, unit), b.size(f, x.Y, unit))
	case *ast.ParenExpr:
		return b.size(f, x.X, unit)
	case *ast.CallExpr: // a conversion
		return b.sum(f, x.Args, unit)
	case *ast.ArrayType:
		if x.Len != nil {
			return b.size(f, x.Elt, unit)
		}
	case *ast.StructType:
		n := unit
		for _, field := range x.Fields.List {
			part := b.size(f, field.Type, unit)
			for range max(1, len(field.Names)) {
				n = addSat(n, part)
			}
		}
		return n
	case *ast.IndexExpr: // an instance of a generic type
		return mulSat(b.size(f, x.X, unit), b.size(f, x.Index, unit))
	case *ast.IndexListExpr:
		return mulSat(b.size(f, x.X, unit), b.sum(f, x.Indices, unit))
	}
	return unit
}

// named returns the size of what a name stands for at package level.
func (b *bounds) named(p *pkg, name string, unit int64) int64 {
	d := p.decls[name]
	if d == nil || d.gen == nil {
		return unit
	}
	switch s := d.spec().(type) {
	case *ast.TypeSpec:
		return b.sizeOf(s.Name, unit)
	case *ast.ValueSpec:
		for _, id := range s.Names {
			if id.Name == name {
				return b.sizeOf(id, unit)
			}
		}
	}
	return unit
}

func (b *bounds) sum(f *file, list []ast.Expr, unit int64) int64 {
	var n int64
	for _, x := range list {
		n = addSat(n, b.size(f, x, unit))
	}
	return n
}

// maxSat is where sizes end: more than all limits, and no two of them overflow.
const maxSat = math.MaxInt32

func addSat(x, y int64) int64 { return min(x+y, maxSat) }

func mulSat(x, y int64) int64 { return min(x*y, maxSat) }
