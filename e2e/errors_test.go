package e2e

import (
	"syscall"
	"testing"

	"github.com/undergo-ebpf/undergo/jit"
)

// This file tests what programs do with the errors of maps: as values, in memory and as
// other types.

const errorsSource = `package p

import (
	"errors"
	"syscall"

	"github.com/undergo-ebpf/undergo/ebpf"
)

var (
	seen    = ebpf.NewHash[uint32, uint64](4)
	errNone = errors.New("none")
)

// kept returns which of the errors in memory is meant, by comparing it.
func kept(k, i uint32) (which, number uint32) {
	seen.Delete(k)
	errs := [4]error{seen.Delete(k), errNone, syscall.EBADF, nil}
	err := errs[i%4]
	var none error
	switch {
	case err == none:
		return 4, 0
	case err == errNone:
		return 2, 0
	case err == syscall.EBADF:
		which = 3
	case err == syscall.ENOENT:
		which = 1
	}
	n, isErrno := err.(syscall.Errno)
	if _, ok := err.(any); ok && isErrno {
		number = uint32(n)
	}
	return which, number
}

// compared returns what an error that is known to be one of a map is equal to.
func compared(k uint32, fail bool) (r uint32) {
	if !fail {
		seen.Set(k, 1)
	}
	err := seen.Delete(k)
	var none error
	if err == none {
		r |= 1
	}
	if err == errNone {
		r |= 2
	}
	if syscall.ENOENT == err {
		r |= 4
	}
	var other error = seen.Delete(k)
	if other == err {
		r |= 8
	}
	return r
}

// number panics if there is no error.
func number(k uint32, fail bool) uint32 {
	if !fail {
		seen.Set(k, 1)
	}
	return uint32(seen.Delete(k).(syscall.Errno))
}
`

func TestErrorValues(t *testing.T) {
	kept, err := jit.FuncSource[func(k, i uint32) (uint32, uint32)]("errors.go", errorsSource, "kept")
	language.require(t, err)
	enoent, ebadf := uint32(syscall.ENOENT), uint32(syscall.EBADF)
	for i, want := range [][2]uint32{{1, enoent}, {2, 0}, {3, ebadf}, {4, 0}} {
		if which, n := kept(5, uint32(i)); which != want[0] || n != want[1] {
			t.Errorf("error %d: got %d and %d, want %d", i, which, n, want)
		}
	}
	compared, err := jit.FuncSource[func(uint32, bool) uint32]("errors.go", errorsSource, "compared")
	language.require(t, err)
	if ok, failed := compared(5, false), compared(5, true); ok != 1 || failed != 4|8 {
		t.Errorf("no error is equal to %b, want 1; ENOENT is equal to %b, want 1100", ok, failed)
	}
	number, err := jit.FuncSource[func(uint32, bool) uint32]("errors.go", errorsSource, "number")
	language.require(t, err)
	if n := number(5, true); n != enoent {
		t.Errorf("assertion: got %d, want %d", n, enoent)
	}
	defer func() {
		if p, ok := recover().(*jit.PanicError); !ok || p.Kind != "assert" {
			t.Errorf("assertion on nil: recovered %v, want a failed assertion", p)
		}
	}()
	number(5, false)
}
