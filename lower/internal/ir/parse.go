package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads the text form of a module, as [Module.String] writes it, and
// reports the first error with its line. It checks the grammar and that every
// name is declared once; whether the module is valid is for [Verify] to say.
//
// Values and blocks may be used before the line that defines them, functions
// too; data, maps, helpers, sites and slots may not. A comment starts with //.
func Parse(text string) (m *Module, err error) {
	p := &parser{
		m:       new(Module),
		funcs:   make(map[string]*Func),
		data:    make(map[string]*Data),
		maps:    make(map[string]*Map),
		helpers: make(map[string]*Helper),
	}
	defer func() {
		if e := recover(); e != nil {
			se, ok := e.(syntaxError)
			if !ok {
				panic(e)
			}
			m, err = nil, se
		}
	}()
	p.declareFuncs(text)
	for i, line := range strings.Split(text, "\n") {
		p.startLine(i+1, line)
		if p.peek().kind == tokEOL {
			continue
		}
		if p.f != nil {
			p.funcLine()
		} else {
			p.topLine()
		}
	}
	if p.f != nil {
		p.failf("function @%s has no closing brace", p.f.Name)
	}
	p.resolveRefs()
	return p.m, nil
}

// A syntaxError is what Parse reports, and what the parser panics with.
type syntaxError struct {
	line int
	msg  string
}

func (e syntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.msg) }

// maxParsedData bounds the bytes of all data of a parsed module, so that
// malformed text cannot ask for all the memory there is.
const maxParsedData = 16 << 20

type parser struct {
	m    *Module
	line int
	toks []token
	pos  int

	funcs   map[string]*Func
	data    map[string]*Data
	maps    map[string]*Map
	helpers map[string]*Helper

	dataBytes int64 // of all data so far
	refs      []parsedRef

	funcParser // of the function being parsed
}

// A parsedRef is a Ref of which the object may not have been parsed yet.
type parsedRef struct {
	in    *Data
	off   int64
	to    string
	toOff int64
}

// resolveRefs gives data its addresses.
func (p *parser) resolveRefs() {
	for _, r := range p.refs {
		to := p.data[r.to]
		if to == nil {
			p.failf("no data @%s", r.to)
		}
		r.in.AddRef(Ref{r.off, to, r.toOff})
	}
}

func (p *parser) failf(format string, args ...any) {
	panic(syntaxError{p.line, fmt.Sprintf(format, args...)})
}

func (p *parser) startLine(n int, text string) {
	p.line = n
	toks, err := lexLine(text)
	if err != nil {
		p.failf("%v", err)
	}
	p.toks, p.pos = toks, 0
}

// declareFuncs makes the functions that text declares, so that calls may
// precede them.
func (p *parser) declareFuncs(text string) {
	for i, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "func") {
			continue
		}
		p.startLine(i+1, line)
		if p.accept("func") {
			name := p.expect(tokName, "the function's name")
			if p.funcs[name] != nil {
				p.failf("function @%s is declared twice", name)
			}
			p.funcs[name] = p.m.NewFunc(name, 0)
		}
	}
}

// peek returns the next token of the line.
func (p *parser) peek() token {
	if p.pos < len(p.toks) {
		return p.toks[p.pos]
	}
	return token{}
}

// accept consumes the next token if it is the given word or punctuation.
func (p *parser) accept(text string) bool {
	t := p.peek()
	if (t.kind != tokWord && t.kind != tokPunct) || t.text != text {
		return false
	}
	p.pos++
	return true
}

// want consumes the given word or punctuation.
func (p *parser) want(text string) {
	if !p.accept(text) {
		p.failf("found %v, want '%s'", p.peek(), text)
	}
}

// expect consumes a token of the given kind and returns its text.
func (p *parser) expect(kind tokKind, what string) string {
	t := p.peek()
	if t.kind != kind {
		p.failf("found %v, want %s", t, what)
	}
	p.pos++
	return t.text
}

func (p *parser) endLine() {
	if t := p.peek(); t.kind != tokEOL {
		p.failf("found %v, want end of line", t)
	}
}

func (p *parser) integer(what string) int64 {
	text := p.expect(tokNum, what)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.failf("%s %s is out of range", what, text)
	}
	return n
}

func (p *parser) parseType() Type {
	name := p.expect(tokWord, "a type")
	t, ok := ParseType(name)
	if !ok {
		p.failf("unknown type %s", name)
	}
	return t
}

