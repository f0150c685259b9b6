package ebpf

import "unsafe"

// SysEnter is the context of a program at the entry of a system call: of the tracepoints
// syscalls/sys_enter_NAME.
//
//	//ebpf:section tracepoint/syscalls/sys_enter_openat
//	func onOpen(ctx *ebpf.SysEnter) int {
//		path := uintptr(ctx.Args[1])
//
//ebpf:context tracepoint
type SysEnter struct {
	_ [8]byte // common to all trace events
	// Number is that of the system call, which depends on the machine.
	Number int32
	// Args are the arguments, in the order of the system call's manual page. Those that a
	// system call does not have cannot be read: the program could not be attached.
	// The index must be a constant.
	Args [6]uint64
}

// Context returns c for helpers.
func (c *SysEnter) Context() Context { return Context{unsafe.Pointer(c)} }

// SysExit is the context of a program at the end of a system call: of the tracepoints
// syscalls/sys_exit_NAME.
//
//ebpf:context tracepoint
type SysExit struct {
	_ [8]byte // common to all trace events
	// Number is that of the system call, which depends on the machine.
	Number int32
	// Ret is the result; errors are negative errno values.
	Ret int64
}

// Context returns c for helpers.
func (c *SysExit) Context() Context { return Context{unsafe.Pointer(c)} }
