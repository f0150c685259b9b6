package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestGeneratedUpToDate(t *testing.T) {
	pkg := filepath.Join("..", "..")
	tmp := t.TempDir()
	if err := run(".", pkg, tmp); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(tmp, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(pkg, filepath.Base(name)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator makes: run go generate ./ebpf", filepath.Base(name))
		}
	}
}

// header returns the pinned header, the table and the signatures.
func header(t *testing.T) (helpers []*helper, rows map[string]row, shapes map[string]shape) {
	t.Helper()
	text, err := os.ReadFile("bpf.h")
	if err != nil {
		t.Fatal(err)
	}
	helpers, err = parseHelpers(string(text))
	if err != nil {
		t.Fatal(err)
	}
	rows, err = readTable("helpers.tsv")
	if err != nil {
		t.Fatal(err)
	}
	shapes, err = readShapes("helpers.txt")
	if err != nil {
		t.Fatal(err)
	}
	return helpers, rows, shapes
}

func TestHeaderAndTable(t *testing.T) {
	helpers, rows, shapes := header(t)
	for i, h := range helpers {
		if h.id != i+1 {
			t.Errorf("%s has number %d, want %d", h.name, h.id, i+1)
		}
		if _, ok := rows[h.name]; !ok {
			t.Errorf("%s has no row in helpers.tsv", h.name)
		}
	}
	if err := join(helpers, rows, shapes); err != nil {
		t.Fatal(err)
	}
	if last := helpers[len(helpers)-1]; last.name != "cgrp_storage_delete" || last.id != 211 {
		t.Errorf("last helper is %s, %d; want cgrp_storage_delete, 211", last.name, last.id)
	}
}

func TestJoinReports(t *testing.T) {
	helpers, rows, shapes := header(t)
	delete(rows, "tail_call")
	if err := join(helpers, rows, shapes); err == nil || !strings.Contains(err.Error(), "tail_call") {
		t.Errorf("row missing: error %v, want one that names tail_call", err)
	}

	helpers, rows, shapes = header(t)
	rows["zz"], rows["aa"] = rows["tail_call"], rows["tail_call"]
	if err := join(helpers, rows, shapes); err == nil || !strings.Contains(err.Error(), "aa, zz") {
		t.Errorf("rows too many: error %v, want one that names aa, zz", err)
	}

	helpers, rows, shapes = header(t)
	r := rows["redirect"]
	r.args = r.args[:1]
	rows["redirect"] = r
	if err := join(helpers, rows, shapes); err == nil || !strings.Contains(err.Error(), "redirect: 1 argument kinds, 2 parameters in bpf.h") {
		t.Errorf("argument missing: error %v", err)
	}
}

func TestParseRowReports(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"a\t4.1\t-\tall\t-\tscalar", "6 columns"},
		{"a\tfour\t-\tall\t-\tscalar\t-", `kernel "four"`},
		{"a\t4.1\tyes\tall\t-\tscalar\t-", `gpl "yes"`},
		{"a\t4.1\t-\tkprobes\t-\tscalar\t-", `program type "kprobes"`},
		{"a\t4.1\t-\tall\tnumber\tscalar\t-", `argument kind "number"`},
		{"a\t4.1\t-\tall\tin:2,scalar\tscalar\t-", "in:2: argument 2 is not a size"},
		{"a\t4.1\t-\tall\tin:3,size\tscalar\t-", "in:3: argument 3 is not a size"},
		{"a\t4.1\t-\tall\t-\tint\t-", `result kind "int"`},
		{"a\t4.1\t-\tall\t-\tscalar\tblock", `effect "block"`},
	} {
		if _, _, err := parseRow(c.line); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.line, err, c.want)
		}
	}
}

func TestDirectivesAndSignatures(t *testing.T) {
	helpers, rows, shapes := header(t)
	if err := join(helpers, rows, shapes); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, directive, signature string }{
		{"get_current_pid_tgid", "//ebpf:helper id=14 name=get_current_pid_tgid kernel=4.2 gpl=false types=all ret=scalar",
			"() uint64"},
		{"trace_printk", "//ebpf:helper id=6 name=trace_printk kernel=4.1 gpl=true types=all args=in:2,size,scalar,scalar,scalar ret=scalar",
			"(format string, arg1 uint64, arg2 uint64, arg3 uint64) (int, error)"},
		{"tail_call", "//ebpf:helper id=12 name=tail_call kernel=4.2 gpl=false types=all args=ctx,map,scalar ret=void effects=pkt",
			"(ctx Context, progArrayMap MapRef, index uint32)"},
		{"probe_read_kernel", "//ebpf:helper id=113 name=probe_read_kernel kernel=5.5 gpl=true types=all args=out:2,size0,scalar ret=scalar",
			"(dst []byte, addr uintptr) error"},
		{"xdp_adjust_head", "//ebpf:helper id=44 name=xdp_adjust_head kernel=4.10 gpl=false types=xdp args=ctx,scalar ret=scalar effects=pkt",
			"(ctx Contexter, delta int32) error"},
		{"ringbuf_reserve", "//ebpf:helper id=131 name=ringbuf_reserve kernel=5.8 gpl=false types=all args=map,const,scalar ret=ringmem? effects=acquire",
			"(ringbuf MapRef, size uint64, flags uint64) unsafe.Pointer"},
		{"loop", "//ebpf:helper id=181 name=loop kernel=5.17 gpl=false types=all args=scalar,fn,fnctx?,scalar ret=scalar",
			"(nrLoops uint32, callbackFn func(index uint32, ctx unsafe.Pointer) int64, callbackCtx unsafe.Pointer, flags uint64) int64"},
	} {
		i := slices.IndexFunc(helpers, func(h *helper) bool { return h.name == c.name })
		if got := helpers[i].directive(); got != c.directive {
			t.Errorf("directive of %s:\n got %s\nwant %s", c.name, got, c.directive)
		}
		if got := helpers[i].shape.signature; got != c.signature {
			t.Errorf("signature of %s:\n got %s\nwant %s", c.name, got, c.signature)
		}
	}
}

