package p

import "github.com/undergo-ebpf/undergo/ebpf"

var (
	counts = ebpf.NewHash[uint32, uint64](16)
	others = ebpf.NewHash[uint32, uint64](16)
)

var holder = struct{ m *ebpf.Hash[uint32, uint64] }{counts} // want "package-level variable holder holds maps and is written; keep what changes in another variable, or in an ebpf.Var .U401"

//ebpf:section raw_tracepoint/sys_enter
func heldMap(ctx ebpf.Context) int {
	if ebpf.KtimeGetNs() > 3 {
		holder.m = others
	}
	n, _ := holder.m.Get(1)
	return int(n)
}

var name = "x" // want "package-level variable name holds pointers or strings and is written; keep an index in it.* .U304"

//ebpf:section raw_tracepoint/sys_enter
func writtenName(ctx ebpf.Context) int {
	if ebpf.KtimeGetNs() > 3 {
		name = "y"
	}
	return len(name) // want "package-level variable name refers to memory and is assigned to.* .U304"
}

type entry struct {
	timer ebpf.Timer
	n     uint64
}

var timers = ebpf.NewArray[entry](1)

//ebpf:section xdp
func timerLater(ctx *ebpf.XDP) int {
	e := timers.Lookup(0)
	if e == nil {
		return 0
	}
	fired := 0
	timers.After(&e.timer, 100, func(i *uint32, e *entry) { fired++ }) // want "bpf_timer_set_callback calls the function later, when variables that it captures no longer exist; use package-level variables, or values of maps .U304"
	return fired
}
