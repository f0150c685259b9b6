package ebpf

// This file has what programs ask about the task that they run for, in the types that a Go
// program wants. In a program that runs in an interrupt that is whichever task was interrupted.

// CurrentPID returns the number of the current process, as [os.Getpid] does: what the kernel
// calls its thread group. Natively it is the test's.
func CurrentPID() uint32 { return uint32(GetCurrentPidTgid() >> 32) }

// CurrentTID returns the number of the current thread, which for a process's first is
// that of the process.
func CurrentTID() uint32 { return uint32(GetCurrentPidTgid()) }

// CurrentUID returns the real user of the current task.
func CurrentUID() uint32 { return uint32(GetCurrentUidGid()) }

// CurrentGID returns the real group of the current task.
func CurrentGID() uint32 { return uint32(GetCurrentUidGid() >> 32) }

// A Comm is the name of a thread as the kernel has it: up to 15 bytes, and zeros up to the
// end. Unless it has been changed it is the name of the executable.
type Comm [16]byte // TASK_COMM_LEN

// String returns the name without the zeros.
func (c Comm) String() string { return GoString(c[:]) }

// CurrentComm returns the name of the current thread.
func CurrentComm() (c Comm) {
	_ = GetCurrentComm(c[:])
	return c
}
