package p

import "github.com/undergo-ebpf/undergo/ebpf"

//ebpf:section tracepoint/syscalls/sys_enter_write
func callbackPanics(ctx ebpf.Context) (r int) {
	defer func() {
		if s, ok := recover().(string); ok {
			r = len(s)
		}
	}()
	ebpf.Loop(10, func(i uint32) bool {
		if i == 3 {
			panic("three") // want "panic in a callback with a value that is not a number, in a program that looks at what recover returns; panic with an integer.*U401"
		}
		return true
	})
	return 0
}
