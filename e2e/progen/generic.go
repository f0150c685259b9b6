package progen

// This file generates a generic type with methods, and instances of it.

// genericType declares a generic struct type, its methods, and instances, which are
// then types like others.
func (g *gen) genericType() {
	if !g.on[Generics] || !g.on[Methods] && !g.chance(60) {
		return
	}
	param := typeParameter()
	name := "G_" + g.suffix
	generic := &typ{kind: kindStruct, name: name + "[T]", fields: []field{
		{name: "a", typ: param}, {name: "b", typ: arrayOf(param, 1+g.r.IntN(3))}, {name: "c", typ: g.plainInt()},
	}}
	g.line("type %s[T %s] struct {", name, integers)
	for _, f := range generic.fields {
		g.line("\t%s %s", f.name, f.typ.name)
	}
	g.line("}\n")
	before := len(g.methods)
	for range 1 + g.r.IntN(2) {
		g.method(generic, param)
	}
	methods := g.methods[before:]
	g.methods = g.methods[:before:before]
	for range 1 + g.r.IntN(2) {
		t := g.plainInt()
		instance := &typ{kind: kindStruct, name: name + "[" + t.name + "]"}
		if g.declared[instance.name] {
			continue
		}
		g.declared[instance.name] = true
		for _, f := range generic.fields {
			instance.fields = append(instance.fields, field{name: f.name, typ: substituteIn(f.typ, t)})
		}
		g.structs = append(g.structs, instance)
		for _, m := range methods {
			f := *m
			f.recv = instance
			f.params, f.results = substitute(m.params, t), substitute(m.results, t)
			g.methods = append(g.methods, &f)
		}
	}
}
