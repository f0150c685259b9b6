package jit_test

import (
	"os"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// BenchmarkHello is the cost of hello in a warm process, from source text to
// instructions and to the loaded program.
func BenchmarkHello(b *testing.B) {
	src, err := os.ReadFile("testdata/host/main.go")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("asm", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jit.CompileSource("main.go", string(src), jit.WithTarget(linux618)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("loaded", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := jit.CompileSource("main.go", string(src))
			needPrivilege(b, err)
			c.Close()
		}
	})
}

// BenchmarkFuncCall is the cost of a call of a function in the kernel.
func BenchmarkFuncCall(b *testing.B) {
	f := inKernel(b, add)
	b.ReportAllocs()
	for b.Loop() {
		f(1, 2)
	}
}

var shared = ebpf.NewVar[uint64](0)

func countShared(*ebpf.XDP) ebpf.XDPAction {
	shared.Add(1)
	calls++
	return ebpf.XDPPass
}

// BenchmarkVariable is the cost of the host's access to variables of a program, which takes no
// system call.
func BenchmarkVariable(b *testing.B) {
	p, err := jit.Compile(countShared)
	needPrivilege(b, err)
	defer p.Close()
	v, err := jit.Var[uint64](p, "calls")
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name string
		f    func()
	}{
		{"Variable.Load", func() { v.Load() }},
		{"Variable.Store", func() { v.Store(1) }},
		{"Variable.Add", func() { v.Add(1) }},
		{"Var.Load", func() { shared.Load() }},
		{"Var.Store", func() { shared.Store(1) }},
		{"Var.Add", func() { shared.Add(1) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				bb.f()
			}
		})
	}
}
