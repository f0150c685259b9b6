package jit

import (
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"

	"github.com/undergo-ebpf/undergo/lower"
)

// CheckFiles reports what is wrong with the programs in some files of one package, for
// tools: it compiles them for the target and throws the result away. The
// error is a [lower.DiagnosticError] if the source is at fault; without programs there is none.
// The files are read with read, in which their names are paths on disk; other packages
// of their module, and those that it requires, are read from disk.
//
// Programs are the functions that [CompilePackage] compiles, and the given ones. Literals that
// capture variables are left out: the values are known when the host runs.
//
// It needs neither a kernel nor privileges nor the go command.
func CheckFiles(target lower.Target, names []string, read func(name string) ([]byte, error), given []CheckFunc) error {
	_, err := compile([]Option{WithTarget(target)}, func(f *front) ([]*decl, error) {
		f.sections, f.checking = make(map[string]string), true
		return f.fileRoots(names, read, given)
	})
	return err
}

// A CheckFunc is a function that [Compile] compiles: a declared one or a literal.
type CheckFunc struct {
	// Name is that of a declared function.
	Name string
	// Literal is the position of a literal's func keyword.
	Literal token.Position
	// Section is the section name that [As] gives it, or "".
	Section string
}

// fileRoots returns the programs of files on disk.
func (f *front) fileRoots(names []string, read func(string) ([]byte, error), given []CheckFunc) ([]*decl, error) {
	if len(names) == 0 {
		return nil, nil
	}
	home := diskTree(filepath.Dir(names[0]))
	f.lib.home = &home
	p := newPkg("", "")
	for _, name := range names {
		src, err := read(name)
		if err != nil {
			return nil, err
		}
		f.parse(p, name, src)
	}
	roots := programsOf(p)
	for _, g := range given {
		d := p.decls[g.Name]
		if g.Literal.IsValid() {
			d = f.literalDecl(p, g.Literal)
		}
		if d == nil || d.fn == nil || d.fn.Body == nil || f.sections[d.fn.Name.Name] != "" {
			continue
		}
		f.sections[d.fn.Name.Name] = g.Section
		if !slices.Contains(roots, d) {
			roots = append(roots, d)
		}
	}
	return roots, nil
}

// isAt reports whether n begins at pos.
func (f *front) isAt(n ast.Node, pos token.Position) bool {
	at := f.fset.Position(n.Pos())
	return at.Filename == pos.Filename && at.Line == pos.Line && at.Column == pos.Column
}

// literalDecl makes a declaration of the literal at pos, or returns nil if there is none
// or it captures variables.
func (f *front) literalDecl(p *pkg, pos token.Position) *decl {
	for _, file := range p.files {
		for _, syntax := range file.syntax.Decls {
			var found *ast.FuncLit
			ast.Inspect(syntax, func(n ast.Node) bool {
				if lit, ok := n.(*ast.FuncLit); ok && f.isAt(lit, pos) {
					found = lit
				}
				return found == nil
			})
			if found == nil {
				continue
			}
			outer, _ := syntax.(*ast.FuncDecl)
			l := newLifter(f, nil, file, literal{lit: found, decl: syntax, outer: outer})
			names, vars, ok := l.outside(found)
			if !ok || len(vars) > 0 {
				return nil
			}
			return l.declaration(fmt.Sprintf("func literal in line %d", pos.Line), names, nil)
		}
	}
	return nil
}
