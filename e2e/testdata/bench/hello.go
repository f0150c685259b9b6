package bench

import "github.com/undergo-ebpf/undergo/ebpf"

//ebpf:section tracepoint/syscalls/sys_enter_write
func hello(ctx ebpf.Context) int {
	pid := ebpf.GetCurrentPidTgid() >> 32
	if pid != 0 {
		ebpf.Printk("BPF triggered sys_enter_write from PID %d.\n", pid)
	}
	return 0
}
