package main

import (
	"math/bits"

	"github.com/undergo-ebpf/undergo/ebpf"
)

// A wakeup is the context of sched_wakeup and sched_wakeup_new; its fields are where the file
// events/sched/sched_wakeup/format of tracefs says.
//
//ebpf:context tracepoint
type wakeup struct {
	_    [8]byte
	Comm ebpf.Comm
	PID  int32 // of the thread that may run from now on
}

// A change is the context of sched_switch.
//
//ebpf:context tracepoint
type change struct {
	_         [8]byte
	PrevComm  ebpf.Comm
	PrevPID   int32
	PrevPrio  int32
	PrevState int64 // 0 of a thread that could go on
	NextComm  ebpf.Comm
	NextPID   int32
}

// slots is the number of rows of the histogram: the last is for 2^30 microseconds and more.
const slots = 32

var (
	waiting = ebpf.NewHash[int32, uint64](65536) // since when threads wait for a CPU
	latency = ebpf.NewPerCPUArray[uint64](slots) // number of waits by the bits of their microseconds
)

//ebpf:section tracepoint/sched/sched_wakeup
func wakes(ctx *wakeup) int { return begin(ctx.PID) }

//ebpf:section tracepoint/sched/sched_wakeup_new
func starts(ctx *wakeup) int { return begin(ctx.PID) }

// begin is when a thread begins to wait.
func begin(pid int32) int {
	if pid != 0 {
		waiting.Set(pid, ebpf.KtimeGetNs())
	}
	return 0
}

//ebpf:section tracepoint/sched/sched_switch
func switches(ctx *change) int {
	if ctx.PrevState == 0 {
		begin(ctx.PrevPID)
	}
	since, ok := waiting.Get(ctx.NextPID)
	if !ok {
		return 0
	}
	waiting.Delete(ctx.NextPID)
	micros := (ebpf.KtimeGetNs() - since) / 1000
	latency.Add(uint32(min(bits.Len64(micros), slots-1)), 1)
	return 0
}
