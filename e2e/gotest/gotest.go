// Package gotest reads the programs with which the Go distribution tests itself,
// in GOROOT/test, for tests of the compiler.
//
// Those marked "// run" exit with status 0 and print nothing if all is well. What
// they do otherwise (print, exit, panic) is made a panic by [Programs], since
// a program in the kernel has nothing else: so main ends or panics, and Go's own
// tests have established that it ends.
package gotest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"hash/crc32"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Program is a file of package main.
type Program struct {
	// Name is the path of the file in GOROOT/test.
	Name string
	// Source is its text, with reports of failure replaced by panics.
	Source string
	// Sum tells whether it is the file that a table speaks of.
	Sum string
	// Imports is what is imported besides unsafe.
	Imports []string
}

// Dir returns GOROOT/test of the go command, or an error that wraps fs.ErrNotExist if this
// is an installation without it.
func Dir() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "test")
	_, err = os.Stat(dir)
	return dir, err
}

// Programs returns the programs in dir that import nothing but the given
// packages and unsafe, once they report failures by panics, in the order of their names.
func Programs(dir string, imports []string) ([]Program, error) {
	var list []Program
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".go" {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil || !bytes.HasPrefix(text, []byte("// run\n")) || constrained(text) {
			return err
		}
		if _, err := os.Stat(strings.TrimSuffix(file, ".go") + ".out"); err == nil {
			return nil // prints what is compared
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		p, err := read(filepath.ToSlash(name), text)
		if err != nil {
			return nil // not for this version of the language
		}
		for _, i := range p.Imports {
			if !slices.Contains(imports, i) {
				return nil
			}
		}
		list = append(list, p)
		return nil
	})
	return list, err
}

// constrained reports whether a file is not for all systems.
func constrained(text []byte) bool {
	for line := range bytes.Lines(text) {
		if constraint.IsGoBuild(string(line)) {
			return true
		}
	}
	return false
}

// An edit replaces text.
type edit struct {
	from, to int
	text     string
}

func read(name string, text []byte) (Program, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path.Base(name), text, parser.SkipObjectResolution)
	if err != nil {
		return Program{}, err
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	var edits []edit
	used := make(map[string]bool)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ExprStmt:
			if call, ok := n.X.(*ast.CallExpr); ok && reports(call) {
				edits = append(edits, edit{offset(n.Pos()), offset(n.End()), failure(call)})
				return false
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				used[x.Name] = true
			}
		}
		return true
	})
	p := Program{Name: name, Sum: fmt.Sprintf("%08x", crc32.ChecksumIEEE(text))}
	for _, spec := range f.Imports {
		pkg, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return Program{}, err
		}
		local := path.Base(pkg)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		switch {
		case local == "." || local == "_" || used[local]:
			if pkg != "unsafe" {
				p.Imports = append(p.Imports, pkg)
			}
		default:
			edits = append(edits, edit{offset(spec.Pos()), offset(spec.End()), `_ "unsafe"`})
		}
	}
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out strings.Builder
	at := 0
	for _, e := range edits {
		out.Write(text[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.Write(text[at:])
	p.Source = out.String()
	return p, nil
}

// failure returns statements that stand for call: a panic, and uses of the variables
// that it mentions, which Go demands.
func failure(call *ast.CallExpr) string {
	text := `panic("reported")`
	if fun, ok := call.Fun.(*ast.Ident); ok && fun.Name == "panic" {
		return text
	}
	uses := ""
	for _, arg := range call.Args {
		if id, ok := arg.(*ast.Ident); ok && id.Name != "nil" {
			uses += "; _ = " + id.Name
		}
	}
	if uses == "" {
		return text
	}
	return "{ " + text + uses + " }"
}

// reports reports whether a call tells that a test has failed.
func reports(call *ast.CallExpr) bool {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		if fun.Name == "print" || fun.Name == "println" {
			return true
		}
		return fun.Name == "panic" && len(call.Args) == 1 && formats(call.Args[0])
	case *ast.SelectorExpr:
		pkg, ok := fun.X.(*ast.Ident)
		if !ok {
			return false
		}
		switch pkg.Name {
		case "fmt":
			return strings.HasPrefix(fun.Sel.Name, "Print")
		case "os":
			status, ok := call.Args[0].(*ast.BasicLit)
			return fun.Sel.Name == "Exit" && ok && status.Value != "0"
		case "log":
			return true
		}
	}
	return false
}

// formats reports whether an expression calls package fmt or errors.
func formats(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "fmt" || x.Name == "errors") {
				found = true
			}
		}
		return !found
	})
	return found
}
