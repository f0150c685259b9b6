package build

import (
	"fmt"
	"go/token"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
)

// This file is about packages that are not the user's, see Input.Library.

// isAPI reports whether pkg, which may be nil, is package ebpf.
func isAPI(pkg *ssa.Package) bool { return pkg != nil && pkg.Pkg.Path() == ebpfPath }

// inLibrary reports whether pkg, which may be nil, is one that Input.Library means.
func (b *builder) inLibrary(pkg *ssa.Package) bool {
	return pkg != nil && b.in.Library != nil && b.in.Library(pkg.Pkg.Path())
}

// packageOf returns the package that f is written in.
func packageOf(f *ssa.Function) *ssa.Package {
	for f.Parent() != nil {
		f = f.Parent()
	}
	if o := f.Origin(); o != nil {
		f = o
	}
	return f.Pkg
}

// isWrapper reports whether src has no text of its own, as methods that are promoted from embedded
// fields.
func isWrapper(src *ssa.Function) bool {
	return strings.Contains(src.Synthetic, "wrapper for") || strings.HasPrefix(src.Synthetic, "thunk for")
}

// fail reports an error at pos in the function being built. If that is of a
// library, the error is reported where the user's code calls into it.
func (b *builder) fail(code diag.Code, pos token.Pos, fix, message string) {
	for i := len(b.active) - 1; i >= 0 && isWrapper(b.active[i].src); i-- {
		pos = b.active[i].call
	}
	inner := b.position(pos)
	called := ""
	for i := len(b.active) - 1; i >= 0; i-- {
		src := b.active[i].src
		pkg := packageOf(src)
		if !b.inLibrary(pkg) && !isAPI(pkg) {
			break
		}
		pos = b.active[i].call
		if isAPI(pkg) {
			continue // its functions stand for helpers, which the message names
		}
		if o := src.Origin(); o != nil {
			src = o
		}
		called = src.String()
	}
	if called != "" {
		fix = "do it on the host, or copy what is needed of it into this package"
		message = fmt.Sprintf("call of %s: %s (%s:%d)", called, message, filepath.Base(inner.Filename), inner.Line)
	}
	b.diags.Add(code, b.position(pos), fix, "%s", message)
}
