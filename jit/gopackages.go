package jit

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/tools/go/packages"
)

// importRoots returns the programs of a package that the go command finds. This
// is the only place that needs it.
func (f *front) importRoots(importPath string) ([]*decl, error) {
	found, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedFiles}, importPath)
	if err != nil {
		return nil, fmt.Errorf("find package %s: %w", importPath, err)
	}
	if len(found) != 1 || len(found[0].GoFiles) == 0 {
		return nil, fmt.Errorf("find package %s: no such directory, and no such package", importPath)
	}
	home := diskTree(filepath.Dir(found[0].GoFiles[0]))
	f.lib.home = &home
	p := newPkg("", "")
	for _, name := range found[0].GoFiles {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read package %s: %w", importPath, err)
		}
		f.parse(p, name, src)
	}
	return f.packageRoots(p, importPath), nil
}
