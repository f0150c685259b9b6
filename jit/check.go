package jit

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/token"
	"go/types"
	"strings"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file type-checks pruned packages in memory: no go command, no export
// data, no GOROOT.

// A checker type-checks the packages of one reach. It is the types.Importer of
// their imports.
type checker struct {
	f    *front
	r    *reach
	diag bool // report errors
	// errors is where the errors are, but for those that leave the rest of the
	// source what it is.
	errors []token.Pos

	pkgs  map[string]*checked
	order []*checked // imported packages before those that import them
}

// A checked is a type-checked package.
type checked struct {
	types *types.Package
	files []*ast.File
	info  *types.Info
}

func newInfo() *types.Info {
	return &types.Info{
		Types:        make(map[ast.Expr]types.TypeAndValue),
		Instances:    make(map[*ast.Ident]types.Instance),
		Defs:         make(map[*ast.Ident]types.Object),
		Uses:         make(map[*ast.Ident]types.Object),
		Implicits:    make(map[ast.Node]types.Object),
		Selections:   make(map[*ast.SelectorExpr]*types.Selection),
		Scopes:       make(map[ast.Node]*types.Scope),
		FileVersions: make(map[*ast.File]string),
	}
}

// check type-checks p and what it imports.
func (c *checker) check(p *pkg) *checked {
	files := c.r.prune(p)
	if len(files) == 0 { // nothing of it is needed
		files = []*ast.File{{Name: ast.NewIdent(p.name)}}
	}
	k := &checked{files: files, info: newInfo()}
	conf := types.Config{
		GoVersion: goVersion,
		Sizes:     sizes,
		Importer:  c,
		Error:     c.error,
	}
	path := p.path
	if path == "" {
		path = p.name
	}
	k.types, _ = conf.Check(path, c.f.fset, files, k.info)
	c.order = append(c.order, k)
	return k
}

// goVersion is the language version. Who imports this module has one that is no
// older than the module's; the toolchain's newest is right for all newer ones,
// because it accepted the source. A //go:build line can still lower it for a file.
var goVersion = build.Default.ReleaseTags[len(build.Default.ReleaseTags)-1]

// Import returns an imported package.
func (c *checker) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if k := c.pkgs[path]; k != nil {
		return k.types, nil
	}
	if isHostOnly(path) {
		return nil, errNoImport
	}
	p := c.r.lib.find(path)
	if p == nil {
		return nil, errNoImport
	}
	k := c.check(p)
	if c.pkgs == nil {
		c.pkgs = make(map[string]*checked)
	}
	c.pkgs[path] = k
	return k.types, nil
}

// errNoImport makes the type checker take an import for a package that has
// whatever is selected from it. Its use has been reported.
var errNoImport = errors.New("not available in kernel-side functions")

// error takes an error from the type checker.
func (c *checker) error(err error) {
	var te types.Error
	isTypes := errors.As(err, &te)
	if isTypes && !te.Soft {
		c.errors = append(c.errors, te.Pos)
	}
	if !c.diag {
		return
	}
	if !isTypes {
		c.f.diags.Add(lower.TypeError, token.Position{}, "", "%v", err)
		return
	}
	// A message that starts with a tab explains the one before it.
	if strings.HasPrefix(te.Msg, "\t") || c.r.refused[te.Pos] || strings.Contains(te.Msg, errNoImport.Error()) {
		return
	}
	if msg, fix, ok := hostOnlyMethod(te.Msg); ok {
		c.f.diags.Add(lower.HostOnly, c.f.fset.Position(te.Pos), fix, "%s", msg)
		return
	}
	c.f.diags.Add(lower.TypeError, c.f.fset.Position(te.Pos), "", "%s", te.Msg)
}

