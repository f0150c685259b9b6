package jit

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// This file finds the packages that kernel-side code imports, without the go
// command.
//
// Packages of the library come first. All others belong to a module: that of the
// importing file, whose root is the nearest directory above it that has a go.mod,
// or one that this module requires, whose source is in the module's vendor
// directory or in the module cache. The version is the one that this binary was
// built with, because that is what the host computes with; a module that is not part
// of the binary is taken in the version that go.mod requires.
//
// A file system given with WithSource may have its root anywhere and need not hold
// a go.mod, so that there a package of the main module is also found by the longest
// suffix of its import path that is a directory with Go files.

// An importer finds the packages that one compilation imports.
type importer struct {
	f    *front
	pkgs map[string]*pkg  // by import path; nil for one that cannot be found
	errs map[string]error // why, if there is more to say
	home *tree            // of the user's package; nil for source text
	mod  *mod             // of home, once asked for
}

// A mod is the module of the user's package.
type mod struct {
	path string
	root tree // fsys is nil if the module's root is not known
	file *modfile.File
}

func newImporter(f *front) *importer {
	return &importer{f: f, pkgs: make(map[string]*pkg), errs: make(map[string]error)}
}

// find returns the package with the given import path, or nil if there is no
// source of it.
func (m *importer) find(importPath string) *pkg {
	p, ok := m.pkgs[importPath]
	if !ok {
		if p = m.findLibrary(importPath); p == nil {
			p = m.findModule(importPath)
		}
		m.pkgs[importPath] = p
	}
	return p
}

// userPackages returns the packages found that are not of the library, in the order of
// their paths.
func (m *importer) userPackages() []*pkg {
	var list []*pkg
	for _, path := range sortedKeys(m.pkgs) {
		if p := m.pkgs[path]; p != nil && !p.library {
			list = append(list, p)
		}
	}
	return list
}

// findLibrary finds a package of the library.
func (m *importer) findLibrary(importPath string) *pkg {
	if importPath != ebpfPath && !isStd(importPath) {
		return nil
	}
	p, err := kernelLibrary.find(importPath)
	if p == nil {
		m.errs[importPath] = err
		return nil
	}
	m.f.fset.AddExistingFiles(p.tokens...)
	return p
}

// findModule finds a package of a module.
func (m *importer) findModule(importPath string) *pkg {
	for _, t := range m.candidates(importPath) {
		if names, err := fs.Glob(t.fsys, t.path("*.go")); err != nil || len(names) == 0 {
			continue
		}
		p := newPkg(importPath, "")
		p.tree = &t
		m.f.readDir(p, t, "")
		return p
	}
	return nil
}

// candidates returns the directories that importPath may be in, best first.
func (m *importer) candidates(importPath string) []tree {
	if m.home == nil {
		return nil
	}
	var found []tree
	mod := m.module()
	if rest, ok := inModule(mod.path, importPath); ok && mod.root.fsys != nil {
		return []tree{mod.root.sub(rest)}
	}
	if mod.root.fsys != nil {
		found = append(found, mod.root.sub(path.Join("vendor", importPath)))
	}
	if !m.home.disk {
		if m.inMain(importPath) {
			for elems := strings.Split(importPath, "/"); len(elems) > 0; elems = elems[1:] {
				dir := path.Join(elems...)
				found = append(found, tree{fsys: m.home.fsys, dir: dir, show: dir})
			}
		}
		return found
	}
	if t, ok := m.required(importPath); ok {
		found = append(found, t)
	}
	return found
}

// inModule returns the directory in the module with the given path that a package
// is in.
func inModule(modPath, importPath string) (dir string, ok bool) {
	if modPath == "" {
		return "", false
	}
	if importPath == modPath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modPath+"/")
}

// inMain reports whether a package belongs to the user's module.
func (m *importer) inMain(importPath string) bool {
	if m.home == nil {
		return false
	}
	_, ok := inModule(m.module().path, importPath)
	return ok
}

// module returns the module of the user's package.
func (m *importer) module() *mod {
	if m.mod != nil {
		return m.mod
	}
	m.mod = new(mod)
	if info, ok := debug.ReadBuildInfo(); ok {
		m.mod.path = info.Main.Path
	}
	t := *m.home
	if abs, err := filepath.Abs(t.show); err == nil && t.disk {
		t = diskTree(abs)
	}
	for {
		src, err := fs.ReadFile(t.fsys, t.path("go.mod"))
		if err == nil {
			m.mod.path, m.mod.root = modfile.ModulePath(src), t
			m.mod.file, _ = modfile.Parse("go.mod", src, nil)
			return m.mod
		}
		up, ok := t.parent()
		if !ok {
			return m.mod
		}
		t = up
	}
}

// required returns the directory of a package of a module that the user's module
// requires.
func (m *importer) required(importPath string) (tree, bool) {
	best, version := "", ""
	consider := func(modPath, v string) {
		if _, ok := inModule(modPath, importPath); ok && len(modPath) > len(best) {
			best, version = modPath, v
		}
	}
	info, _ := debug.ReadBuildInfo()
	if info != nil {
		for _, dep := range info.Deps {
			consider(dep.Path, dep.Version)
		}
	}
	if best == "" && m.mod.file != nil {
		for _, r := range m.mod.file.Require {
			consider(r.Mod.Path, r.Mod.Version)
		}
	}
	if best == "" {
		return tree{}, false
	}
	rest, _ := inModule(best, importPath)
	if m.mod.file != nil {
		for _, r := range m.mod.file.Replace {
			if r.Old.Path != best || r.Old.Version != "" && r.Old.Version != version {
				continue
			}
			if r.New.Version == "" {
				dir := r.New.Path
				if !filepath.IsAbs(dir) {
					dir = filepath.Join(m.mod.root.show, dir)
				}
				return diskTree(filepath.Join(dir, rest)), true
			}
			best, version = r.New.Path, r.New.Version
		}
	}
	escapedPath, err1 := module.EscapePath(best)
	escapedVersion, err2 := module.EscapeVersion(version)
	if err1 != nil || err2 != nil {
		return tree{}, false
	}
	return diskTree(filepath.Join(moduleCache(), escapedPath+"@"+escapedVersion, rest)), true
}

// moduleCache returns the directory of the module cache.
func moduleCache() string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	gopath := filepath.SplitList(os.Getenv("GOPATH"))
	if len(gopath) > 0 && gopath[0] != "" {
		return filepath.Join(gopath[0], "pkg", "mod")
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, "go", "pkg", "mod")
}
