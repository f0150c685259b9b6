package build_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// printkArgs is the parameters of the functions TestPrintk builds; printkValues
// has their values.
const printkParams = "i8 int8, u8 uint8, u16 uint16, i32 int32, u32 uint32, i64 int64, u64 uint64, b bool"

// TestPrintk runs calls of Printk and compares what a kernel would print with
// what package fmt makes of the same format and arguments.
func TestPrintk(t *testing.T) {
	i8, u8, u16, i32, u32, i64, u64, b := int8(-5), uint8('A'), uint16(65535), int32(-1<<31), uint32(1<<32-2), int64(-1<<63), uint64(1<<64-1), true
	buf := []byte{0xfb, 'A', 0xff, 0xff, 0, 0, 0, 0x80, 0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0}
	s := fmt.Sprintf
	tests := []struct {
		call, want string
		helper     string
		oldest     bool // works on Linux 5.10 too
	}{
		{`"plain"`, "plain", "trace_printk", true},
		{`"line\n"`, "line", "trace_printk", true},
		{`"%d %d %d", i8, i32, i64`, s("%d %d %d", i8, i32, i64), "trace_printk", true},
		{`"%d %v %d", u8, u32, u64`, s("%d %v %d", u8, u32, u64), "trace_printk", true},
		{`"%x|%#x|%x", u16, u64, u8`, s("%x|%#x|%x", u16, u64, u8), "trace_printk", true},
		{`"%X %c", u32, u8`, s("%X %c", u32, u8), "trace_printk", false},
		{`"%8d|%-8d|%08d", i8, u16, i32`, s("%8d|%-8d|%08d", i8, u16, i32), "trace_printk", false},
		{`"%+d % d %+d", i8, i32, u16 - u16 + 7`, "", "", false},
		{`"%+d|% d|%5d", i8, i64, u8`, s("%+d|% d|%5d", i8, i64, u8), "trace_printk", false},
		{`"%t", b`, s("%t", b), "trace_printk", true},
		{`"%v|%-7t|%t", b, !b, b && u8 == 1`, s("%v|%-7t|%t", b, !b, false), "trace_printk", false},
		{`"%d%% of %s", u8, "all"`, s("%d%% of all", u8), "trace_printk", false},
		{`"%s: %d", "x%y", u8`, "x%y: 65", "trace_printk", false},
		{`"%5s|%q|%x|%05d|%v|%T", "ab", "c", "d", 42, true, 'x'`, s("%5s|%q|%x|%05d|%v|%T", "ab", "c", "d", 42, true, 'x'), "trace_printk", true},
		{`"%d %d %d %d", i8, u8, u16, u64`, s("%d %d %d %d", i8, u8, u16, u64), "trace_vprintk", false},
		{`"%v %v %v %v %v %v %v", i8, u8, u16, i32, u32, i64, u64`, s("%v %v %v %v %v %v %v", i8, u8, u16, i32, u32, i64, u64), "trace_vprintk", false},
		{`"%d %d %d %d", i8, 1, 2, u8`, s("%d 1 2 %d", i8, u8), "trace_printk", true},
		{`"%s", map2(b)`, "", "", false},
		{`"%s.", word`, "yes.", "trace_printk", true},
		{`"%d", any(i8)`, s("%d", i8), "trace_printk", true},
		{`"%v|%6v", nil, nil`, s("%v|%6v", nil, nil), "trace_printk", true},
		{`"%x %v %v %v %v %v %v %v %v %v", int8(-1), int16(2), int32(3), int64(4), uint8(5), uint16(6), uint32(7), uint64(1<<63), uint(9), uintptr(10)`,
			s("%x 2 3 4 5 6 7 %v 9 10", int8(-1), uint64(1<<63)), "trace_printk", true},
		{`"%p", (*int)(nil)`, s("%p", (*int)(nil)), "trace_printk", true},
		{`"%c %d %d %d", u8, u8, u16, u64`, s("%c %d %d %d", u8, u8, u16, u64), "trace_vprintk", false},
		{`"%d and %d", []any{i8, u8}...`, s("%d and %d", i8, u8), "trace_printk", true},
	}
	var src strings.Builder
	src.WriteString("package main\nimport \"" + ebpfPath + "\"\nfunc map2(b bool) string { return []string{\"a\"}[0] }\n")
	for n, tt := range tests {
		fmt.Fprintf(&src, "func f%d(%s) {\nword := \"no\"\nif b { word = \"yes\" }\n_ = word\nebpf.Printk(%s) }\n", n, printkParams, tt.call)
	}
	l := newLoader(t)
	pkg := l.loadText(t, "printk.go", src.String())
	for n, tt := range tests {
		f := pkg.Func("f" + strconv.Itoa(n))
		if tt.helper == "" {
			if len(l.diagnose(t, f, build.ShimCtx, newest)) == 0 {
				t.Errorf("Printk(%s) was accepted", tt.call)
			}
			continue
		}
		for _, tgt := range []target.Target{newest, oldest} {
			if !tt.oldest && tgt == oldest {
				continue
			}
			var got, helper string
			vm := interp.New(l.mustBuild(t, f, build.ShimCtx, "tracepoint", tgt), interp.Options{
				Helper: func(m *interp.Machine, h *ir.Helper, args []uint64) (uint64, error) {
					helper = h.Name
					var err error
					got, err = kernelPrint(m, h, args)
					return 0, err
				},
			})
			if _, site, err := vm.RunProgram(append([]byte(nil), buf...)); err != nil || site != nil {
				t.Fatalf("Printk(%s): %v, panic %v", tt.call, err, site)
			}
			if got != tt.want || helper != tt.helper {
				t.Errorf("Printk(%s) on Linux %s: %s printed %q, want %s %q", tt.call, tgt.Kernel, helper, got, tt.helper, tt.want)
			}
		}
	}
}

