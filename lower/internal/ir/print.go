package ir

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// WriteTo writes the text form of m to w. [Parse] reads it back.
//
// The text is a function of what m means, not of how it was made: blocks come
// in reverse postorder (unreachable ones last) and blocks and values are
// numbered from 0 in that order. Source positions are left out. Invalid modules
// are printed too, with a question mark before what does not exist.
func (m *Module) WriteTo(w io.Writer) (int64, error) {
	p := &printer{names: nameObjects(m)}
	p.header(m)
	for i, f := range m.Funcs {
		if i > 0 || p.buf.Len() > 0 {
			p.buf.WriteByte('\n')
		}
		p.function(f)
	}
	return p.buf.WriteTo(w)
}

// String returns the text form of m.
func (m *Module) String() string {
	var buf bytes.Buffer
	m.WriteTo(&buf) // a Buffer does not fail
	return buf.String()
}

// WriteTo writes the text form of f alone to w, without the declarations of
// the objects it refers to.
func (f *Func) WriteTo(w io.Writer) (int64, error) {
	p := &printer{names: nameObjects(f.Module)}
	p.function(f)
	return p.buf.WriteTo(w)
}

// String returns the text form of f alone.
func (f *Func) String() string {
	var buf bytes.Buffer
	f.WriteTo(&buf) // a Buffer does not fail
	return buf.String()
}

type printer struct {
	buf bytes.Buffer
	names
	numbering
}

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(&p.buf, format, args...) }

// header prints the declarations of all objects but functions.
func (p *printer) header(m *Module) {
	for _, d := range m.Data {
		mode := "ro"
		if d.Mutable {
			mode = "rw"
		}
		p.printf("data @%s size %d align %d %s", p.name(d), len(d.Bytes), d.Align, mode)
		if b := bytes.TrimRight(d.Bytes, "\x00"); len(b) > 0 {
			p.printf(" %s", strconv.Quote(string(b)))
		}
		for _, r := range d.Refs {
			p.printf(" ref %d @%s %d", r.Off, p.name(r.To), r.ToOff)
		}
		if d.Room != 0 {
			p.printf(" room %d", d.Room)
		}
		p.buf.WriteByte('\n')
	}
	for _, o := range m.Maps {
		p.printf("map @%s\n", p.name(o))
	}
	if m.Scratch != 0 {
		p.printf("scratch %d\n", m.Scratch)
	}
	for _, h := range helpersOf(m) {
		p.helper(h)
	}
	for i, s := range m.Sites {
		p.printf("site !%d %s %s\n", i, s.Kind, strconv.Quote(s.Message))
	}
}

func (p *printer) helper(h *Helper) {
	p.printf("helper %s %d (", p.name(h), h.ID)
	for i, a := range h.Args {
		p.sep(i)
		p.buf.WriteString(a.String())
	}
	p.buf.WriteByte(')')
	if len(h.Sizes) > 0 {
		p.buf.WriteString(" sizes (")
		for i, n := range h.Sizes {
			p.sep(i)
			p.printf("%d", n)
		}
		p.buf.WriteByte(')')
	}
	p.printf(" %s", h.Result)
	for _, hf := range helperFlags {
		if h.Flags&hf.flag != 0 {
			p.printf(" %s", hf.name)
		}
	}
	if h.InvalidatesPacket {
		p.buf.WriteString(" packet")
	}
	if h.TakesPacket {
		p.buf.WriteString(" packetmem")
	}
	p.buf.WriteByte('\n')
}

// sep separates element i of a list from the one before.
func (p *printer) sep(i int) {
	if i > 0 {
		p.buf.WriteString(", ")
	}
}

func (p *printer) function(f *Func) {
	p.numbering = number(f)
	p.printf("func @%s", p.name(f))
	if len(f.Blocks) > 0 {
		p.params(f.Params())
	} else {
		p.params(nil)
	}
	if len(f.Results) > 0 {
		p.buf.WriteString(" (")
		for i, t := range f.Results {
			p.sep(i)
			p.buf.WriteString(t.String())
		}
		p.buf.WriteByte(')')
	}
	if f.NoInline {
		p.buf.WriteString(" noinline")
	}
	if f.Callback {
		p.printf(" callback %d", f.Stop)
	}
	p.buf.WriteString(" {\n")
	for i, s := range f.Slots {
		p.printf("\tslot s%d %s size %d align %d", i, strconv.Quote(s.Name), s.Size, s.Align)
		if s.Looped {
			p.buf.WriteString(" looped")
		}
		if s.Loose {
			p.buf.WriteString(" loose")
		}
		p.buf.WriteByte('\n')
	}
	for i, b := range p.order {
		p.printf("b%d", i)
		if i > 0 && len(b.Params) > 0 {
			p.params(b.Params)
		}
		p.buf.WriteString(":\n")
		for _, v := range b.Instrs {
			p.buf.WriteByte('\t')
			p.instr(v)
			p.buf.WriteByte('\n')
		}
		if b.Term.Kind != TermNone {
			p.buf.WriteByte('\t')
			p.term(&b.Term)
			p.buf.WriteByte('\n')
		}
	}
	p.buf.WriteString("}\n")
}

