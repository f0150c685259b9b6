package jit

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/undergo-ebpf/undergo/lower"
)

// Compile compiles fn, a Go function, and loads it into the running kernel.
//
// fn may be a declared function, a function literal, a method value whose
// receiver is plain data, or an instance of a generic function. Its source is
// read from where the binary was built, or from [WithSource]; if it has changed
// since, Compile says so. Variables of enclosing functions that a literal uses
// become constants of the program, with the values they have now; they must not change, and be
// integers, bools, maps of package ebpf, arrays or structs of them, or pointers to such a struct or
// array. What a pointer points to, as the receiver of a method, is a constant of the program too: it
// uses the maps that are in its fields now, and may read its integers and bools, but not assign
// to it. What cannot be
// compiled with the meaning it has in Go is an error that says why and what to do.
//
// What kind of program fn is, is said by the option [As], by a directive
// //ebpf:section NAME above it, by the type of its parameter, or by its name, in
// this order.
func Compile(fn any, opts ...Option) (*Program, error) {
	c, err := compile(opts, func(f *front) ([]*decl, error) { return f.valueRoots(fn) })
	if err != nil {
		return nil, err
	}
	p := c.list[0]
	p.recompile = func(more []Option) (*Program, error) { return Compile(fn, slices.Concat(opts, more)...) }
	return p, nil
}

// CompileSource compiles Go source text, a file of a package of its own, and
// loads its programs: all functions that have a directive //ebpf:section NAME or
// are called like a tracepoint, as in Syscalls_SysEnterWrite(ctx ebpf.Context) int. The
// name is that of the file in positions.
func CompileSource(name, src string, opts ...Option) (*Collection, error) {
	return compile(opts, func(f *front) ([]*decl, error) { return f.sourceRoots(name, src), nil })
}

// CompilePackage compiles and loads the programs of a package, see
// [CompileSource]. The package is given by its directory, which is read as it
// is, or by its import path, which is looked up in [WithSource] or else needs the go command.
func CompilePackage(pathOrDir string, opts ...Option) (*Collection, error) {
	return compile(opts, func(f *front) ([]*decl, error) { return f.dirRoots(pathOrDir) })
}

// compile is the pipeline: find the functions, understand them, lower them to
// BPF, load them.
func compile(opts []Option, find func(*front) ([]*decl, error)) (_ *Collection, err error) {
	f := newFront(opts)
	defer f.rescue(&err)
	roots, err := find(f)
	if err != nil {
		return nil, err
	}
	sources := f.programs(roots)
	if err := f.diags.Err(); err != nil {
		return nil, err
	}
	target, err := f.target()
	if err != nil {
		return nil, err
	}
	c := &Collection{Programs: make(map[string]*Program)}
	for _, s := range sources {
		p, err := f.lower(s, target)
		if err != nil {
			return nil, err
		}
		c.add(p)
	}
	if err := f.diags.Err(); err != nil {
		return nil, err
	}
	if f.opts.target != nil {
		return c, nil
	}
	if err := c.bindAndLoad(f); err != nil {
		return nil, err
	}
	c.Maps = c.maps.byName
	return c, nil
}

// target returns what to compile for.
func (f *front) target() (lower.Target, error) {
	if f.opts.target != nil {
		return *f.opts.target, nil
	}
	return runningTarget()
}

// dirRoots returns the programs of a package on disk or in the given source.
func (f *front) dirRoots(pathOrDir string) ([]*decl, error) {
	if f.opts.source != nil {
		elems := strings.Split(path.Clean(filepath.ToSlash(pathOrDir)), "/")
		for i := range elems {
			dir := path.Join(elems[i:]...)
			if st, err := fs.Stat(f.opts.source, dir); err == nil && st.IsDir() {
				return f.treeRoots(tree{fsys: f.opts.source, dir: dir, show: dir}), nil
			}
		}
		return nil, fmt.Errorf("no directory in the given file system matches %s", pathOrDir)
	}
	if st, err := os.Stat(pathOrDir); err == nil && st.IsDir() {
		return f.treeRoots(diskTree(pathOrDir)), nil
	}
	return f.importRoots(pathOrDir)
}

func (f *front) treeRoots(t tree) []*decl {
	f.lib.home = &t
	p := newPkg("", "")
	f.readDir(p, t, "")
	return f.packageRoots(p, t.show)
}