var kernelSpec = regexp.MustCompile(`%([-+ 0]*)(\d*)(l*)([duxXcs%])`)

// kernelPrint formats as the kernel does, from the arguments of its helpers.
func kernelPrint(m *interp.Machine, h *ir.Helper, args []uint64) (string, error) {
	text, err := m.Read(args[0], int64(args[1]))
	if err != nil {
		return "", err
	}
	format, ok := strings.CutSuffix(string(text), "\x00")
	if !ok || strings.Contains(format, "\x00") {
		return "", fmt.Errorf("format %q", text)
	}
	vals := args[2:]
	if h.Name == "trace_vprintk" {
		data, err := m.Read(args[2], int64(args[3]))
		if err != nil {
			return "", err
		}
		vals = nil
		for i := 0; i < len(data); i += 8 {
			var v uint64
			for k := range 8 {
				v |= uint64(data[i+k]) << (8 * k)
			}
			vals = append(vals, v)
		}
	}
	out := kernelSpec.ReplaceAllStringFunc(format, func(spec string) string {
		p := kernelSpec.FindStringSubmatch(spec)
		if p[4] == "%" {
			return "%"
		}
		if len(vals) == 0 {
			err = fmt.Errorf("format %q has too few arguments", format)
			return ""
		}
		v := vals[0]
		vals = vals[1:]
		pad := "%" + p[1] + p[2]
		long := len(p[3]) > 0
		switch p[4] {
		case "d":
			if long {
				return fmt.Sprintf(pad+"d", int64(v))
			}
			return fmt.Sprintf(pad+"d", int32(v))
		case "c":
			return fmt.Sprintf(pad+"s", string([]byte{byte(v)}))
		case "s":
			var s []byte
			for {
				b, rerr := m.Read(v, 1)
				if rerr != nil {
					err = rerr
					return ""
				}
				if b[0] == 0 {
					return fmt.Sprintf(pad+"s", s)
				}
				s = append(s, b[0])
				v++
			}
		}
		verb := strings.Replace(p[4], "u", "d", 1)
		if long {
			return fmt.Sprintf(pad+verb, v)
		}
		return fmt.Sprintf(pad+verb, uint32(v))
	})
	if err == nil && len(vals) > 0 {
		err = fmt.Errorf("format %q leaves %d arguments", format, len(vals))
	}
	return out, err
}
