package mir

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// This file reads the operands of the text form. Each method consumes what it
// recognises from p.rest.

// accept consumes s if the rest of the line starts with it.
func (p *parser) accept(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *parser) expect(s string) error {
	if !p.accept(s) {
		return fmt.Errorf("expected %q at %q", s, p.rest)
	}
	return nil
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// word consumes the longest run of name bytes, which may be empty.
func (p *parser) word() string {
	n := 0
	for n < len(p.rest) && isNameByte(p.rest[n]) {
		n++
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w
}

// name consumes a plain or quoted name.
func (p *parser) name() (string, error) {
	if !strings.HasPrefix(p.rest, `"`) {
		w := p.word()
		if w == "" || isDigit(w[0]) {
			return "", fmt.Errorf("expected a name at %q", w+p.rest)
		}
		return w, nil
	}
	q, err := strconv.QuotedPrefix(p.rest)
	if err != nil {
		return "", fmt.Errorf("malformed name at %q", p.rest)
	}
	p.rest = p.rest[len(q):]
	return strconv.Unquote(q)
}

// atNumber reports whether a number comes next.
func (p *parser) atNumber() bool {
	return p.rest != "" && (p.rest[0] == '-' || isDigit(p.rest[0]))
}

// number consumes a decimal integer.
func (p *parser) number() (int64, error) {
	n := 0
	if strings.HasPrefix(p.rest, "-") {
		n = 1
	}
	for n < len(p.rest) && isDigit(p.rest[n]) {
		n++
	}
	i, err := strconv.ParseInt(p.rest[:n], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("expected a number at %q", p.rest)
	}
	p.rest = p.rest[n:]
	return i, nil
}

// displacement consumes a number with its sign.
func (p *parser) displacement() (int64, error) {
	if !p.accept("+") && !strings.HasPrefix(p.rest, "-") {
		return 0, fmt.Errorf("expected a signed number at %q", p.rest)
	}
	return p.number()
}

// offset consumes a number that fits Inst.Off.
func (p *parser) offset() (int32, error) {
	n, err := p.number()
	if err == nil && int64(int32(n)) != n {
		err = fmt.Errorf("offset %d out of range", n)
	}
	return int32(n), err
}

// end consumes the position at the end of a line.
func (p *parser) end() (Pos, error) {
	p.space()
	if p.rest == "" {
		return 0, nil
	}
	if err := p.expect("@"); err != nil {
		return 0, err
	}
	n, err := p.number()
	if err != nil {
		return 0, err
	}
	if n <= 0 || n > math.MaxInt32 || p.rest != "" {
		return 0, fmt.Errorf("malformed position")
	}
	return Pos(n), nil
}

// numbered parses a letter followed by a number.
func numbered(word string, letter byte) (int, error) {
	if len(word) < 2 || word[0] != letter || !isDigit(word[1]) {
		return 0, fmt.Errorf("expected %cN, found %q", letter, word)
	}
	n, err := strconv.Atoi(word[1:])
	if err != nil || n >= maxNumber {
		return 0, fmt.Errorf("malformed number in %q", word)
	}
	return n, nil
}

func (p *parser) reg() (Reg, error) { return p.regNamed(p.word()) }

func (p *parser) regNamed(word string) (Reg, error) {
	switch {
	case word == "_":
		return NoReg, nil
	case strings.HasPrefix(word, "r"):
		n, err := numbered(word, 'r')
		if err != nil || n >= NumPhys {
			return NoReg, fmt.Errorf("no register %q", word)
		}
		return Reg(n), nil
	}
	n, err := numbered(word, 'v')
	if err != nil || Reg(n) < FirstVirtual {
		return NoReg, fmt.Errorf("no register %q", word)
	}
	p.f.nextReg = max(p.f.nextReg, Reg(n)+1)
	return Reg(n), nil
}

func (p *parser) slotRef(word string) (*Slot, error) {
	n, err := numbered(word, 's')
	if err != nil {
		return nil, err
	}
	if n >= len(p.f.Slots) {
		return nil, fmt.Errorf("no slot %s", word)
	}
	return p.f.Slots[n], nil
}

// memory consumes [base+off] or [slot+off].
func (p *parser) memory(base *Reg, in *Inst) error {
	if err := p.expect("["); err != nil {
		return err
	}
	word := p.word()
	var err error
	if strings.HasPrefix(word, "s") {
		in.Slot, err = p.slotRef(word)
	} else {
		*base, err = p.regNamed(word)
	}
	if err != nil {
		return err
	}
	off, err := p.displacement()
	if err != nil {
		return err
	}
	if int64(int32(off)) != off {
		return fmt.Errorf("displacement %d out of range", off)
	}
	in.Off = int32(off)
	return p.expect("]")
}

// sym consumes the kind and name of something that has an address.
func (p *parser) sym() (*Sym, error) {
	kind := p.word()
	if kind == "_" {
		return nil, nil
	}
	for k, name := range symKindNames {
		if kind != name {
			continue
		}
		p.space()
		name, err := p.name()
		return &Sym{Kind: SymKind(k), Name: name}, err
	}
	return nil, fmt.Errorf("unknown kind of symbol %q", kind)
}

// callee consumes the name of a function, or name and number of a helper.
func (p *parser) callee() (*Sym, error) {
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if !p.accept("#") {
		return &Sym{Kind: SymFunc, Name: name}, nil
	}
	id, err := p.number()
	if err == nil && int64(int32(id)) != id {
		err = fmt.Errorf("helper number %d out of range", id)
	}
	return &Sym{Kind: SymHelper, Name: name, ID: int32(id)}, err
}

func (p *parser) nargs() (uint8, error) {
	if err := p.expect("("); err != nil {
		return 0, err
	}
	n, err := p.number()
	if err != nil {
		return 0, err
	}
	if n < 0 || n > math.MaxUint8 {
		return 0, fmt.Errorf("%d arguments", n)
	}
	return uint8(n), p.expect(")")
}

func (p *parser) atomic() (int64, error) {
	if p.atNumber() {
		return p.number()
	}
	word := p.word()
	for _, a := range atomicNames {
		if a.name == word {
			return a.imm, nil
		}
	}
	return 0, fmt.Errorf("unknown atomic operation %q", word)
}

func (p *parser) cond() (Cond, error) {
	word := p.word()
	for c, name := range condNames {
		if name == word {
			return Cond(c), nil
		}
	}
	return CondNone, fmt.Errorf("unknown condition %q", word)
}

func (p *parser) block() (*Block, error) {
	l, err := p.lookup(p.word())
	if err != nil {
		return nil, err
	}
	return l.block, nil
}
