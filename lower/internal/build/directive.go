package build

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file reads the directives of the ebpf package, of which its documentation
// gives the grammar.

// ebpfPath is the package whose types kernel-side code is written against.
const ebpfPath = "github.com/undergo-ebpf/undergo/ebpf"

// A directive says that a function is not compiled from its body.
type directive struct {
	intrinsic string  // what the compiler implements itself, or ""
	helper    *helper // or nil
	// unavailable says why the function, which the front end has dropped the body
	// of, cannot be compiled, or is "".
	unavailable string
}

// A helperDirective is the fields of an //ebpf:helper line.
type helperDirective struct {
	id      int32
	name    string
	kernel  target.Version
	types   []string
	args    []string
	ret     string
	effects []string
}

// directiveOf returns the directive of f, or nil.
func (b *builder) directiveOf(f *ssa.Function) *directive {
	origin := f
	if o := f.Origin(); o != nil {
		origin = o
	}
	d, ok := b.dirs[origin]
	if !ok {
		d = b.readDirective(origin)
		b.dirs[origin] = d
	}
	return d
}

func (b *builder) readDirective(f *ssa.Function) *directive {
	decl, ok := f.Syntax().(*ast.FuncDecl)
	if !ok || decl.Doc == nil {
		return nil
	}
	for _, c := range decl.Doc.List {
		if name, ok := strings.CutPrefix(c.Text, "//ebpf:intrinsic "); ok {
			return &directive{intrinsic: strings.TrimSpace(name)}
		}
		if why, ok := strings.CutPrefix(c.Text, "//ebpf:unavailable "); ok {
			return &directive{unavailable: why}
		}
		if fields, ok := strings.CutPrefix(c.Text, "//ebpf:helper "); ok {
			if h, ok := parseHelper(fields); ok {
				return &directive{helper: newHelper(h)}
			}
		}
	}
	return nil
}

// isNoInline reports whether the source wants f to remain a function of its own, by the
// directive that gc has for it. It need not be heeded where the verifier lets it not be one.
func isNoInline(f *ssa.Function) bool {
	if o := f.Origin(); o != nil {
		f = o
	}
	decl, ok := f.Syntax().(*ast.FuncDecl)
	return ok && decl.Doc != nil && slices.ContainsFunc(decl.Doc.List, func(c *ast.Comment) bool {
		return strings.TrimSpace(c.Text) == "//go:noinline"
	})
}

// parseHelper parses key=value fields. Keys that it does not know are for others.
func parseHelper(text string) (h helperDirective, ok bool) {
	for _, f := range strings.Fields(text) {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "id":
			id, err := strconv.ParseInt(value, 10, 32)
			if err != nil {
				return h, false
			}
			h.id = int32(id)
		case "name":
			h.name = value
		case "kernel":
			h.kernel = parseVersion(value)
		case "types":
			h.types = strings.Split(value, ",")
		case "args":
			h.args = strings.Split(value, ",")
		case "ret":
			h.ret = value
		case "effects":
			h.effects = strings.Split(value, ",")
		}
	}
	return h, h.id > 0 && h.name != ""
}

func parseVersion(s string) target.Version {
	major, minor, _ := strings.Cut(s, ".")
	var v target.Version
	v.Major, _ = strconv.Atoi(major)
	v.Minor, _ = strconv.Atoi(minor)
	return v
}
