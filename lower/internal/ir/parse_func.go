package ir

import (
	"strconv"
	"strings"
)

// funcParser is the state of the parser within a function.
type funcParser struct {
	f      *Func // nil outside of functions
	b      *Block
	start  int // line of the header
	values map[string]*localValue
	blocks map[string]*localBlock
	// In order of first mention, for errors about those never defined.
	valueList []*localValue
	blockList []*localBlock
}

// A localValue or localBlock is one that has been mentioned. It is made at the
// first mention and filled in where it is defined.
type localValue struct {
	name    string
	line    int // of the first mention
	defined bool
	v       *Value
}

type localBlock struct {
	name    string
	line    int
	defined bool
	b       *Block
}

// funcDecl parses the header of a function, `func @f(v0 i64) (i32) noinline {`.
func (p *parser) funcDecl() {
	f := p.funcs[p.expect(tokName, "the function's name")]
	p.funcParser = funcParser{
		f:      f,
		start:  p.line,
		values: make(map[string]*localValue),
		blocks: make(map[string]*localBlock),
	}
	// The entry is the block that is defined first, whatever its name.
	entry := f.NewBlock()
	p.list(func() { entry.addParam(p.param()) })
	if p.peek() == (token{tokPunct, "("}) {
		p.list(func() { f.Results = append(f.Results, p.parseType()) })
	}
	f.NoInline = p.accept("noinline")
	if f.Callback = p.accept("callback"); f.Callback {
		f.Stop = int32(p.integer("what it returns when it panics"))
	}
	p.want("{")
	p.endLine()
}

// addParam adds the existing value v to b's parameters.
func (b *Block) addParam(v *Value) {
	v.Block = b
	b.Params = append(b.Params, v)
}

// param parses `v0 i64`.
func (p *parser) param() *Value {
	v := p.define(p.expect(tokWord, "a value"), OpParam)
	v.Type = p.parseType()
	return v
}

// funcLine parses a line of a function.
func (p *parser) funcLine() {
	if p.accept("}") {
		p.endLine()
		p.endFunc()
		return
	}
	word := p.expect(tokWord, "a block, an instruction or '}'")
	switch {
	case word == "slot":
		p.slotDecl()
	case isLocal(word, 'b'):
		p.blockLabel(word)
	case p.b == nil:
		p.failf("found '%s' before the first block", word)
	case p.b.Term.Kind != TermNone:
		p.failf("found '%s' after the end of the block", word)
	case isLocal(word, 'v'):
		p.want("=")
		v := p.instr(word, p.expect(tokWord, "an operation"))
		p.b.Append(v)
	case p.terminator(word):
	default:
		p.b.Append(p.instr("", word))
	}
	p.endLine()
}

// isLocal reports whether name is the letter followed by a number.
func isLocal(name string, letter byte) bool {
	return len(name) > 1 && name[0] == letter && strings.Trim(name[1:], "0123456789") == ""
}

// endFunc checks that everything mentioned has been defined.
func (p *parser) endFunc() {
	for _, l := range p.valueList {
		if !l.defined {
			p.line = l.line
			p.failf("%s is not defined", l.name)
		}
	}
	for _, l := range p.blockList {
		if !l.defined {
			p.line = l.line
			p.failf("%s is not defined", l.name)
		}
	}
	if p.b == nil {
		p.line = p.start
		p.failf("function @%s has no block", p.f.Name)
	}
	p.funcParser = funcParser{}
}

// local returns the value of the given name, making it if need be.
func (p *parser) local(name string) *localValue {
	l := p.values[name]
	if l == nil {
		if !isLocal(name, 'v') {
			p.failf("found '%s', want a value", name)
		}
		l = &localValue{name: name, line: p.line, v: p.f.NewValue(OpInvalid, Void, 0)}
		p.values[name] = l
		p.valueList = append(p.valueList, l)
	}
	return l
}

// define returns the value of the given name as defined on this line.
func (p *parser) define(name string, op Op) *Value {
	l := p.local(name)
	if l.defined {
		p.failf("%s is defined twice", name)
	}
	l.defined = true
	l.v.Op = op
	return l.v
}

// operand parses the use of a value.
func (p *parser) operand() *Value { return p.local(p.expect(tokWord, "a value")).v }

// slotDecl parses `s0 "x" size 8 align 8 looped`.
func (p *parser) slotDecl() {
	name := p.expect(tokWord, "a slot")
	if name != "s"+strconv.Itoa(len(p.f.Slots)) {
		p.failf("slot %s is number %d", name, len(p.f.Slots))
	}
	s := p.f.NewSlot(p.expect(tokStr, "the slot's name"), 0, 0, 0)
	p.want("size")
	s.Size = p.integer("size")
	p.want("align")
	s.Align = p.integer("alignment")
	s.Looped = p.accept("looped")
	s.Loose = p.accept("loose")
}

// blockLabel parses the rest of `b1(v2 i64):`.
func (p *parser) blockLabel(name string) {
	if p.b == nil {
		// The entry, which was made with the parameters of the function.
		p.b = p.f.Blocks[0]
		p.blocks[name] = &localBlock{name: name, defined: true, b: p.b}
		p.want(":")
		return
	}
	l := p.localBlock(name)
	if l.defined {
		p.failf("%s is defined twice", name)
	}
	l.defined = true
	p.b = l.b
	p.f.Blocks = append(p.f.Blocks, l.b)
	if p.peek() == (token{tokPunct, "("}) {
		p.list(func() { p.b.addParam(p.param()) })
	}
	p.want(":")
}

