package jit

import (
	"errors"
	"fmt"
	"go/build"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file reads a package's source.

// A tree is a directory with the source files of one package.
type tree struct {
	fsys fs.FS
	dir  string // in fsys
	show string // how positions name the directory
	disk bool
}

// diskTree returns the tree of a directory on disk.
func diskTree(dir string) tree {
	return tree{fsys: os.DirFS(dir), dir: ".", show: dir, disk: true}
}

// findIn returns the tree in fsys that holds the file with the given name, and
// the name within the tree. The name is the one that the Go linker recorded: an
// absolute path, or one that starts with an import path if the binary was built
// with -trimpath. Where fsys has its root is not known, so that the longest
// suffix that it has is taken.
func findIn(fsys fs.FS, name string) (tree, string, bool) {
	elems := strings.Split(strings.TrimPrefix(filepath.ToSlash(name), "/"), "/")
	for i := range elems {
		p := strings.Join(elems[i:], "/")
		if st, err := fs.Stat(fsys, p); err == nil && st.Mode().IsRegular() {
			return tree{fsys: fsys, dir: path.Dir(p), show: path.Dir(p)}, path.Base(p), true
		}
	}
	return tree{}, "", false
}

// sub returns the tree of a directory below t.
func (t tree) sub(dir string) tree {
	if t.disk {
		return diskTree(filepath.Join(t.show, filepath.FromSlash(dir)))
	}
	dir = path.Join(t.dir, dir)
	return tree{fsys: t.fsys, dir: dir, show: dir}
}

// parent returns the tree of the directory that t is in.
func (t tree) parent() (tree, bool) {
	if t.disk {
		dir := filepath.Dir(t.show)
		return diskTree(dir), dir != t.show
	}
	dir := path.Dir(t.dir)
	return tree{fsys: t.fsys, dir: dir, show: dir}, dir != t.dir
}

func (t tree) path(base string) string { return path.Join(t.dir, base) }

// name returns what positions call the file.
func (t tree) name(base string) string {
	if t.disk {
		return filepath.Join(t.show, base)
	}
	return path.Join(t.show, base)
}

// sourceTree finds the file that the binary says a function is from.
func sourceTree(opts *options, name string) (tree, string, error) {
	if opts.source != nil {
		t, base, ok := findIn(opts.source, name)
		if !ok {
			return tree{}, "", fmt.Errorf("no file in the given file system matches %s; embed the source files of the package, as in //go:embed *.go", name)
		}
		return t, base, nil
	}
	if !filepath.IsAbs(name) {
		return tree{}, "", fmt.Errorf("the binary was built with -trimpath and says only %s; give the source with jit.WithSource, as an embed.FS or os.DirFS", name)
	}
	if _, err := os.Stat(name); err != nil {
		return tree{}, "", fmt.Errorf("%w; give the source with jit.WithSource, for instance from an embed.FS", err)
	}
	return diskTree(filepath.Dir(name)), filepath.Base(name), nil
}

// readFile parses one file of the tree into p.
func (f *front) readFile(p *pkg, t tree, base string) *file {
	src, err := fs.ReadFile(t.fsys, t.path(base))
	if err != nil {
		f.diags.Add(lower.SourceMissing, token.Position{Filename: t.name(base)}, "", "cannot read source: %v", err)
		return nil
	}
	return f.parse(p, t.name(base), src)
}

// parse parses a file into p, or reports its syntax errors and returns nil.
func (f *front) parse(p *pkg, name string, src []byte) *file {
	f.texts[name] = src
	syntax, err := parser.ParseFile(f.fset, name, src, parseMode)
	if err != nil {
		f.syntaxErrors(name, err)
		return nil
	}
	if p.name == "" {
		p.name = syntax.Name.Name
	}
	return p.add(name, syntax)
}

func (f *front) syntaxErrors(name string, err error) {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		f.diags.Add(lower.SyntaxError, token.Position{Filename: name}, "", "%v", err)
		return
	}
	for _, e := range list {
		f.diags.Add(lower.SyntaxError, e.Pos, "", "%s", e.Msg)
	}
}

// openPackage starts reading the package of a file: that file now, the others
// when they are needed.
func (f *front) openPackage(t tree, base string) (*pkg, *file) {
	f.lib.home = &t
	p := newPkg("", "")
	first := f.readFile(p, t, base)
	if first == nil {
		return nil, nil
	}
	p.rest = func() []*file { return f.readDir(p, t, base) }
	return p, first
}

