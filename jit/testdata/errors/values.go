package p

import (
	"errors"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf"
)

var (
	counts  = ebpf.NewHash[uint32, uint64](16)
	others  = ebpf.NewHash[uint32, uint64](16)
	small   = ebpf.NewHash[uint32, uint8](16)
	errNone = errors.New("none")
)

type failure struct{ code int }

func (f failure) Error() string { return "failed" }

//ebpf:section raw_tracepoint/sys_enter
func errorMethod(ctx ebpf.Context) int {
	if err := counts.Set(1, 2); err != nil {
		return len(err.Error()) // want "call of method Error of an error that may be a number; compare the error with nil or with a syscall.Errno .U401"
	}
	return len(errNone.Error()) // want "text of an error made with errors.New; compare the error with the variable .* .U401"
}

//ebpf:section raw_tracepoint/sys_enter
func errorAssertion(ctx ebpf.Context) int {
	if _, ok := counts.Set(1, 2).(interface{ Timeout() bool }); ok { // want "type assertion on an error to interface.*; assert syscall.Errno.* .U401"
		return 1
	}
	return 0
}

//ebpf:section raw_tracepoint/sys_enter
func errorStored(ctx ebpf.Context) int {
	errs := [2]error{counts.Set(1, 2), failure{1}}
	return len(errs[ebpf.KtimeGetNs()%2].Error()) // want "call of method Error of an error that may be a number.* .U401"
}

//ebpf:section raw_tracepoint/sys_enter
func copiedMap(ctx ebpf.Context) int {
	m := *counts      // want "copy of a map, or assignment to its variable; use the map by its pointer.* .U304"
	*counts = *others // want "copy of a map, or assignment to its variable.* .U304"
	counts = others   // want "copy of a map, or assignment to its variable.* .U304"
	n, _ := m.Get(1)
	return int(n)
}

//ebpf:section raw_tracepoint/sys_enter
func smallCounter(ctx ebpf.Context) int {
	small.Add(1, 1) // want "atomic addition to a value of type uint8; use an integer type of 32 or 64 bits .U302"
	return 0
}

//ebpf:section raw_tracepoint/sys_enter
func comparedSlices(ctx ebpf.Context) int {
	boxes := [2]any{[]int{1}, 2}
	if boxes[ebpf.KtimeGetNs()%2] == boxes[0] { // want "comparison of interfaces of which one may hold a ..int; compare the concrete values .U401"
		return 1
	}
	return 0
}

//ebpf:section raw_tracepoint/sys_enter
func builtins(ctx ebpf.Context) int {
	println("hello") // want "call of the built-in function println; use ebpf.Printk .U304"
	n := -1
	return len(make([]int, n)) // want "make of a slice of -1 elements; make it larger .U304"
}

type huge struct {
	n int
	b [1 << 30]byte
}

func makeHuge() (h huge) { return h } // want "1073741824 bytes; use a map for what is large .U501"

//ebpf:section raw_tracepoint/sys_enter
func hugeResult(ctx ebpf.Context) int { return makeHuge().n }

//ebpf:section raw_tracepoint/sys_enter
func partsOfContext(ctx *ebpf.RawTracepoint) int {
	s := ctx.Args[1:3]                                                     // want "address of a field of the program's context; copy the field into a variable and use that .U304"
	return int(s[0]) + int(*(*uint64)(unsafe.Add(unsafe.Pointer(ctx), 8))) // want "address of a field of the program's context.* .U304"
}

//ebpf:section kprobe/vfs_read
func arguments(ctx *ebpf.Regs) int {
	n := ctx.Arg(int(ebpf.KtimeGetNs())) // want "number of an argument that is not constant; write the number, or switch over it .U304"
	return int(n) + int(ctx.Arg(9))      // want "argument 9 of the probed function: 6 are in registers on amd64; arguments are counted from 0 .U304"
}

//ebpf:section raw_tracepoint/sys_enter
func callbacks(ctx ebpf.Context) int {
	var m ebpf.MapRef
	visits := [2]func(m ebpf.MapRef, key, value, ctx unsafe.Pointer) int64{visitOne, visitTwo}
	ebpf.ForEachMapElem(m, visits[ebpf.KtimeGetNs()%2], nil, 0) // want "argument 2 of bpf_for_each_map_elem is not known when compiling; pass a function by name, or a function literal .U407"
	n := 0
	count := func(m ebpf.MapRef, key, value, ctx unsafe.Pointer) int64 { n++; return 0 }
	ebpf.ForEachMapElem(m, count, unsafe.Pointer(&n), 0) // want "context of a callback that captures variables; pass nil.* .U407"
	return n
}

func visitOne(m ebpf.MapRef, key, value, ctx unsafe.Pointer) int64 { return 0 }
func visitTwo(m ebpf.MapRef, key, value, ctx unsafe.Pointer) int64 { return 1 }
