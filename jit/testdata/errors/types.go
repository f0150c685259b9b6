package p

import "github.com/undergo-ebpf/undergo/ebpf"

type event struct{ pid uint32 }

const limit uint8 = 256 // want "cannot use 256"

//ebpf:section tracepoint/syscalls/sys_enter_write
func onWrite(ctx ebpf.Context) int {
	var e event
	e.tid = 5           // want "e.tid undefined"
	unused := 1         // want "declared and not used: unused"
	if e.pid == limit { // want "mismatched types"
		return "one" // want "cannot use .one."
	}
	return twice(1, 2) // want "too many arguments"
}

func twice(x int) int { return 2 * x }

func twice(x int) int { return x + x } // want "twice redeclared in this block"

func unreached() int { return "not looked at" }

//ebpf:section xdp
func drop(ctx *ebpf.XDP) int {
	return ebpf.NoSuchHelper() // want "undefined: ebpf.NoSuchHelper"
}
