package e2e

import (
	"syscall"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file compares helpers in the kernel with what they do natively.

// A numberRun is a text, and what it is as a number.
type numberRun struct {
	Text [24]byte
	Len  uint32
	Base uint32

	Signed      int64
	Unsigned    uint64
	N, M        int32
	Failed      [2]uint32
	Less, Equal bool
}

var numberRuns = ebpf.NewArray[numberRun](1)

func parseNumber(*ebpf.XDP) ebpf.XDPAction {
	r := numberRuns.Lookup(0)
	if r.Len > 24 {
		return ebpf.XDPAborted
	}
	text := r.Text
	x, n, err := ebpf.Strtol(text[:r.Len], uint64(r.Base))
	r.Signed, r.N, r.Failed[0] = x, int32(n), errorNumber(err)
	y, n, err := ebpf.Strtoul(text[:r.Len], uint64(r.Base))
	r.Unsigned, r.M, r.Failed[1] = y, int32(n), errorNumber(err)
	c := ebpf.Strncmp(text[:r.Len], "123")
	r.Less, r.Equal = c < 0, c == 0
	return ebpf.XDPPass
}

func errorNumber(err error) uint32 {
	switch err {
	case nil:
		return 0
	case syscall.EINVAL:
		return uint32(syscall.EINVAL)
	case syscall.ERANGE:
		return uint32(syscall.ERANGE)
	}
	return 1
}

func TestHelpersNatively(t *testing.T) {
	language.test(t)
	if kernel, err := kerneltest.RunningRelease(); err != nil || !kernel.AtLeast(oldestExact) {
		t.Skipf("Linux %v has them for fewer types of programs, %v", kernel, err)
	}
	var inputs []numberRun
	for _, text := range []string{
		"", "0", "7", "123", "1234", "-123", "+5", " 42", "\t-42x", "0x1f", "0X1F", "0x", "0xg", "017", "019", "08", "-0", "--1", "x", "1f",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
		"18446744073709551616", "12\x00345", "  ",
	} {
		for _, base := range []uint32{0, 8, 10, 16, 7} {
			r := numberRun{Len: uint32(len(text)), Base: base}
			copy(r.Text[:], text)
			inputs = append(inputs, r)
		}
	}
	if guest != "" { // where a call takes its time
		var few []numberRun
		for i := 0; i < len(inputs); i += 7 {
			few = append(few, inputs[i])
		}
		inputs = few
	}
	var native []numberRun
	for _, r := range inputs {
		if err := numberRuns.Set(0, r); err != nil {
			t.Fatal(err)
		}
		parseNumber(ebpf.NewXDP(make([]byte, 64)))
		r, _ = numberRuns.Get(0)
		native = append(native, r)
	}
	p, err := jit.Compile(parseNumber)
	language.require(t, err)
	defer p.Close()
	for i, r := range inputs {
		if err := numberRuns.Set(0, r); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Test(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
		if got, _ := numberRuns.Get(0); got != native[i] {
			t.Errorf("%q in base %d:\nkernel %+v\nnative %+v", r.Text[:r.Len], r.Base, got, native[i])
		}
	}
}
