package jit_test

import (
	"os"
	"testing"

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