// list parses a parenthesised list, calling elem for each element.
func (p *parser) list(elem func()) {
	p.want("(")
	for !p.accept(")") {
		elem()
		if !p.accept(",") && p.peek() != (token{tokPunct, ")"}) {
			p.failf("found %v, want ',' or ')'", p.peek())
		}
	}
}

// topLine parses a line outside of functions.
func (p *parser) topLine() {
	switch kw := p.expect(tokWord, "a declaration"); kw {
	case "data":
		p.dataDecl()
	case "map":
		p.mapDecl()
	case "scratch":
		p.m.Scratch = p.integer("size")
	case "helper":
		p.helperDecl()
	case "site":
		p.siteDecl()
	case "func":
		p.funcDecl()
	default:
		p.failf("found '%s', want a declaration", kw)
	}
	p.endLine()
}

func (p *parser) dataDecl() {
	name := p.expect(tokName, "the object's name")
	if p.data[name] != nil {
		p.failf("data @%s is declared twice", name)
	}
	p.want("size")
	size := p.integer("size")
	if size < 0 || size > maxParsedData-p.dataBytes {
		p.failf("size %d is out of range", size)
	}
	p.dataBytes += size
	d := &Data{Name: name, Bytes: make([]byte, size)}
	p.want("align")
	d.Align = p.integer("alignment")
	if d.Mutable = p.accept("rw"); !d.Mutable {
		p.want("ro")
	}
	if p.peek().kind == tokStr {
		content := p.expect(tokStr, "the content")
		if int64(len(content)) > size {
			p.failf("%d bytes in an object of %d", len(content), size)
		}
		copy(d.Bytes, content)
	}
	for p.accept("ref") {
		off := p.integer("offset")
		to := p.expect(tokName, "an object's name")
		p.refs = append(p.refs, parsedRef{d, off, to, p.integer("offset")})
	}
	if p.accept("room") {
		d.Room = p.integer("room")
	}
	p.data[name] = d
	p.m.Data = append(p.m.Data, d)
}

func (p *parser) mapDecl() {
	name := p.expect(tokName, "the map's name")
	if p.maps[name] != nil {
		p.failf("map @%s is declared twice", name)
	}
	p.maps[name] = &Map{Name: name}
	p.m.Maps = append(p.m.Maps, p.maps[name])
}

func (p *parser) helperName() string {
	if p.peek().kind == tokStr {
		return p.expect(tokStr, "the helper's name")
	}
	return p.expect(tokWord, "the helper's name")
}

func (p *parser) helperDecl() {
	h := &Helper{Name: p.helperName()}
	if p.helpers[h.Name] != nil {
		p.failf("helper %s is declared twice", h.Name)
	}
	id := p.integer("helper number")
	if h.ID = int32(id); int64(h.ID) != id {
		p.failf("helper number %d is out of range", id)
	}
	p.list(func() { h.Args = append(h.Args, p.argKind()) })
	if p.accept("sizes") {
		p.list(func() { h.Sizes = append(h.Sizes, int(p.integer("parameter number"))) })
	}
	h.Result = p.parseType()
	for _, hf := range helperFlags {
		if p.accept(hf.name) {
			h.Flags |= hf.flag
		}
	}
	h.InvalidatesPacket = p.accept("packet")
	h.TakesPacket = p.accept("packetmem")
	p.helpers[h.Name] = h
}

func (p *parser) argKind() ArgKind {
	name := p.expect(tokWord, "a kind of parameter")
	for k, n := range argKindNames {
		if n == name {
			return ArgKind(k)
		}
	}
	p.failf("unknown kind of parameter %s", name)
	return 0
}

func (p *parser) siteDecl() {
	p.want("!")
	if n := p.integer("site number"); n != int64(len(p.m.Sites)) {
		p.failf("site !%d is number %d", n, len(p.m.Sites))
	}
	name := p.expect(tokWord, "a kind of panic")
	for k, n := range panicNames {
		if n == name {
			p.m.NewSite(PanicKind(k), p.expect(tokStr, "the site's message"), 0)
			return
		}
	}
	p.failf("unknown kind of panic %s", name)
}

func (p *parser) siteRef() *Site {
	p.want("!")
	n := p.integer("site number")
	if n < 0 || n >= int64(len(p.m.Sites)) {
		p.failf("site !%d is not declared", n)
	}
	return p.m.Sites[n]
}
