package jit

import (
	"go/ast"
	"go/types"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file refuses programs with too many instances of generic functions and types.
//
// Two functions of which each uses the next with two different type arguments make four instances of
// the third, and so on: their number is exponential in the length of the source.
// The type checker looks at each generic function once, but each instance is
// compiled. So they are counted before they are made.
//
// Method: a work list over pairs of a generic declaration and an argument list. Argument
// lists are not computed, because they may be large, but told apart by where they are
// written and with which arguments the declaration around it was instantiated; one that
// hands on the type parameters of that is the same as its own. So two that are written
// differently count twice even if they are identical.

// maxInstances is how many instances there may be.
const maxInstances = 10_000

// fewInstances is so few instantiations in the source that they cannot be too many.
const fewInstances = 20

// A generic is a generic function, or a generic type with its methods.
type generic struct {
	uses []instanceUse
}

// An instanceUse is an instantiation in the source.
type instanceUse struct {
	id     *ast.Ident
	callee types.Object
	same   bool // with the type parameters of the declaration that it is in
	closed bool // with types that do not depend on them
}

// An instanceArgs is an argument list: the identifier that is instantiated with it, and
// the list of the declaration around it.
type instanceArgs struct {
	id     *ast.Ident
	around int
}

// tooManyInstances reports whether there are too many, which it has reported then.
func (c *checker) tooManyInstances() bool {
	total := 0
	for _, k := range c.order {
		total += len(k.info.Instances)
	}
	if total < fewInstances {
		return false
	}
	generics := make(map[types.Object]*generic)
	root := new(generic)
	for _, k := range c.order {
		for _, file := range k.files {
			for _, d := range file.Decls {
				k.collectInstances(d, generics, root)
			}
		}
	}
	type instance struct {
		of   types.Object
		args int
	}
	seen := make(map[instance]bool)
	lists := make(map[instanceArgs]int)
	var work []instance
	follow := func(g *generic, args int) (last *ast.Ident) {
		for _, u := range g.uses {
			next := instance{u.callee, args}
			if !u.same {
				key := instanceArgs{u.id, args}
				if u.closed {
					key.around = 0
				}
				if lists[key] == 0 {
					lists[key] = len(lists) + 1
				}
				next.args = lists[key]
			}
			if !seen[next] {
				seen[next] = true
				work = append(work, next)
			}
			last = u.id
		}
		return last
	}
	follow(root, 0)
	for len(work) > 0 {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		if g := generics[i.of]; g != nil {
			if last := follow(g, i.args); len(seen) > maxInstances {
				c.f.diags.Add(lower.TooComplex, c.f.fset.Position(last.Pos()), "use fewer type arguments", "the program has more than %d instances of generic functions and types", maxInstances)
				return true
			}
		}
	}
	return false
}

// collectInstances notes the instantiations in a declaration.
func (k *checked) collectInstances(d ast.Decl, generics map[types.Object]*generic, root *generic) {
	at := func(obj types.Object) *generic {
		if generics[obj] == nil {
			generics[obj] = new(generic)
		}
		return generics[obj]
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		owner, params := root, (*types.TypeParamList)(nil)
		if fn, ok := k.info.Defs[d.Name].(*types.Func); ok {
			sig := fn.Signature()
			if params = sig.TypeParams(); params.Len() > 0 {
				owner = at(fn)
			} else if params = sig.RecvTypeParams(); params.Len() > 0 {
				if named := receiverType(sig); named != nil {
					owner = at(named.Obj())
				}
			}
		}
		k.collectUses(d, owner, params)
	case *ast.GenDecl:
		for _, s := range d.Specs {
			owner, params := root, (*types.TypeParamList)(nil)
			if t, ok := s.(*ast.TypeSpec); ok && t.TypeParams != nil {
				if obj := k.info.Defs[t.Name]; obj != nil {
					owner = at(obj)
					if named, ok := obj.Type().(*types.Named); ok {
						params = named.TypeParams()
					}
				}
			}
			k.collectUses(s, owner, params)
		}
	}
}

// receiverType returns the type that a method belongs to.
func receiverType(sig *types.Signature) *types.Named {
	t := types.Unalias(sig.Recv().Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, _ := t.(*types.Named)
	return named
}

// collectUses notes the instantiations below n, in a declaration with the given type parameters.
func (k *checked) collectUses(n ast.Node, owner *generic, params *types.TypeParamList) {
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		inst, ok := k.info.Instances[id]
		if !ok {
			return true
		}
		callee := k.info.Uses[id]
		if fn, ok := callee.(*types.Func); ok {
			callee = fn.Origin()
		}
		u := instanceUse{id: id, callee: callee, same: params.Len() > 0 && params.Len() == inst.TypeArgs.Len(), closed: true}
		for i := range inst.TypeArgs.Len() {
			t := inst.TypeArgs.At(i)
			u.same = u.same && t == params.At(i)
			u.closed = u.closed && !mentionsTypeParam(t)
		}
		owner.uses = append(owner.uses, u)
		return true
	})
}

// mentionsTypeParam reports whether t, a type argument, depends on a type parameter.
func mentionsTypeParam(t types.Type) bool {
	switch t := t.(type) {
	case *types.Basic:
		return false
	case *types.Alias:
		return mentionsTypeParam(types.Unalias(t))
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			if mentionsTypeParam(arg) {
				return true
			}
		}
		return false
	case *types.Pointer:
		return mentionsTypeParam(t.Elem())
	case *types.Slice:
		return mentionsTypeParam(t.Elem())
	case *types.Array:
		return mentionsTypeParam(t.Elem())
	}
	return true // perhaps
}
