package stdlib

import (
	_ "embed"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// This file reads the table of calls: for each function of the packages that programs may
// import, as far as it neither waits nor reads nor writes files, what calls it with
// the inputs of a generated program (package progen), or the code with which such a
// call is refused.

//go:embed table.txt
var table string

// A Call is a row of the table.
type Call struct {
	Package string // the import path
	Func    string // within the package, as in "Addr.Next"
	// Body is statements that compute out from in, a [6]uint64, whose first three elements are
	// x, y and z, and whose bytes b has; t is text of few different characters.
	Body string
	// Code is that of the diagnostic if the call cannot be compiled, or Grows or Complex.
	Code string
}

// Grows is the code of calls that append beyond the capacity of a slice, which panics.
const Grows = "grows"

// Complex is the code of calls with loops that the verifier of some kernels gives up on.
const Complex = "complex"

var row = regexp.MustCompile(`^([\w.]+)(?: \[(U\d+|grows|complex)\])?: (.*)$`)

// Calls returns the rows of the table.
func Calls() []Call {
	var list []Call
	pkg := ""
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "# "); ok {
			pkg = name
			continue
		}
		if line == "" {
			continue
		}
		m := row.FindStringSubmatch(line)
		if m == nil {
			panic("no row of the table of calls: " + line)
		}
		list = append(list, Call{Package: pkg, Code: m[2], Func: m[1], Body: m[3]})
	}
	return list
}

// others is packages that rows use besides the one whose functions they call.
var others = []string{"cmp", "encoding/binary", "net/netip", "unicode", "unsafe"}

// preludes is declarations that bodies use, by a word that those bodies have. A
// dollar sign stands for what makes names unique.
var preludes = []struct{ word, text string }{
	{"one(", `
func one$(x bool) uint64 {
	if x {
		return 1
	}
	return 0
}
`},
	{"words(", `
func words$(b []byte) (w [4]uint64) {
	for i := range w {
		for j := range 8 {
			w[i] = w[i]<<8 | uint64(b[8*i+j])
		}
	}
	return w
}
`},
	{"addrs(", `
func addrs$(in [6]uint64) (a, c netip.Addr) {
	first := [...]uint8{10, 127, 169, 172, 192, 224, 0, 255, 0xfe, 0xff, 0xfd, 1}
	second := [...]uint8{0, 254, 16, 168, 2, 0x80, 255, 64}
	var p, q [16]byte
	for i := range 8 {
		p[i], p[8+i] = byte(in[2]>>(8*i)), byte(in[3]>>(8*i))
		q[i], q[8+i] = p[i], byte(in[4]>>(8*i))
	}
	if in[0]&1 == 0 {
		p[0], p[1] = first[in[0]>>1%12], second[in[0]>>8&7]
	}
	if in[0]&2 == 0 {
		clear(p[2:15])
	}
	switch in[1] & 3 {
	case 0:
		clear(p[:10])
		p[10], p[11] = 255, 255
	case 1:
		q = p
		q[15]++
	}
	a, c = netip.AddrFrom16(p), netip.AddrFrom16(q)
	if in[1]&4 == 0 {
		a = netip.AddrFrom4([4]byte(p[:4]))
	}
	if in[1]&24 == 0 {
		c = netip.AddrFrom4([4]byte(q[:4]))
	}
	return a, c
}
`},
	{"b[", `
func raw$(in [6]uint64) (b [48]byte) {
	for i := range b {
		b[i] = byte(in[i/8] >> (i % 8 * 8))
	}
	return b
}
`},
	{"t[", `
func text$(in [6]uint64) (t [16]byte) {
	for i := range t {
		t[i] = "ab, aaBb"[in[i%6]>>(i*2)&7]
	}
	return t
}
`},
}

// Source returns a file of package p that declares the function "F_" + suffix, which makes
// the call, and nothing whose name does not end in suffix.
func (c *Call) Source(suffix string) string {
	body := c.Body
	var decls strings.Builder
	set := "x, y, z := in[0], in[1], in[2]\n\t_, _, _ = x, y, z\n"
	for _, p := range preludes {
		at := regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(p.word))
		if !at.MatchString(body) {
			continue
		}
		decls.WriteString(strings.ReplaceAll(p.text, "$", "_"+suffix))
		switch p.word {
		case "b[":
			set += "\tb := raw_" + suffix + "(in)\n"
		case "t[":
			set += "\tt := text_" + suffix + "(in)\n"
		default:
			name := strings.TrimSuffix(p.word, "(")
			body = at.ReplaceAllString(body, "${1}"+name+"_"+suffix+"(")
		}
	}
	text := fmt.Sprintf("%s\nfunc F_%s(in [6]uint64) (out [4]uint64) {\n\t%s\t%s\n\treturn out\n}\n", &decls, suffix, set, body)
	imports := fmt.Sprintf("import %q\n", c.Package)
	for _, other := range others {
		if other != c.Package && regexp.MustCompile(`(^|\W)`+path.Base(other)+`\.`).MatchString(text) {
			imports += fmt.Sprintf("import %q\n", other)
		}
	}
	if !strings.Contains(text, path.Base(c.Package)+".") {
		imports = strings.Replace(imports, "import ", "import _ ", 1)
	}
	return "package p\n\n" + imports + text
}
