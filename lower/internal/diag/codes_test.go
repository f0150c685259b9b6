package diag

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write lower/CODES.md")

// A documented is a code of codes.go.
type documented struct {
	name, code, doc string
}

func codes(t *testing.T) (list []documented) {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, s := range gen.Specs {
			v := s.(*ast.ValueSpec)
			name, doc := v.Names[0].Name, v.Doc.Text()
			doc, ok := strings.CutPrefix(doc, name+": ")
			if !ok {
				t.Errorf("the comment of %s does not begin with its name and a colon", name)
			}
			list = append(list, documented{name, "U" + v.Values[0].(*ast.BasicLit).Value, doc})
		}
	}
	return list
}

// TestCodesDocument compares lower/CODES.md with the comments in codes.go. With -update
// it writes the file.
func TestCodesDocument(t *testing.T) {
	const name = "../../CODES.md"
	var b strings.Builder
	b.WriteString("# Diagnostics\n\nEvery error in the source of a program has one of these codes. They never change.\n" +
		"This page is made from `internal/diag/codes.go` by `go test ./lower/internal/diag -update`.\n")
	last := ""
	for _, c := range codes(t) {
		if c.code <= last {
			t.Errorf("%s is not above %s, the code before it", c.code, last)
		}
		last = c.code
		text, example, ok := strings.Cut(c.doc, "\n\nExample: ")
		if !ok {
			t.Errorf("%s has no example", c.name)
		}
		fmt.Fprintf(&b, "\n## %s %s\n\n%s\n\nExample: `%s`\n", c.code, c.name, strings.ToUpper(text[:1])+text[1:], strings.TrimSpace(strings.ReplaceAll(example, "\n", " ")))
	}
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is out of date: go test ./lower/internal/diag -update", name)
	}
}

// TestCodesUsed checks that each code is exported by package lower, used by the compiler
// or a front end, and expected by a test: by its name, or as U and its number.
func TestCodesUsed(t *testing.T) {
	mention := regexp.MustCompile(`\b(?:diag|lower)\.([A-Z]\w+)|\bU[1-6][0-9][0-9]\b`)
	used, tested := make(map[string]bool), make(map[string]bool)
	for _, root := range []string{"../../../lower", "../../../jit"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			path = filepath.ToSlash(path)
			inTests := strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/testdata/")
			switch {
			case d.IsDir() && (d.Name() == "fuzz" || d.Name() == "std" || d.Name() == "diag"):
				return filepath.SkipDir
			case d.IsDir(), !inTests && !strings.HasSuffix(path, ".go"), path == root+"/codes.go":
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			in := used
			if inTests {
				in = tested
			}
			for _, m := range mention.FindAllStringSubmatch(string(text), -1) {
				in[m[0]] = true
				in[m[1]] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	exported, err := os.ReadFile("../../codes.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range codes(t) {
		if !used[c.name] {
			t.Errorf("%s is not used", c.name)
		}
		if !strings.Contains(string(exported), "= diag."+c.name+"\n") {
			t.Errorf("%s is not in lower/codes.go", c.name)
		}
		if !tested[c.name] && !tested[c.code] {
			t.Errorf("no test expects %s, %s", c.code, c.name)
		}
	}
}