// checkProgram type-checks all that the roots need and reports errors. The result is
// nil if that would take too long.
func (f *front) checkProgram(p *pkg, roots []*decl) (*checker, *checked) {
	r := newReach(f.lib, &f.diags, f.fset.Position)
	r.live = f.value != nil || f.checking
	r.hosts, r.home = f.hostTypes(), p
	for _, d := range roots {
		r.need(d, full, use{})
	}
	r.run()
	r.given = make(map[string]bool)
	for name := range f.opts.consts {
		r.given[name] = true
	}
	r.needInits()
	c := &checker{f: f, r: r, diag: true}
	if !r.withinBounds(append(f.lib.userPackages(), p)) {
		return c, nil
	}
	return c, c.check(p)
}

// checkLeniently type-checks d, a declaration of the user's package, with only
// the signatures of what the given parts of it refer to, and ignores errors.
func (f *front) checkLeniently(r *reach, d *decl, parts []ast.Node) *types.Info {
	r.marks[d] = full
	r.followSignatures(d, parts)
	r.run()
	c := &checker{f: f, r: r}
	return c.check(d.file.pkg).info
}

// typeOf returns the type that name has at package level in file.
func (f *front) typeOf(file *file, name string) (types.Type, error) {
	d := f.lookupDecl(file, name)
	if d == nil {
		return nil, fmt.Errorf("%s is not declared", name)
	}
	r := newReach(f.lib, nil, f.fset.Position)
	r.live, r.hosts, r.home = f.value != nil, map[string]bool{name: true}, file.pkg
	r.need(d, signature, use{})
	r.run()
	c := &checker{f: f, r: r}
	obj := c.check(file.pkg).types.Scope().Lookup(name)
	if obj == nil || !valid(obj.Type()) {
		return nil, fmt.Errorf("the type of %s cannot be determined without the packages it depends on", name)
	}
	return obj.Type(), nil
}

// typeSyntax returns how file writes the type t.
func (f *front) typeSyntax(file *file, t types.Type) (ast.Expr, error) {
	switch t := t.(type) {
	case *types.Basic:
		return ast.NewIdent(t.Name()), nil
	case *types.Array:
		elem, err := f.typeSyntax(file, t.Elem())
		return &ast.ArrayType{Len: intLit(uint64(t.Len())), Elt: elem}, err
	case *types.Pointer:
		elem, err := f.typeSyntax(file, t.Elem())
		return &ast.StarExpr{X: elem}, err
	case *types.Alias:
		return f.nameSyntax(file, t.Obj(), t.TypeArgs())
	case *types.Named:
		return f.nameSyntax(file, t.Obj(), t.TypeArgs())
	}
	return nil, fmt.Errorf("its type %s has no name", t)
}

// instanceSyntax returns how file writes the instance of a generic type.
func (f *front) instanceSyntax(file *file, obj *types.TypeName, args *types.TypeList) (ast.Expr, error) {
	generic, err := f.nameSyntax(file, obj, nil)
	if err != nil {
		return nil, err
	}
	x := &ast.IndexListExpr{X: generic}
	for t := range args.Types() {
		arg, err := f.typeSyntax(file, t)
		if err != nil {
			return nil, err
		}
		x.Indices = append(x.Indices, arg)
	}
	return x, nil
}

func (f *front) nameSyntax(file *file, obj *types.TypeName, args *types.TypeList) (ast.Expr, error) {
	name := ast.NewIdent(obj.Name())
	switch {
	case args.Len() > 0:
		return f.instanceSyntax(file, obj, args)
	case obj.Pkg() == nil:
		return name, nil
	case obj.Parent() != obj.Pkg().Scope():
		return nil, fmt.Errorf("its type %s is declared in a function", obj.Name())
	case f.lib.find(obj.Pkg().Path()) == nil:
		return name, nil
	}
	for _, local := range sortedKeys(file.imports) {
		if importPath(file.imports[local]) == obj.Pkg().Path() {
			return &ast.SelectorExpr{X: ast.NewIdent(local), Sel: name}, nil
		}
	}
	return nil, fmt.Errorf("its type %s is of a package that the function's file does not import", obj.Name())
}
