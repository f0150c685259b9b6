package p

import "github.com/undergo-ebpf/undergo/ebpf"

//ebpf:section tracepiont/syscalls/sys_enter_write // want "section .tracepiont/.*: no such section; names are libbpf's"
func misspelt(ctx ebpf.Context) int { return 0 }

//ebpf:section // want "the directive names no section"
func unnamed(ctx ebpf.Context) int { return 0 }

//ebpf:section fentry // want "fentry needs a target, as in fentry/NAME"
func incomplete(ctx ebpf.Context) int { return 0 }

//ebpf:section xdp
func wrongResult(ctx *ebpf.XDP) string { return "" } // want "xdp programs return one integer, wrongResult returns string"

//ebpf:section xdp
func noResult(ctx *ebpf.XDP) {} // want "returns nothing"

//ebpf:section tracepoint/sched/sched_switch
func wrongContext(ctx *ebpf.XDP) int { return 0 } // want "has the context of xdp programs, but its section makes it a tracepoint program; use ebpf.Context"

//ebpf:section xdp
func copied(ctx ebpf.RawTracepoint) int { return 0 } // want "parameter ctx of copied is a copy of the context; take the context itself: ctx .ebpf.RawTracepoint.*U604"

//ebpf:section xdp
func noContext(n int) int { return n } // want "parameter n of noContext is of type int, which is not a context"

//ebpf:section xdp
func two(ctx *ebpf.XDP, n int) int { return n } // want "two has more than one parameter"

//ebpf:section xdp
func generic[T any](ctx *ebpf.XDP) int { return 0 } // want "generic function generic cannot be a program; instantiate it"
