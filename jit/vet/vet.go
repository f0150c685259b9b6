// Package vet reports what is wrong with kernel-side functions where they are written: in
// editors, in CI and by go vet, without a kernel and without privileges.
//
// [Analyzer] finds the programs of a package and compiles them as package jit does when
// the host runs, for the newest kernel or for one that a flag gives, and
// reports the same diagnostics with the same codes. Its command is undergo-vet:
//
//	go install github.com/undergo-ebpf/undergo/jit/vet/cmd/undergo-vet@latest
//	go vet -vettool=$(which undergo-vet) ./...
//	go vet -vettool=$(which undergo-vet) -undergo.kernel=5.10 ./...
//
// Programs are the functions with a directive //ebpf:section NAME, those that are called like
// a tracepoint, and the declared functions and literals that the package passes to jit.Compile.
// Literals that capture variables are not looked at: the values are known only when the host runs. Nor is
// anything that only a running kernel knows, such as whether a traced function exists.
//
// # What this package may know
//
// vet knows package jit's exported API and golang.org/x/tools/go/analysis. What a program
// may do is none of its business.
package vet

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"slices"

	"golang.org/x/tools/go/analysis"

	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

const (
	ebpfPath = "github.com/undergo-ebpf/undergo/ebpf"
	jitPath  = "github.com/undergo-ebpf/undergo/jit"
)

// Analyzer reports diagnostics of undergo. Its flags kernel and arch are the kernel
// that it checks for.
var Analyzer = newAnalyzer()

// A settings is the flags of an analyzer.
type settings struct {
	kernel, arch string
}

// newest is the kernel that is checked for if no flag says otherwise: it has all that
// the compiler knows of.
const newest = "7.3"

func newAnalyzer() *analysis.Analyzer {
	s := new(settings)
	a := &analysis.Analyzer{
		Name: "undergo",
		Doc:  "check functions that undergo compiles for the kernel\n\nThe diagnostics are those of jit.Compile. Each has a code, which lower/CODES.md explains.",
		URL:  "https://pkg.go.dev/github.com/undergo-ebpf/undergo/jit/vet",
		Run:  s.run,
	}
	a.Flags.StringVar(&s.kernel, "kernel", newest, "release of Linux to check for")
	a.Flags.StringVar(&s.arch, "arch", "amd64", "architecture to check for, in Go's naming")
	return a
}

// target returns what to compile for.
func (s *settings) target() (lower.Target, error) {
	var v lower.Version
	if n, err := fmt.Sscanf(s.kernel, "%d.%d", &v.Major, &v.Minor); n != 2 || err != nil {
		return lower.Target{}, fmt.Errorf("-kernel=%s: want a release of Linux, such as 5.10", s.kernel)
	}
	if !v.AtLeast(lower.MinKernel) {
		return lower.Target{}, fmt.Errorf("-kernel=%s: the oldest is %v", s.kernel, lower.MinKernel)
	}
	return lower.TargetFor(v, s.arch), nil
}

func (s *settings) run(pass *analysis.Pass) (any, error) {
	imports := false
	for _, p := range pass.Pkg.Imports() {
		imports = imports || p.Path() == ebpfPath
	}
	if !imports {
		return nil, nil
	}
	target, err := s.target()
	if err != nil {
		return nil, err
	}
	files := make(map[string]*ast.File)
	var names []string
	for _, f := range pass.Files {
		name := pass.Fset.File(f.FileStart).Name()
		files[name] = f
		names = append(names, name)
	}
	slices.Sort(names)
	var list lower.DiagnosticError
	if err := jit.CheckFiles(target, names, pass.ReadFile, compiled(pass)); err != nil && !errors.As(err, &list) {
		return nil, err
	}
	for _, d := range list {
		report(pass, files[d.Pos.Filename], d)
	}
	return nil, nil
}

// report reports d, which is in file or, if that is nil, in none of the package: then its
// own position is part of the message.
func report(pass *analysis.Pass, file *ast.File, d *lower.Diagnostic) {
	out := analysis.Diagnostic{Pos: pass.Files[0].Name.Pos(), Category: d.Code.String(), Message: d.Error()}
	if file != nil && d.Pos.IsValid() {
		message := *d
		message.Pos = token.Position{}
		tf := pass.Fset.File(file.FileStart)
		out.Pos, out.Message = tf.LineStart(d.Pos.Line)+token.Pos(d.Pos.Column-1), message.Error()
	}
	pass.Report(out)
}
