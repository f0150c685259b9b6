package main

import "github.com/undergo-ebpf/undergo/ebpf"

// Syscalls_SysEnterWrite runs in the kernel whenever a process enters write(2):
// its name is the trace event syscalls/sys_enter_write.
func Syscalls_SysEnterWrite(ctx ebpf.Context) int {
	pid := ebpf.GetCurrentPidTgid() >> 32
	if pid != 0 {
		ebpf.Printk("BPF triggered sys_enter_write from PID %d.\n", pid)
	}
	return 0
}
