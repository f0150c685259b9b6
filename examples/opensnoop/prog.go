package main

import "github.com/undergo-ebpf/undergo/ebpf"

// An open is a system call that opens a file, from its entry to its end.
type open struct {
	Path  uintptr // in the process's memory
	Flags uint32
}

// An event is what the kernel side tells of an open.
type event struct {
	PID, UID uint32
	Comm     ebpf.Comm
	Flags    uint32
	Ret      int32 // file descriptor, or negative errno
	Path     [256]byte
}

var (
	opens  = ebpf.NewHash[uint32, open](10240) // by thread
	events = ebpf.NewRingBuf[event](1 << 20)
)

// What the user asks for; run gives these their values when it compiles.
var (
	onlyPID    uint32 // 0 for all
	onlyFailed bool
)

func enterOpen(ctx *ebpf.SysEnter) int {
	return enter(uintptr(ctx.Args[0]), uint32(ctx.Args[1]))
}

func enterOpenat(ctx *ebpf.SysEnter) int {
	return enter(uintptr(ctx.Args[1]), uint32(ctx.Args[2]))
}

func enterOpenat2(ctx *ebpf.SysEnter) int {
	flags, _ := ebpf.ReadUser[uint64](uintptr(ctx.Args[2])) // struct open_how begins with them
	return enter(uintptr(ctx.Args[1]), uint32(flags))
}

func enter(path uintptr, flags uint32) int {
	if onlyPID == 0 || onlyPID == ebpf.CurrentPID() {
		opens.Set(ebpf.CurrentTID(), open{path, flags})
	}
	return 0
}

// exit is the end of all of them. The path is read here because the kernel has read it by now, so
// that it is in memory.
func exit(ctx *ebpf.SysExit) int {
	tid := ebpf.CurrentTID()
	o, ok := opens.Get(tid)
	if !ok {
		return 0
	}
	opens.Delete(tid)
	if onlyFailed && ctx.Ret >= 0 {
		return 0
	}
	ev := events.Reserve()
	if ev == nil {
		return 0
	}
	ev.PID, ev.UID = ebpf.CurrentPID(), ebpf.CurrentUID()
	ev.Comm = ebpf.CurrentComm()
	ev.Flags, ev.Ret = o.Flags, int32(ctx.Ret)
	ebpf.ReadUserString(ev.Path[:], o.Path)
	events.Submit(ev)
	return 0
}
