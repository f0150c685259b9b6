package build

import (
	"fmt"
	"go/constant"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file translates a format of package fmt to one of the kernel's, such that
// the kernel prints what fmt.Printf would.
//
// Constants are formatted here, by package fmt, and become part of the text. For
// the rest the kernel has less than fmt: see bpf_bprintf_prepare in
// kernel/bpf/helpers.c, and bpf_trace_printk in kernel/trace/bpf_trace.c of
// Linux 5.10 for what kernels without the PrintkFull feature take: %d %u %x
// with l and ll, %p, one %s, no widths, no %%.

// A formatter translates the format of one call.
type formatter struct {
	fn      *function
	args    []printkArg
	next    int // argument
	text    strings.Builder
	out     []*ir.Value
	strings int  // number of %s so far
	afterS  bool // the text so far ends in a %s
}

// A verb is a conversion of the format.
type verb struct {
	spec  string // as written
	flags string
	width string
	char  byte
}

func (f *formatter) fail(fix, format string, args ...any) bool {
	f.fn.fail(diag.FormatMismatch, fix, "Printk format: "+format, args...)
	return false
}

// translate translates the whole format. The kernel ends each message with a
// line break, so that one at the end of the format is dropped.
func (f *formatter) translate(format string) bool {
	rest := strings.TrimSuffix(format, "\n")
	ok := true
	for rest != "" {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			i = len(rest)
		}
		ok = f.literal(rest[:i]) && ok
		rest = rest[i:]
		if rest == "" {
			break
		}
		v, n := parseVerb(rest)
		rest = rest[n:]
		ok = f.verb(v) && ok
	}
	if f.next < len(f.args) && ok {
		ok = f.fail("add a verb for it, or leave it out", "argument %d is not used", f.next+1)
	}
	return ok
}

// parseVerb parses the conversion that s starts with and returns its length.
func parseVerb(s string) (verb, int) {
	i := 1
	for i < len(s) && strings.IndexByte("+-# 0", s[i]) >= 0 {
		i++
	}
	v := verb{flags: s[1:i]}
	start := i
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' || s[i] == '*' || s[i] == '[' || s[i] == ']') {
		i++
	}
	v.width = s[start:i]
	if i < len(s) {
		v.char = s[i]
		i++
	}
	v.spec = s[:i]
	return v, i
}

