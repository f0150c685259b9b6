package build_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/e2e/corpus"
	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

func TestLayout(t *testing.T) {
	l := newLoader(t)
	pkg := l.loadText(t, "p.go", `package main
type s struct { a uint8; b uint32 }
func f(a uint8, b uint64, c s) (bool, uint16, [3]uint16) { return false, 0, [3]uint16{} }
func (s) M(n uint16) {}
var M = s.M
`)
	fns := l.funcs(pkg)
	for _, tt := range []struct {
		name          string
		size          int
		args, results []int64
	}{
		{"f", 40, []int64{0, 8, 16}, []int64{24, 26, 28}},
		{"(s).M", 16, []int64{0, 8}, nil},
	} {
		size, args, results := build.Layout(fns[tt.name].Signature)
		if size != tt.size || !slices.Equal(args, tt.args) || !slices.Equal(results, tt.results) {
			t.Errorf("%s: size %d, args %v, results %v", tt.name, size, args, results)
		}
	}
}

// TestShimPacket runs a function on a packet that is long enough, and on one
// that is not.
func TestShimPacket(t *testing.T) {
	l := newLoader(t)
	pkg := l.loadText(t, "p.go", `package main
func f(a uint32, b [20]uint8, i uint8) (uint32, [20]uint8) {
	b[i]++
	return a + uint32(b[i]), b
}
`)
	m := l.mustBuild(t, pkg.Func("f"), build.ShimPacket, "xdp", newest)
	size, args, results := build.Layout(pkg.Func("f").Signature)
	for _, n := range []int{size, size - 1} {
		packet := make([]byte, n)
		binary.LittleEndian.PutUint32(packet[args[0]:], 100)
		packet[args[1]+3] = 41
		packet[args[2]] = 3
		vm := interp.New(m, interp.Options{})
		data := vm.NewObject(interp.Object{Name: "packet", Bytes: packet, AnyAlign: true})
		ctx := vm.NewObject(interp.Object{Name: "context", Bytes: make([]byte, 24), Align: 8,
			Pointers: map[int64]uint64{0: data, 4: data + uint64(n)}})
		ret, site, err := vm.Run(m.Funcs[0], ctx)
		if err != nil || site != nil {
			t.Fatalf("%d bytes: %v, panic %v\n%s", n, err, site, m)
		}
		if n < size {
			if int32(ret[0]) != -1<<31 {
				t.Errorf("short packet: %d", int32(ret[0]))
			}
			continue
		}
		if got := binary.LittleEndian.Uint32(packet[results[0]:]); ret[0] != 0 || got != 142 || packet[results[1]+3] != 42 {
			t.Errorf("returned %d, result %d, array %v", ret[0], got, packet[results[1]:])
		}
	}
}

// TestCaptures builds a closure with the values of its captured variables. Each
// run starts with these values.
func TestCaptures(t *testing.T) {
	l := newLoader(t)
	pkg := l.loadText(t, "p.go", `package main
type pair struct { a int8; b uint32 }
func outer(k uint16, p pair) func(n uint32) uint32 {
	return func(n uint32) uint32 {
		k++
		return n + uint32(k) * p.b + uint32(p.a)
	}
}
func strings(s string) func() int { return func() int { return len(s) } }
`)
	f := pkg.Func("outer").AnonFuncs[0]
	captures := make(map[*ssa.FreeVar][]byte)
	for _, v := range f.FreeVars {
		switch v.Name() {
		case "k":
			captures[v] = []byte{0x34, 0x12}
		case "p":
			captures[v] = []byte{0xff, 0, 0, 0, 7, 0, 0, 0}
		}
	}
	var diags diag.List
	m := build.Build(build.Input{Fset: l.fset, Entry: f, Name: "closure", Captures: captures, Shim: build.ShimCtx}, newest, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(m); err != nil {
		t.Fatal(err)
	}
	vm := interp.New(m, interp.Options{})
	for range 2 {
		buf := []byte{5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		if ret, site, err := vm.RunProgram(buf); ret != 0 || site != nil || err != nil {
			t.Fatal(ret, site, err)
		}
		if got, want := binary.LittleEndian.Uint32(buf[8:]), uint32(5+0x1235*7-1); got != want {
			t.Errorf("got %#x, want %#x", got, want)
		}
	}
	g := pkg.Func("strings").AnonFuncs[0]
	if ds := l.diagnose(t, g, build.ShimCtx, newest); len(ds) != 1 || !strings.Contains(ds[0].Message, "captured variable s") {
		t.Errorf("capture of a string: %v", ds)
	}
}

// TestDeterministic builds the whole corpus twice, from different loaders.
func TestDeterministic(t *testing.T) {
	build := func() []byte {
		l := newLoader(t)
		fns := l.funcs(l.load(t, corpus.Source()))
		var b bytes.Buffer
		for _, fn := range corpus.Funcs {
			m := l.mustBuild(t, fns[funcName(fn)], build.ShimCtx, "syscall", newest)
			b.WriteString(m.String())
		}
		return b.Bytes()
	}
	first := build()
	for range 3 {
		if !bytes.Equal(build(), first) {
			t.Fatal("two builds differ")
		}
	}
}