// readDir parses the files of p's directory that belong to the package in this
// build, except the named one.
func (f *front) readDir(p *pkg, t tree, except string) []*file {
	entries, err := fs.ReadDir(t.fsys, t.dir)
	if err != nil {
		f.diags.Add(lower.SourceMissing, token.Position{Filename: t.show}, "", "cannot read source: %v", err)
		return nil
	}
	ctxt := buildContext()
	if p.tree != nil { // imported: choose Go over assembly where there is a choice
		ctxt.CgoEnabled = false
		ctxt.BuildTags = append(ctxt.BuildTags, "purego", "noasm")
	}
	ctxt.OpenFile = func(name string) (io.ReadCloser, error) { return t.fsys.Open(filepath.ToSlash(name)) }
	tests := strings.HasSuffix(except, "_test.go")
	var files []*file
	for _, e := range entries {
		base := e.Name()
		if e.IsDir() || base == except || !strings.HasSuffix(base, ".go") || !tests && strings.HasSuffix(base, "_test.go") {
			continue
		}
		if match, err := ctxt.MatchFile(t.dir, base); err != nil || !match {
			continue
		}
		src, err := fs.ReadFile(t.fsys, t.path(base))
		if err != nil {
			f.diags.Add(lower.SourceMissing, token.Position{Filename: t.name(base)}, "", "cannot read source: %v", err)
			continue
		}
		if p.name != "" && packageName(src) != p.name {
			continue // an external test package, or a stray file
		}
		if file := f.parse(p, t.name(base), src); file != nil {
			files = append(files, file)
		}
	}
	return files
}

// packageName returns the name in a file's package clause, or "".
func packageName(src []byte) string {
	syntax, err := parser.ParseFile(token.NewFileSet(), "", src, parser.PackageClauseOnly)
	if err != nil {
		return ""
	}
	return syntax.Name.Name
}

// buildSettings is the build constraints that this binary was built under, as
// far as the binary tells.
var buildSettings = sync.OnceValue(func() build.Context {
	ctxt := build.Default
	ctxt.GOROOT, ctxt.GOPATH, ctxt.Dir = "", "", ""
	ctxt.BuildTags = nil
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ctxt
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "-tags":
			ctxt.BuildTags = append(ctxt.BuildTags, strings.Split(s.Value, ",")...)
		case "-race", "-msan", "-asan":
			if s.Value == "true" {
				ctxt.BuildTags = append(ctxt.BuildTags, s.Key[1:])
			}
		case "CGO_ENABLED":
			ctxt.CgoEnabled = s.Value == "1"
		}
	}
	return ctxt
})

func buildContext() *build.Context {
	ctxt := buildSettings()
	ctxt.BuildTags = slices.Clone(ctxt.BuildTags)
	ctxt.JoinPath = path.Join
	return &ctxt
}

// checkAges is checkAge for all files of the user's packages.
func (f *front) checkAges(c *checker) {
	for _, k := range c.order {
		for _, file := range k.files {
			if file.FileStart >= userBase {
				f.checkAge(f.fset.File(file.FileStart).Name())
			}
		}
	}
}

// checkAge refuses a file on disk that is newer than the running binary: what
// it says is not what the host was compiled from.
func (f *front) checkAge(name string) {
	st, err := os.Stat(name)
	if err != nil {
		return
	}
	if built := builtAt(); !built.IsZero() && st.ModTime().After(built) {
		f.diags.Add(lower.SourceChanged, token.Position{Filename: name}, staleFix,
			"source changed since this binary was built (%s, after %s)",
			st.ModTime().Format(time.DateTime), built.Format(time.DateTime))
	}
}

const staleFix = "build the binary again, or give the source it was built from with jit.WithSource"

// builtAt returns the time at which the running binary is known to have agreed
// with its source, or zero if that is unknown. That is its modification time;
// but go run and go test may take a binary from the build cache, after they have
// compared the contents of its source, so for those it is the start of the process.
var builtAt = sync.OnceValue(func() time.Time {
	exe, err := os.Executable()
	if err != nil {
		return time.Time{}
	}
	if strings.Contains(filepath.ToSlash(exe), "/go-build") {
		return started
	}
	st, err := os.Stat(exe)
	if err != nil {
		return time.Time{}
	}
	return st.ModTime()
})

// started is when the process started, nearly.
var started = time.Now()
