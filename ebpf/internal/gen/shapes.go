package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
)

// This file reads helpers.txt, the Go signatures and comments of the helpers, and checks
// that the compiler can tell from a signature which register each argument goes to. The rules
// are those of helpershape.go in package build.

// A shape is how a helper looks in Go.
type shape struct {
	name      string // of the function
	signature string
	comment   string // words, in one line
	params    []string
	results   []string
}

var signatureForm = regexp.MustCompile(`^(\w*)(\(.*)$`)

// readShapes returns the shapes of the file at path by helper name.
func readShapes(path string) (map[string]shape, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	shapes := make(map[string]shape)
	for block := range strings.SplitSeq(string(text), "\n\n") {
		var lines []string
		for line := range strings.Lines(block) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		if len(lines) == 0 {
			continue
		}
		name := lines[0]
		if _, dup := shapes[name]; dup {
			return nil, fmt.Errorf("%s: second entry for %s", path, name)
		}
		s, err := parseShape(name, lines[1:])
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, name, err)
		}
		shapes[name] = s
	}
	return shapes, nil
}

func parseShape(helper string, lines []string) (shape, error) {
	if len(lines) < 2 {
		return shape{}, fmt.Errorf("no signature and comment")
	}
	m := signatureForm.FindStringSubmatch(lines[0])
	if m == nil {
		return shape{}, fmt.Errorf("signature %q", lines[0])
	}
	s := shape{name: m[1], signature: m[2], comment: strings.Join(lines[1:], " ")}
	if s.name == "" {
		s.name = goName(helper)
	}
	x, err := parser.ParseExpr("func" + s.signature)
	if err != nil {
		return shape{}, err
	}
	f := x.(*ast.FuncType)
	s.params, s.results = typesOf(f.Params, "func"+s.signature), typesOf(f.Results, "func"+s.signature)
	return s, nil
}

// typesOf returns the types of a list of parameters as they stand in src.
func typesOf(list *ast.FieldList, src string) []string {
	if list == nil {
		return nil
	}
	var types []string
	for _, f := range list.List {
		t := src[f.Type.Pos()-token.Pos(1) : f.Type.End()-token.Pos(1)]
		types = append(types, slices.Repeat([]string{t}, max(1, len(f.Names)))...)
	}
	return types
}

// check reports how the shape of h contradicts the kinds of its arguments and its result.
func (h *helper) check() error {
	args := h.row.args
	explicit := len(h.shape.params) == len(args)
	next, outs := 0, 0
	for i, kind := range args {
		switch {
		case explicit:
		case isSize(kind):
			continue
		case kind == "out=8":
			outs++
			continue
		}
		if next == len(h.shape.params) {
			return fmt.Errorf("helper %s: %d parameters for %d arguments", h.name, next, len(args))
		}
		t := h.shape.params[next]
		next++
		if !fits(t, kind, h.params[i].ctype, explicit) {
			return fmt.Errorf("helper %s: argument %d, %s, is a %s in Go", h.name, i+1, kind, t)
		}
	}
	if next != len(h.shape.params) {
		return fmt.Errorf("helper %s: %d parameters, %d are used", h.name, len(h.shape.params), next)
	}
	return h.checkResults(outs)
}

func (h *helper) checkResults(outs int) error {
	results := h.shape.results
	if len(results) < outs {
		return fmt.Errorf("helper %s: %d results for %d of the arguments", h.name, len(results), outs)
	}
	results = results[outs:]
	switch {
	case h.row.ret == "void" || h.result == "void" && h.row.ret == "scalar":
		if len(results) == 0 {
			return nil
		}
	case h.row.ret != "scalar":
		if len(results) == 1 && (strings.HasPrefix(results[0], "*") || results[0] == "unsafe.Pointer" || results[0] == "uintptr") {
			return nil
		}
	case len(results) == 1:
		if r := results[0]; r == "error" || r == "bool" || isInteger(r) {
			return nil
		}
	case len(results) == 2 && isInteger(results[0]) && results[1] == "error":
		return nil
	}
	return fmt.Errorf("helper %s: results %v of a %s", h.name, h.shape.results, h.row.ret)
}

func isSize(kind string) bool { return kind == "size" || kind == "size0" }

func isInteger(t string) bool {
	return t == "int" || t == "uintptr" || strings.HasPrefix(t, "int") || strings.HasPrefix(t, "uint")
}

// fits reports whether an argument of the given kind and C type can be a t in Go.
func fits(t, kind, ctype string, explicit bool) bool {
	pointer := t == "unsafe.Pointer" || strings.HasPrefix(t, "*")
	name, _, _ := strings.Cut(strings.TrimRight(kind, "?!"), ":")
	switch name {
	case "scalar", "const", "size", "size0":
		if strings.HasSuffix(ctype, "*") {
			return t == "uintptr"
		}
		return t == integers[ctype]
	case "ctx":
		return t == "Context" || t == "Contexter"
	case "map":
		return t == "MapRef"
	case "in", "out", "inout":
		return explicit && pointer || !explicit && (t == "[]byte" || name == "in" && t == "string" || strings.HasPrefix(t, "*"))
	case "str":
		return t == "string"
	case "ctx|sock":
		return t == "any" || t == "unsafe.Pointer"
	case "fn":
		return strings.HasPrefix(t, "func")
	}
	return pointer
}
