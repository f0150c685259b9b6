package mir

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxNumber bounds register and block numbers of the text form, so that tables
// indexed by them stay small.
const maxNumber = 1 << 20

// Parse reads a module from its text form, see [Module.String]. Empty lines and
// lines that start with // are skipped. Parse checks the form only: the
// result need not pass [Verify]. Errors name the line.
func Parse(text string) (*Module, error) {
	p := &parser{m: &Module{}}
	for i, line := range strings.Split(text, "\n") {
		p.lineno = i + 1
		p.rest = strings.TrimSpace(line)
		if p.rest == "" || strings.HasPrefix(p.rest, "//") {
			continue
		}
		if err := p.line(); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.lineno, err)
		}
	}
	if err := p.endFunc(); err != nil {
		return nil, err
	}
	return p.m, nil
}

// A parser reads one line at a time; the line's unread part is rest.
type parser struct {
	m      *Module
	f      *Func // current function
	b      *Block
	labels map[int]*label
	order  []*label // in order of first mention, for deterministic errors
	lineno int
	rest   string
}

// A label is a block that was mentioned, and whether its body was seen.
type label struct {
	block   *Block
	defined bool
	line    int // of the first mention
}

func (p *parser) line() error {
	word := p.word()
	switch {
	case word == "func":
		return p.header()
	case p.f == nil:
		return errors.New("expected func")
	case word == "slot":
		return p.slot()
	case strings.HasPrefix(p.rest, ":"):
		return p.label(word)
	case p.b == nil:
		return errors.New("instruction outside of a block")
	}
	in, err := p.inst(word)
	if err != nil {
		return err
	}
	p.b.Insts = append(p.b.Insts, in)
	return nil
}

func (p *parser) header() error {
	if err := p.endFunc(); err != nil {
		return err
	}
	p.f = &Func{nextReg: FirstVirtual}
	p.b = nil
	p.labels = map[int]*label{}
	p.order = nil
	p.m.Funcs = append(p.m.Funcs, p.f)
	p.space()
	name, err := p.name()
	if err != nil {
		return err
	}
	p.f.Name = name
	p.f.Entry = p.accept(" entry")
	if p.f.Callback = p.accept(" callback="); p.f.Callback {
		n, err := p.number()
		if err != nil {
			return err
		}
		p.f.Stop = int32(n)
	}
	if err := p.expect(" params="); err != nil {
		return err
	}
	n, err := p.number()
	if err != nil {
		return err
	}
	p.f.Params = int(n)
	p.f.Pos, err = p.end()
	return err
}

// endFunc checks that every block that the current function mentions is there.
func (p *parser) endFunc() error {
	for _, l := range p.order {
		if !l.defined {
			return fmt.Errorf("line %d: block %v is not in function %s", l.line, l.block, p.f.Name)
		}
	}
	return nil
}

func (p *parser) slot() error {
	s := &Slot{Index: len(p.f.Slots)}
	if err := p.expect(" " + s.String() + " "); err != nil {
		return err
	}
	var err error
	if s.Size, err = p.number(); err != nil {
		return err
	}
	p.space()
	if s.Align, err = p.number(); err != nil {
		return err
	}
	p.space()
	if s.Name, err = p.name(); err != nil {
		return err
	}
	s.Spill = p.accept(" spill")
	if s.Pos, err = p.end(); err != nil {
		return err
	}
	p.f.Slots = append(p.f.Slots, s)
	return nil
}

func (p *parser) label(word string) error {
	l, err := p.lookup(word)
	if err != nil {
		return err
	}
	if l.defined {
		return fmt.Errorf("block %s defined twice", word)
	}
	l.defined = true
	p.b = l.block
	p.f.Blocks = append(p.f.Blocks, p.b)
	p.accept(":")
	if p.accept(" depth=") {
		n, err := p.number()
		if err != nil {
			return err
		}
		p.b.Depth = int(n)
	}
	if p.rest != "" {
		return fmt.Errorf("unexpected %q", p.rest)
	}
	return nil
}

// lookup returns the label called word, which is mentioned on the current line.
func (p *parser) lookup(word string) (*label, error) {
	n, err := numbered(word, 'b')
	if err != nil {
		return nil, err
	}
	l := p.labels[n]
	if l == nil {
		l = &label{block: &Block{ID: n}, line: p.lineno}
		p.labels[n] = l
		p.order = append(p.order, l)
		p.f.nextBlock = max(p.f.nextBlock, n+1)
	}
	return l, nil
}

// inst reads an instruction whose name, without the width, is word.
func (p *parser) inst(word string) (Inst, error) {
	in := Inst{Dst: NoReg, Src: NoReg, Src2: NoReg}
	name, width, hasWidth := strings.Cut(word, ".")
	name, in.W32 = strings.CutSuffix(name, "32")
	for op := OpInvalid + 1; op < numOps; op++ {
		if opTable[op].Name == name {
			in.Op = op
		}
	}
	if in.Op == OpInvalid {
		return in, fmt.Errorf("unknown operation %q", word)
	}
	syntax, wantWidth := strings.CutPrefix(opSyntax[in.Op], "W")
	if hasWidth != wantWidth {
		return in, fmt.Errorf("%s: width missing or out of place", word)
	}
	if hasWidth {
		width, in.Signed = strings.CutSuffix(width, "s")
		n, err := strconv.ParseUint(width, 10, 8)
		if err != nil {
			return in, fmt.Errorf("%s: malformed width", word)
		}
		in.Width = uint8(n)
	}
	if syntax != "" {
		p.space()
	}
	for i := range len(syntax) {
		if err := p.operand(&in, syntax[i]); err != nil {
			return in, fmt.Errorf("%s: %w", word, err)
		}
	}
	var err error
	in.Pos, err = p.end()
	return in, err
}

// operand reads the field that the syntax character c stands for, or c.
func (p *parser) operand(in *Inst, c byte) (err error) {
	switch c {
	case 'D':
		in.Dst, err = p.reg()
	case 'S':
		if in.Op.Info().HasImm && p.atNumber() {
			in.Imm, err = p.number()
		} else {
			in.Src, err = p.reg()
		}
	case 'R':
		in.Src, err = p.reg()
	case 'T':
		if p.atNumber() {
			in.Imm, err = p.number()
		} else {
			in.Src2, err = p.reg()
		}
	case 'X':
		if p.atNumber() {
			in.Off, err = p.offset()
		} else {
			in.Src2, err = p.reg()
		}
	case 'I':
		in.Imm, err = p.number()
	case 'M':
		err = p.memory(&in.Src, in)
	case 'N':
		err = p.memory(&in.Dst, in)
	case 'F':
		if !p.accept("_") {
			if in.Slot, err = p.slotRef(p.word()); err != nil {
				return err
			}
		}
		in.Imm, err = p.displacement()
	case 'Y':
		if in.Sym, err = p.sym(); err == nil {
			in.Imm, err = p.displacement()
		}
	case 'G':
		in.Sym, err = p.callee()
	case 'A':
		in.NArgs, err = p.nargs()
	case 'O':
		in.Imm, err = p.atomic()
	case 'C':
		in.Cond, err = p.cond()
	case 'P':
		var n int64
		n, err = p.number()
		in.Site = int(n)
	case 'B':
		in.To, err = p.block()
	case 'E':
		in.Else, err = p.block()
	default:
		err = p.expect(string(c))
	}
	return err
}