// literal appends text that stands for itself.
func (f *formatter) literal(s string) bool {
	if s == "" {
		return true
	}
	if !printable(s) {
		return f.fail("use ASCII", "the kernel does not print %q", s)
	}
	if f.afterS && isAlnum(s[0]) {
		return f.fail("put a space or a punctuation mark between them", "the kernel wants no letter or digit right after %%s, as in %%s%c", s[0])
	}
	f.afterS = false
	if strings.Contains(s, "%") {
		if !f.needFull("a percent sign") {
			return false
		}
		s = strings.ReplaceAll(s, "%", "%%")
	}
	f.text.WriteString(s)
	return true
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// needFull reports an error if the target has only the basic syntax.
func (f *formatter) needFull(what string) bool {
	if f.fn.b.target.Has(target.PrintkFull) {
		return true
	}
	f.fn.fail(diag.FeatureMissing, "use %d, %x and one %s, without widths", "Printk format: %s needs Linux %s, and the program is compiled for %s",
		what, target.PrintkFull.MinKernel(), f.fn.b.target.Kernel)
	return false
}

// verb translates one conversion.
func (f *formatter) verb(v verb) bool {
	switch {
	case v.char == 0:
		return f.fail("write %% for a percent sign", "%q is not a verb", v.spec)
	case v.char == '%':
		return f.literal("%")
	case strings.ContainsAny(v.width, "*[]."):
		return f.fail("write a constant width, and cut strings before", "the kernel has no %s", v.spec)
	case f.next >= len(f.args):
		return f.fail("add the argument", "%s reads argument %d, and there are %d", v.spec, f.next+1, len(f.args))
	}
	a := f.args[f.next]
	f.next++
	if a.op.isBad() {
		return false
	}
	if a.typ == nil {
		return f.fail("convert it to a concrete type", "type of argument %d is not known when compiling", f.next)
	}
	if handled, ok := f.special(v, a); handled {
		return ok
	}
	if m := hasPrintMethod(a.typ); m != "" && strings.IndexByte("vsqxX", v.char) >= 0 {
		return f.fail("convert it to its underlying type", "%s would call method %s of argument %d, of type %s", v.spec, m, f.next, a.typ)
	}
	if s, ok := formatConst(v, a.src); ok {
		if strings.Contains(s, "%!") {
			return f.mismatch(v, a)
		}
		return f.literal(s)
	}
	return f.dynamic(v, a)
}

// special translates a conversion of what is no value of Go's at run time. It returns false if
// a is not of that kind.
func (f *formatter) special(v verb, a printkArg) (handled, ok bool) {
	switch {
	case a.typ == nilType:
		if s := fmt.Sprintf(v.spec, nil); !strings.Contains(s, "%!") {
			return true, f.literal(s)
		}
		return true, f.fail("use %v", "%s does not fit argument %d, which is nil", v.spec, f.next)
	case a.typ == recoveredType, a.typ == runtimeErrorType:
		return true, f.fail("print a text instead; the host reads which line panicked", "argument %d is what recover returns, whose text the kernel does not have", f.next)
	case a.typ == errnoType && strings.IndexByte("vsqxX", v.char) >= 0:
		return true, f.fail("print its number with %d", "%s prints the text of argument %d, an error, which the kernel does not have", v.spec, f.next)
	case isMapPointer(a.typ):
		return true, f.fail("write its name into the format", "argument %d is a map, which has no address in the kernel", f.next)
	}
	return false, false
}

// formatConst formats a if it is a constant.
func formatConst(v verb, a ssa.Value) (string, bool) {
	c, ok := a.(*ssa.Const)
	if !ok || c.Value == nil && !isString(c.Type()) {
		return "", false
	}
	if s, ok := constString(c); ok {
		return fmt.Sprintf(v.spec, s), true
	}
	if c.Value.Kind() == constant.Bool {
		return fmt.Sprintf(v.spec, constant.BoolVal(c.Value)), true
	}
	n, ok := constInt(c)
	if !ok {
		return "", false
	}
	return fmt.Sprintf(v.spec, typedInt(n, c.Type())), true
}

// typedInt returns n as a Go value of type t.
func typedInt(n int64, t types.Type) any {
	switch t.Underlying().(*types.Basic).Kind() {
	case types.Int8:
		return int8(n)
	case types.Int16:
		return int16(n)
	case types.Int32:
		return int32(n)
	case types.Int:
		return int(n)
	case types.Uint8:
		return uint8(n)
	case types.Uint16:
		return uint16(n)
	case types.Uint32:
		return uint32(n)
	case types.Uint64:
		return uint64(n)
	case types.Uint:
		return uint(n)
	case types.Uintptr:
		return uintptr(n)
	}
	return n
}

func (f *formatter) mismatch(v verb, a printkArg) bool {
	return f.fail("use %v, or a verb for the type", "%s does not fit argument %d of type %s", v.spec, f.next, a.typ)
}

// dynamic translates a conversion of a value that is not constant.
func (f *formatter) dynamic(v verb, a printkArg) bool {
	if (strings.Trim(v.flags, "#") != "" || v.width != "") && !f.needFull("a width or flag") {
		return false
	}
	if b, ok := a.typ.Underlying().(*types.Basic); ok && b.Kind() == types.Bool {
		return f.boolean(v, a)
	}
	if i, ok := intTypeOf(a.typ); ok {
		return f.integer(v, a, i)
	}
	switch {
	case isString(a.typ):
		return f.str(v, a)
	case isPointer(a.typ):
		return f.pointer(v, a)
	}
	return f.fail("print the integers in it one by one", "%s does not fit argument %d of type %s", v.spec, f.next, a.typ)
}

// integer translates %d, %x, %X, %c and %v of an integer of type i.
func (f *formatter) integer(v verb, a printkArg, i intType) bool {
	flags := v.flags
	conv := "u"
	switch v.char {
	case 'd', 'v':
		if strings.Contains(flags, "#") {
			return f.mismatch(v, a)
		}
		if i.signed {
			conv = "d"
		} else if strings.ContainsAny(flags, "+ ") {
			return f.fail("leave out the flag", "the kernel prints no sign for %s of unsigned type %s", v.spec, a.typ)
		}
	case 'x', 'X':
		if i.signed {
			return f.fail("convert it to an unsigned type", "the kernel prints %s of a negative number as two's complement", v.spec)
		}
		if v.char == 'X' && !f.needFull("%X") {
			return false
		}
		conv = string(v.char)
		if strings.ContainsAny(flags, "+ ") || strings.Contains(flags, "#") && v.width != "" {
			return f.fail("leave out the flag", "the kernel has no %s", v.spec)
		}
		if strings.Contains(flags, "#") && !f.literal("0"+conv) {
			return false
		}
		flags = strings.ReplaceAll(flags, "#", "")
	case 'c':
		return f.char(v, a, i)
	default:
		return f.fail("use %d or %x", "the kernel has no %s", v.spec)
	}
	length := ""
	if i.bits == 64 {
		length = "ll"
	}
	return f.emit("%"+flags+v.width+length+conv, f.fn.convertInt(f.fn.scalarOf(a.op), i, intType{64, i.signed}))
}

// charKernel is the first release that has %c: 3478cfcfcddf "bpf: Support "%c"
// in bpf_bprintf_prepare()".
var charKernel = target.Version{Major: 5, Minor: 15}

// char translates %c of a byte, which the kernel prints as it is.
func (f *formatter) char(v verb, a printkArg, i intType) bool {
	if i.bits != 8 || i.signed || v.flags != "" {
		return f.fail("convert it to a byte if it is ASCII", "the kernel has no %s of type %s", v.spec, a.typ)
	}
	if !f.fn.b.target.Kernel.AtLeast(charKernel) {
		f.fn.fail(diag.FeatureMissing, "print the number with %d", "Printk format: %%c needs Linux %s, and the program is compiled for %s",
			charKernel, f.fn.b.target.Kernel)
		return false
	}
	return f.emit("%"+v.width+"c", f.fn.scalarOf(a.op))
}

// boolean translates %t and %v of a bool: the kernel is given one of two strings.
func (f *formatter) boolean(v verb, a printkArg) bool {
	if v.char != 't' && v.char != 'v' || strings.Trim(v.flags, "-") != "" {
		return f.mismatch(v, a)
	}
	fn := f.fn
	word := fn.emit(ir.OpSelect, ir.PtrData, fn.scalarOf(a.op), fn.stringAddr("true"), fn.stringAddr("false"))
	return f.emitString(v, word)
}

// str translates %s and %v of a string. The kernel wants it to end in a NUL,
// which only constants do.
func (f *formatter) str(v verb, a printkArg) bool {
	if v.char != 's' && v.char != 'v' || strings.Trim(v.flags, "-") != "" {
		return f.fail("use %s", "the kernel has no %s of a string", v.spec)
	}
	if !constStrings(a.src, make(map[ssa.Value]bool)) {
		return f.fail("print constant strings; pass others to the host, in a record of an ebpf.RingBuf",
			"argument %d is a string that is not constant, so that it does not end in the NUL the kernel looks for", f.next)
	}
	return f.emitString(v, f.fn.settled(a.op).vals[0])
}

// constStrings reports whether v is one of several constant strings.
func constStrings(v ssa.Value, seen map[ssa.Value]bool) bool {
	if _, ok := constString(v); ok || seen[v] {
		return true
	}
	seen[v] = true
	p, ok := v.(*ssa.Phi)
	if !ok {
		return false
	}
	for _, e := range p.Edges {
		if !constStrings(e, seen) {
			return false
		}
	}
	return true
}

func (f *formatter) emitString(v verb, p *ir.Value) bool {
	f.strings++
	if f.strings > 1 && !f.needFull("more than one string") {
		return false
	}
	ok := f.emit("%"+v.flags+v.width+"s", f.fn.emit(ir.OpPtrToInt, ir.I64, p))
	f.afterS = true
	return ok
}

// pointer translates %p and %v of a pointer: the address, not hashed as the
// kernel's own %p would.
func (f *formatter) pointer(v verb, a printkArg) bool {
	if p, ok := a.typ.Underlying().(*types.Pointer); ok && v.char == 'v' {
		switch p.Elem().Underlying().(type) {
		case *types.Struct, *types.Array, *types.Slice, *types.Map:
			return f.fail("use %p for the address", "%s prints what argument %d points to, which the kernel cannot", v.spec, f.next)
		}
	}
	if v.char == 'v' && !a.op.nonnil {
		return f.fail("use %p for the address", "%s prints <nil> if argument %d is nil, which the kernel does not", v.spec, f.next)
	}
	if v.char != 'p' && v.char != 'v' || v.flags != "" || v.width != "" {
		return f.fail("use %p for the address", "%s does not fit argument %d of type %s", v.spec, f.next, a.typ)
	}
	o := f.fn.settled(a.op)
	if o.isBad() {
		return false
	}
	return f.literal("0x") && f.emit("%llx", f.fn.emit(ir.OpPtrToInt, ir.I64, o.vals[0]))
}

// emit appends a conversion of the kernel's and its argument.
func (f *formatter) emit(spec string, arg *ir.Value) bool {
	f.text.WriteString(spec)
	f.afterS = false
	f.out = append(f.out, arg)
	return true
}