func (p *printer) params(params []*Value) {
	p.buf.WriteByte('(')
	for i, v := range params {
		p.sep(i)
		p.printf("%s %s", p.value(v), v.Type)
	}
	p.buf.WriteByte(')')
}

func (p *printer) instr(v *Value) {
	syntax := ""
	if v.Op < numOps {
		syntax = opSyntax[v.Op]
	}
	if p.isNamed(v) {
		p.printf("%s = ", p.value(v))
	}
	p.buf.WriteString(v.Op.String())
	if syntax != "" && syntax[0] == '.' {
		syntax = syntax[1:]
		p.printf(".%d", v.Width)
		if v.Signed {
			p.buf.WriteByte('s')
		}
	}
	if p.isNamed(v) {
		p.printf(" %s", v.Type)
	}
	if v.Op == OpHelper && v.Size != 0 {
		p.printf(" size %d", v.Size)
	}
	if syntax != "" {
		p.buf.WriteByte(' ')
	}
	for i := range len(syntax) {
		switch c := syntax[i]; c {
		case 'a', 'b', 'c':
			p.arg(v.Args, int(c-'a'))
		case '?':
			for i := 2; i < len(v.Args); i++ {
				p.buf.WriteString(", ")
				p.arg(v.Args, i)
			}
		case '*':
			p.args(v.Args)
		case 'i':
			p.printf("%d", v.Imm)
		case '+':
			p.printf("%+d", v.Imm)
		case 'n':
			p.printf("%d", v.Size)
		case 'x':
			p.aux(v.Aux)
		default:
			p.buf.WriteByte(c)
		}
	}
}

func (p *printer) arg(args []*Value, i int) {
	if i >= len(args) {
		p.buf.WriteString("?missing")
		return
	}
	p.buf.WriteString(p.value(args[i]))
}

func (p *printer) args(args []*Value) {
	for i := range args {
		p.sep(i)
		p.arg(args, i)
	}
}

func (p *printer) aux(aux Aux) {
	if isMissing(aux) {
		p.buf.WriteString("?missing")
		return
	}
	switch o := aux.(type) {
	case *Slot:
		p.printf("s%d", o.Index)
	case *Site:
		p.printf("!%d", o.Index)
	case *Helper:
		p.buf.WriteString(p.name(o))
	case AtomicOp:
		p.buf.WriteString(o.String())
	default:
		p.printf("@%s", p.name(o))
	}
}

func (p *printer) term(t *Term) {
	p.buf.WriteString(termNames[t.Kind])
	if len(t.Args)+len(t.Succs) > 0 {
		p.buf.WriteByte(' ')
	}
	p.args(t.Args)
	for i, e := range t.Succs {
		p.sep(i + len(t.Args))
		p.printf("%s(", p.block(e.To))
		p.args(e.Args)
		p.buf.WriteByte(')')
	}
	if t.Kind == TermPanic && t.Site != nil {
		p.buf.WriteByte(' ')
		p.aux(t.Site)
	}
}

// isMissing reports whether aux refers to nothing.
func isMissing(aux Aux) bool {
	switch o := aux.(type) {
	case *Slot:
		return o == nil
	case *Data:
		return o == nil
	case *Map:
		return o == nil
	case *Func:
		return o == nil
	case *Helper:
		return o == nil
	case *Site:
		return o == nil
	case AtomicOp:
		return o >= NumAtomicOps
	}
	return true
}

// helpersOf returns the helpers called in m in the order of the text form.
func helpersOf(m *Module) []*Helper {
	var list []*Helper
	seen := make(map[*Helper]bool)
	for _, f := range m.Funcs {
		for _, b := range printOrder(f) {
			for _, v := range b.Instrs {
				if h, ok := v.Aux.(*Helper); ok && h != nil && !seen[h] {
					seen[h] = true
					list = append(list, h)
				}
			}
		}
	}
	return list
}
