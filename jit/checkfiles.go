package jit

import (
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
// Programs are the functions that [CompilePackage] compiles, and those named in sections,
// which maps them to the section name that [As] would give them, or to "".
//
// It needs neither a kernel nor privileges nor the go command.
func CheckFiles(target lower.Target, names []string, read func(name string) ([]byte, error), sections map[string]string) error {
	_, err := compile([]Option{WithTarget(target)}, func(f *front) ([]*decl, error) {
		f.sections, f.checking = sections, true
		return f.fileRoots(names, read)
	})
	return err
}

// fileRoots returns the programs of files on disk.
func (f *front) fileRoots(names []string, read func(string) ([]byte, error)) ([]*decl, error) {
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
	for _, name := range sortedKeys(f.sections) {
		if d := p.decls[name]; d != nil && d.fn != nil && d.fn.Body != nil && !slices.Contains(roots, d) {
			roots = append(roots, d)
		}
	}
	return roots, nil
}
