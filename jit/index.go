package jit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
)

// This file indexes a package's syntax by name, which is what pruning works on.

// A pkg is the syntax of a package, as far as it has been read.
type pkg struct {
	path    string // import path, or a made-up one for a package that nothing imports
	name    string
	library bool // of the library; shared between compilations
	// tree is where an imported package of a module is, nil for others.
	tree    *tree
	tokens  []*token.File // of a package of the library
	files   []*file
	decls   map[string]*decl   // package-level declarations but methods
	methods map[string][]*decl // by the name of the receiver's type
	// rest reads the files that have not been read, or is nil. Reading them may
	// be put off until a name is missing, because most programs are in one file.
	rest func() []*file
}

// A file is one source file of a package.
type file struct {
	pkg    *pkg
	name   string
	syntax *ast.File
	// imports maps the names that the file's imports may have in it. Without
	// its source the name of an imported package is a guess, so that one import
	// may be found by more than one name.
	imports map[string]*ast.ImportSpec
	dots    []*ast.ImportSpec
	funcs   map[ast.Decl]*decl   // functions and methods
	groups  map[ast.Decl][]*decl // specifications of types, constants and variables
}

// A decl is a package-level declaration: a function, a method, or one
// specification of a type, const or var declaration.
type decl struct {
	file *file
	fn   *ast.FuncDecl
	gen  *ast.GenDecl
	// group is the declarations of all specifications of gen, index this one's place in it.
	group []*decl
	index int
	// again is declarations of the same name, which is an error that the type
	// checker words best.
	again []*decl
	// outlines is what a declaration of the library refers to, once that is known: the
	// signature of a function or any other declaration, and a function with its body.
	outlines [2]atomic.Pointer[outline]
}

func (d *decl) spec() ast.Spec { return d.gen.Specs[d.index] }

func (d *decl) pos() token.Pos {
	if d.fn != nil {
		return d.fn.Name.Pos()
	}
	return d.spec().Pos()
}

// provider returns the declaration whose expressions d, a constant without a
// value, repeats, or nil.
func (d *decl) provider() *decl {
	s, ok := d.spec().(*ast.ValueSpec)
	if !ok || d.gen.Tok != token.CONST || len(s.Values) > 0 {
		return nil
	}
	for i := d.index - 1; i >= 0; i-- {
		if s, ok := d.group[i].spec().(*ast.ValueSpec); ok && len(s.Values) > 0 {
			return d.group[i]
		}
	}
	return nil
}

func newPkg(path, name string) *pkg {
	return &pkg{path: path, name: name, decls: make(map[string]*decl), methods: make(map[string][]*decl)}
}

// parseMode keeps comments, because directives are comments.
const parseMode = parser.ParseComments | parser.SkipObjectResolution

// add indexes a parsed file.
func (p *pkg) add(name string, syntax *ast.File) *file {
	f := &file{pkg: p, name: name, syntax: syntax, imports: make(map[string]*ast.ImportSpec),
		funcs: make(map[ast.Decl]*decl), groups: make(map[ast.Decl][]*decl)}
	for _, s := range syntax.Imports {
		f.addImport(s)
	}
	for _, d := range syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			f.addFunc(d)
		case *ast.GenDecl:
			f.addGen(d)
		}
	}
	p.files = append(p.files, f)
	return f
}

func (f *file) addImport(s *ast.ImportSpec) {
	switch {
	case s.Name == nil:
		for i, name := range importNames(importPath(s)) {
			if i == 0 || f.imports[name] == nil {
				f.imports[name] = s
			}
		}
	case s.Name.Name == ".":
		f.dots = append(f.dots, s)
	case s.Name.Name != "_":
		f.imports[s.Name.Name] = s
	}
}

func (f *file) addFunc(fn *ast.FuncDecl) {
	d := &decl{file: f, fn: fn}
	f.funcs[fn] = d
	if fn.Recv != nil {
		if name := receiverName(fn); name != "" {
			f.pkg.methods[name] = append(f.pkg.methods[name], d)
		}
		return
	}
	if fn.Name.Name != "init" {
		f.pkg.declare(fn.Name, d)
	}
}

func (f *file) addGen(gen *ast.GenDecl) {
	if gen.Tok == token.IMPORT {
		return
	}
	group := make([]*decl, len(gen.Specs))
	f.groups[gen] = group
	for i, s := range gen.Specs {
		d := &decl{file: f, gen: gen, group: group, index: i}
		group[i] = d
		switch s := s.(type) {
		case *ast.TypeSpec:
			f.pkg.declare(s.Name, d)
		case *ast.ValueSpec:
			for _, id := range s.Names {
				f.pkg.declare(id, d)
			}
		}
	}
}

func (p *pkg) declare(id *ast.Ident, d *decl) {
	if id.Name == "_" {
		return
	}
	if first := p.decls[id.Name]; first != nil {
		first.again = append(first.again, d)
		return
	}
	p.decls[id.Name] = d
}

// readRest reads what is left of the package and reports whether there was anything.
func (p *pkg) readRest() bool {
	if p.rest == nil {
		return false
	}
	rest := p.rest
	p.rest = nil
	return len(rest()) > 0
}

// receiverName returns the name of the type that fn is a method of, or "".
func receiverName(fn *ast.FuncDecl) string {
	if len(fn.Recv.List) == 0 {
		return ""
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func importPath(s *ast.ImportSpec) string {
	p, err := strconv.Unquote(s.Path.Value)
	if err != nil {
		return s.Path.Value // the parser has complained
	}
	return p
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// importNames returns the names that a package with the given import path may
// have: its last element, with the usual ornaments removed.
func importNames(importPath string) []string {
	dir, base := path.Split(importPath)
	if majorVersion.MatchString(base) && dir != "" {
		base = path.Base(dir)
	}
	names := []string{base}
	if i := strings.LastIndex(base, ".v"); i > 0 { // gopkg.in/yaml.v3
		base = base[:i]
		names = append(names, base)
	}
	for _, name := range []string{strings.TrimPrefix(base, "go-"), strings.TrimSuffix(base, "-go"), base[strings.LastIndex(base, "-")+1:]} {
		if name != base {
			names = append(names, name)
		}
	}
	return names
}

// directive returns the word after //ebpf:name in a declaration's doc comment, "" if
// there is none.
func directive(doc *ast.CommentGroup, name string) (arg string, pos token.Pos, ok bool) {
	if doc == nil {
		return "", token.NoPos, false
	}
	for _, c := range doc.List {
		rest, found := strings.CutPrefix(c.Text, "//ebpf:"+name)
		if found && (rest == "" || rest[0] == ' ' || rest[0] == '\t') {
			if arg, _, _ = strings.Cut(strings.TrimSpace(rest), " "); strings.HasPrefix(arg, "//") {
				arg = "" // a comment on the directive
			}
			return arg, c.Pos(), true
		}
	}
	return "", token.NoPos, false
}
