package mir

import (
	"strconv"
	"strings"
)

// String returns the module in the text form that [Parse] reads.
func (m *Module) String() string {
	var p printer
	for i, f := range m.Funcs {
		if i > 0 {
			p.WriteByte('\n')
		}
		p.function(f)
	}
	return p.String()
}

// String returns the function in the text form that [Parse] reads.
func (f *Func) String() string {
	var p printer
	p.function(f)
	return p.String()
}

// String returns the instruction as it is printed in a function.
func (in *Inst) String() string {
	var p printer
	p.inst(in)
	return p.Builder.String()
}

// String returns r0 to r10, vN for a virtual register, or _ for NoReg.
func (r Reg) String() string {
	switch {
	case r.IsPhys():
		return "r" + strconv.Itoa(int(r))
	case r.IsVirtual():
		return "v" + strconv.Itoa(int(r))
	}
	return "_"
}

// String returns the label of b.
func (b *Block) String() string {
	if b == nil {
		return "b?"
	}
	return "b" + strconv.Itoa(b.ID)
}

// String returns the name of s in the text form; its Name is only in the
// function's header.
func (s *Slot) String() string { return "s" + strconv.Itoa(s.Index) }

type printer struct{ strings.Builder }

// function writes
//
//	func name [entry] [callback=n] params=n [@pos]
//		slot s0 size align "name" [spill] [@pos]
//	b0: [depth=n]
//		instructions
func (p *printer) function(f *Func) {
	p.WriteString("func ")
	p.name(f.Name)
	if f.Entry {
		p.WriteString(" entry")
	}
	if f.Callback {
		p.WriteString(" callback=")
		p.int(int64(f.Stop))
	}
	p.WriteString(" params=")
	p.int(int64(f.Params))
	p.pos(f.Pos)
	p.WriteByte('\n')
	for _, s := range f.Slots {
		p.WriteString("\tslot ")
		p.WriteString(s.String())
		p.WriteByte(' ')
		p.int(s.Size)
		p.WriteByte(' ')
		p.int(s.Align)
		p.WriteByte(' ')
		p.WriteString(strconv.Quote(s.Name))
		if s.Spill {
			p.WriteString(" spill")
		}
		p.pos(s.Pos)
		p.WriteByte('\n')
	}
	for _, b := range f.Blocks {
		p.WriteString(b.String())
		p.WriteByte(':')
		if b.Depth != 0 {
			p.WriteString(" depth=")
			p.int(int64(b.Depth))
		}
		p.WriteByte('\n')
		for i := range b.Insts {
			p.WriteByte('\t')
			p.inst(&b.Insts[i])
			p.WriteByte('\n')
		}
	}
}

func (p *printer) inst(in *Inst) {
	p.WriteString(in.Op.String())
	if in.Op == OpInvalid || in.Op >= numOps {
		return
	}
	if in.W32 {
		p.WriteString("32")
	}
	syntax, width := strings.CutPrefix(opSyntax[in.Op], "W")
	if width {
		p.WriteByte('.')
		p.int(int64(in.Width))
		if in.Signed {
			p.WriteByte('s')
		}
	}
	if syntax != "" {
		p.WriteByte(' ')
	}
	for i := range len(syntax) {
		p.operand(in, syntax[i])
	}
	p.pos(in.Pos)
}

// operand writes the field that the syntax character c stands for, or c.
func (p *printer) operand(in *Inst, c byte) {
	switch c {
	case 'D':
		p.WriteString(in.Dst.String())
	case 'S':
		p.regOr(in.Src, in.Imm, in.Op.Info().HasImm)
	case 'R':
		p.WriteString(in.Src.String())
	case 'T':
		p.regOr(in.Src2, in.Imm, true)
	case 'X':
		p.regOr(in.Src2, int64(in.Off), true)
	case 'I':
		p.int(in.Imm)
	case 'M':
		p.memory(in.Src, in)
	case 'N':
		p.memory(in.Dst, in)
	case 'F':
		if in.Slot == nil {
			p.WriteByte('_')
		} else {
			p.WriteString(in.Slot.String())
		}
		p.signed(in.Imm)
	case 'Y':
		p.sym(in.Sym)
		p.signed(in.Imm)
	case 'G':
		p.callee(in.Sym)
	case 'A':
		p.WriteByte('(')
		p.int(int64(in.NArgs))
		p.WriteByte(')')
	case 'O':
		if name := atomicName(in.Imm); name != "" {
			p.WriteString(name)
		} else {
			p.int(in.Imm)
		}
	case 'C':
		p.WriteString(in.Cond.String())
	case 'P':
		p.int(int64(in.Site))
	case 'B':
		p.WriteString(in.To.String())
	case 'E':
		p.WriteString(in.Else.String())
	default:
		p.WriteByte(c)
	}
}

// regOr writes r, or imm if r is absent and an immediate may take its place.
func (p *printer) regOr(r Reg, imm int64, hasImm bool) {
	if r == NoReg && hasImm {
		p.int(imm)
		return
	}
	p.WriteString(r.String())
}

func (p *printer) memory(base Reg, in *Inst) {
	p.WriteByte('[')
	if in.Slot != nil {
		p.WriteString(in.Slot.String())
	} else {
		p.WriteString(base.String())
	}
	p.signed(int64(in.Off))
	p.WriteByte(']')
}

// sym writes kind name.
func (p *printer) sym(s *Sym) {
	if s == nil {
		p.WriteByte('_')
		return
	}
	p.WriteString(symKindNames[s.Kind])
	p.WriteByte(' ')
	p.name(s.Name)
}

// callee writes the name of a function, or name and number of a helper.
func (p *printer) callee(s *Sym) {
	if s == nil {
		p.name("")
		return
	}
	p.name(s.Name)
	if s.Kind == SymHelper {
		p.WriteByte('#')
		p.int(int64(s.ID))
	}
}

// name writes a name, quoted if it would not read back otherwise.
func (p *printer) name(name string) {
	for i := range len(name) {
		if !isNameByte(name[i]) || i == 0 && isDigit(name[0]) {
			name = strconv.Quote(name)
			break
		}
	}
	if name == "" {
		name = `""`
	}
	p.WriteString(name)
}

func (p *printer) pos(pos Pos) {
	if pos != 0 {
		p.WriteString(" @")
		p.int(int64(pos))
	}
}

func (p *printer) int(i int64) { p.WriteString(strconv.FormatInt(i, 10)) }

// signed writes i with its sign, as a displacement.
func (p *printer) signed(i int64) {
	if i >= 0 {
		p.WriteByte('+')
	}
	p.int(i)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNameByte reports whether c can stand in an unquoted name. The set covers
// most names of Go functions, of their closures (f$1) and of sections.
func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) ||
		c == '_' || c == '.' || c == '$'
}
