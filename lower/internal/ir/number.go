package ir

import (
	"fmt"
	"strconv"
)

// numbering is how the text form names the blocks and values of a function.
type numbering struct {
	order  []*Block // in printed order
	blocks map[*Block]int
	values map[*Value]int // of the named values
}

// number numbers the blocks and named values of f in printed order.
func number(f *Func) numbering {
	n := numbering{
		order:  printOrder(f),
		blocks: make(map[*Block]int),
		values: make(map[*Value]int),
	}
	used := make(map[*Value]bool)
	use := func(args []*Value) {
		for _, a := range args {
			used[a] = true
		}
	}
	for _, b := range n.order {
		for _, v := range b.Instrs {
			use(v.Args)
		}
		use(b.Term.Args)
		for _, e := range b.Term.Succs {
			use(e.Args)
		}
	}
	name := func(v *Value) {
		if _, dup := n.values[v]; !dup {
			n.values[v] = len(n.values)
		}
	}
	for i, b := range n.order {
		n.blocks[b] = i
		for _, v := range b.Params {
			name(v)
		}
		for _, v := range b.Instrs {
			// The call whose results are taken apart has none of its own.
			if v.Type != Void || used[v] {
				name(v)
			}
		}
	}
	return n
}

// printOrder returns the reachable blocks of f in reverse postorder and then
// the others, or f.Blocks as it is if an edge leads out of f.
func printOrder(f *Func) []*Block {
	seen := make(map[*Block]bool)
	for _, b := range f.Blocks {
		if b.ID < 0 || b.ID >= f.nextBlock {
			return f.Blocks
		}
		seen[b] = true
	}
	for _, b := range f.Blocks {
		for _, e := range b.Term.Succs {
			if !seen[e.To] {
				return f.Blocks
			}
		}
	}
	order := RPO(f)
	for _, b := range order {
		delete(seen, b)
	}
	for _, b := range f.Blocks {
		if seen[b] {
			order = append(order, b)
		}
	}
	return order
}

func (n *numbering) isNamed(v *Value) bool {
	_, ok := n.values[v]
	return ok
}

func (n *numbering) value(v *Value) string {
	if v == nil {
		return "?missing"
	}
	if i, ok := n.values[v]; ok {
		return "v" + strconv.Itoa(i)
	}
	return fmt.Sprintf("?v%d", v.ID)
}

func (n *numbering) block(b *Block) string {
	if b == nil {
		return "?missing"
	}
	if i, ok := n.blocks[b]; ok {
		return "b" + strconv.Itoa(i)
	}
	return fmt.Sprintf("?b%d", b.ID)
}

// names holds the names under which the text form refers to the functions,
// maps, data and helpers of a module: their own where those are unique within
// their kind, followed by #2, #3... otherwise; in quotes where necessary.
type names map[Aux]string

// nameObjects names the objects of m, which may be nil.
func nameObjects(m *Module) names {
	n := make(names)
	if m == nil {
		return n
	}
	nameKind(n, m.Funcs, func(f *Func) string { return f.Name })
	nameKind(n, m.Data, func(d *Data) string { return d.Name })
	nameKind(n, m.Maps, func(o *Map) string { return o.Name })
	nameKind(n, helpersOf(m), func(h *Helper) string { return h.Name })
	return n
}

func nameKind[T Aux](n names, list []T, nameOf func(T) string) {
	taken := make(map[string]bool)
	for _, o := range list {
		name := nameOf(o)
		for i := 2; taken[name]; i++ {
			name = nameOf(o) + "#" + strconv.Itoa(i)
		}
		taken[name] = true
		n[o] = quoteName(name)
	}
}

// name returns the name of o, which need not belong to the module.
func (n names) name(o Aux) string {
	if s, ok := n[o]; ok {
		return s
	}
	switch o := o.(type) {
	case *Func:
		return quoteName(o.Name)
	case *Data:
		return quoteName(o.Name)
	case *Map:
		return quoteName(o.Name)
	case *Helper:
		return quoteName(o.Name)
	}
	panic(fmt.Sprintf("BUG: name of %T", o))
}

func quoteName(name string) string {
	if isPlainName(name) {
		return name
	}
	return strconv.Quote(name)
}

// String returns v as the text form of its function prints it, for diagnostics.
// It numbers the whole function each time.
func (v *Value) String() string {
	if v.Block == nil {
		return fmt.Sprintf("?v%d", v.ID)
	}
	f := v.Block.Func
	p := &printer{names: nameObjects(f.Module), numbering: number(f)}
	return p.define(v)
}

// define returns the definition of v: its instruction or its declaration as a
// parameter.
func (p *printer) define(v *Value) string {
	if v.Op == OpParam {
		return fmt.Sprintf("param %s %s", p.value(v), v.Type)
	}
	p.buf.Reset()
	p.instr(v)
	return p.buf.String()
}