// A signature that the compiler could not read is an error.
func TestCheckReports(t *testing.T) {
	for _, c := range []struct{ helper, signature, want string }{
		{"skb_load_bytes", "(skb Contexter, offset uint32) error", "2 parameters for 4 arguments"},
		{"skb_load_bytes", "(skb Contexter, offset uint32, to []byte, length uint32, x int) error", "5 parameters, 3 are used"},
		{"skb_load_bytes", "(skb Contexter, offset uint64, to []byte) error", "argument 2, scalar, is a uint64"},
		{"skb_load_bytes", "(skb Contexter, offset uint32, to string) error", "argument 3, out:4, is a string"},
		{"skb_load_bytes", "(skb *SKB, offset uint32, to []byte) error", "argument 1, ctx, is a *SKB"},
		{"skb_load_bytes", "(skb Contexter, offset uint32, to []byte) (error, int)", "results [error int] of a scalar"},
		{"get_func_ret", "(ctx Contexter)", "0 results for 1 of the arguments"},
		{"spin_lock", "(lock *SpinLock) error", "results [error] of a void"},
		{"sk_fullsock", "(sk *Sock) uint64", "results [uint64] of a sock?"},
	} {
		helpers, rows, shapes := header(t)
		s, err := parseShape(c.helper, []string{c.signature, "does"})
		if err != nil {
			t.Fatal(err)
		}
		shapes[c.helper] = s
		if err := join(helpers, rows, shapes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s%s: error %v, want one with %q", c.helper, c.signature, err, c.want)
		}
	}
}

func TestParseConsts(t *testing.T) {
	consts, err := parseConsts(`
enum bpf_func_id { ___BPF_FUNC_MAPPER(__BPF_ENUM_FN) __BPF_FUNC_MAX_ID, };
#define BPF_F_MACRO(x) \
	enum { x }
enum xdp_action { /* comment, with a comma */ XDP_ABORTED = 0, XDP_DROP, };
enum {
	BPF_F_INDEX_MASK = 0xffffffffULL,
	BPF_F_CURRENT_CPU = BPF_F_INDEX_MASK,
	BPF_F_CTXLEN_MASK = (0xfffffULL << 32),
	BPF_F_CURRENT_NETNS = (-1L),
	TCX_NEXT = -1,
	SOMETHING_ELSE,
	BPF_ANY = 1U << 2 | 1,
};`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range consts {
		got = append(got, strings.TrimSpace(c.name+" "+c.typ)+" = "+c.value)
	}
	want := []string{
		"XDPAborted XDPAction = 0",
		"XDPDrop XDPAction = 1",
		"FlagIndexMask = 0xffffffff",
		"FlagCurrentCPU = 0xffffffff",
		"FlagCtxlenMask = 0xfffff00000000",
		"FlagCurrentNetns = 0xffffffffffffffff",
		"TCXNext TCAction = -1",
		"UpdateAny = 5",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFindIntrinsics(t *testing.T) {
	dir := t.TempDir()
	write := func(name, src string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("a.go", `package p

import "fmt"

// F prints.
//
//ebpf:intrinsic f
func F(a ...any) { fmt.Print(a...) }

//ebpf:intrinsic g
func G[T any](x T) T { return x }

//ebpf:intrinsic m
func (p *P[K]) M() {}

func plain() {}
`)
	write("b.go", "package p\n\n//ebpf:intrinsic embedded\nfunc Embedded() {}\n")
	write("c_gen.go", "package p\n\nimport \"fmt\"\n\n//ebpf:intrinsic gen\nfunc Gen() { fmt.Println() }\n")
	got, err := findIntrinsics(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []intrinsic{
		{"//ebpf:intrinsic f", "func F(a ...any)"},
		{"//ebpf:intrinsic g", `func G[T any](x T) T { panic("intrinsic") }`},
		{"//ebpf:intrinsic m", `func (p *P[K]) M() { panic("intrinsic") }`},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