// localBlock returns the block of the given name, making it if need be.
func (p *parser) localBlock(name string) *localBlock {
	l := p.blocks[name]
	if l == nil {
		if !isLocal(name, 'b') {
			p.failf("found '%s', want a block", name)
		}
		l = &localBlock{name: name, line: p.line, b: &Block{ID: p.f.nextBlock, Func: p.f}}
		p.f.nextBlock++
		p.blocks[name] = l
		p.blockList = append(p.blockList, l)
	}
	return l
}

// edge parses `b1(v2)` or `b1`.
func (p *parser) edge() Edge {
	e := Edge{To: p.localBlock(p.expect(tokWord, "a block")).b}
	if p.peek() == (token{tokPunct, "("}) {
		p.list(func() { e.Args = append(e.Args, p.operand()) })
	}
	return e
}

// terminator parses the rest of a terminator, if word is the name of one.
func (p *parser) terminator(word string) bool {
	t := &p.b.Term
	switch word {
	case termNames[TermJump]:
		t.Kind = TermJump
		t.Succs = []Edge{p.edge()}
	case termNames[TermBranch]:
		t.Kind = TermBranch
		t.Args = []*Value{p.operand()}
		p.want(",")
		t.Succs = append(t.Succs, p.edge())
		p.want(",")
		t.Succs = append(t.Succs, p.edge())
	case termNames[TermReturn]:
		t.Kind = TermReturn
		for p.peek().kind != tokEOL {
			if len(t.Args) > 0 {
				p.want(",")
			}
			t.Args = append(t.Args, p.operand())
		}
	case termNames[TermPanic]:
		t.Kind = TermPanic
		if p.peek().text == "!" {
			t.Site = p.siteRef()
		} else {
			t.Args = []*Value{p.operand()}
		}
	case termNames[TermUnreachable]:
		t.Kind = TermUnreachable
	default:
		return false
	}
	return true
}

// instr parses an instruction from its operands on. An unnamed one has the
// empty name and no type.
func (p *parser) instr(name, word string) *Value {
	opName, width, hasWidth := strings.Cut(word, ".")
	op, ok := opByName[opName]
	if !ok || op == OpParam {
		p.failf("unknown operation %s", opName)
	}
	if hasWidth && !op.hasWidth() {
		p.failf("operation %s takes no width", opName)
	} else if !hasWidth && op.hasWidth() {
		p.failf("operation %s needs a width", opName)
	}
	var v *Value
	if name != "" {
		v = p.define(name, op)
	} else {
		v = p.f.NewValue(op, Void, 0)
	}
	syntax := opSyntax[op]
	if hasWidth {
		syntax = syntax[1:]
		p.width(v, width)
	}
	if name != "" {
		v.Type = p.parseType()
	}
	if op == OpHelper && p.accept("size") {
		v.Size = p.integer("a size")
	}
	for i := range len(syntax) {
		switch c := syntax[i]; c {
		case ' ':
		case 'a', 'b', 'c':
			v.Args = append(v.Args, p.operand())
		case '?':
			for p.accept(",") {
				v.Args = append(v.Args, p.operand())
			}
		case '(':
			p.list(func() { v.Args = append(v.Args, p.operand()) })
		case '*', ')':
		case 'i', '+':
			v.Imm = p.integer("an integer")
		case 'n':
			v.Size = p.integer("a size")
		case 'x':
			v.Aux = p.aux(op.Info().Aux)
		default:
			p.want(string(c))
		}
	}
	return v
}

// width parses the suffix of an operation that accesses memory.
func (p *parser) width(v *Value, s string) {
	digits, signed := strings.CutSuffix(s, "s")
	n, err := strconv.ParseUint(digits, 10, 8)
	if err != nil || strconv.FormatUint(n, 10) != digits {
		p.failf("malformed width %s", s)
	}
	v.Width, v.Signed = uint8(n), signed
}

// aux parses a reference to an object of the given kind.
func (p *parser) aux(kind AuxKind) Aux {
	switch kind {
	case AuxSlot:
		name := p.expect(tokWord, "a slot")
		for _, s := range p.f.Slots {
			if name == "s"+strconv.Itoa(s.Index) {
				return s
			}
		}
		p.failf("slot %s is not declared", name)
	case AuxData:
		name := p.expect(tokName, "a data object")
		if d := p.data[name]; d != nil {
			return d
		}
		p.failf("data @%s is not declared", name)
	case AuxMap:
		name := p.expect(tokName, "a map")
		if o := p.maps[name]; o != nil {
			return o
		}
		p.failf("map @%s is not declared", name)
	case AuxFunc:
		name := p.expect(tokName, "a function")
		if f := p.funcs[name]; f != nil {
			return f
		}
		p.failf("function @%s is not declared", name)
	case AuxHelper:
		name := p.helperName()
		if h := p.helpers[name]; h != nil {
			return h
		}
		p.failf("helper %s is not declared", name)
	case AuxSite:
		return p.siteRef()
	case AuxAtomic:
		name := p.expect(tokWord, "an atomic operation")
		for a, n := range atomicNames {
			if n == name {
				return AtomicOp(a)
			}
		}
		p.failf("unknown atomic operation %s", name)
	}
	panic("BUG: operation without an object has one in its syntax")
}

// opByName finds an operation by its printed name.
var opByName = func() map[string]Op {
	m := make(map[string]Op, numOps)
	for op := OpParam; op < numOps; op++ {
		m[op.String()] = op
	}
	return m
}()
