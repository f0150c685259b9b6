package ebpf

// This file has the objects of the kernel that helpers take and return. A pointer to one is for
// helpers alone and cannot be followed. A program makes it of an argument of the function that it is
// attached to:
//
//	file := (*ebpf.File)(ctx.Pointer(0))
//
// They have a byte, so that those that a native test makes differ: new(ebpf.Inode).

// A Task is a thread: struct task_struct.
type Task struct{ _ byte }

// CurrentTask returns the thread that the program runs for, for [TaskStorage] and helpers. Linux 5.11.
func CurrentTask() *Task { return GetCurrentTaskBtf() }

// A Cgroup is a control group: struct cgroup.
type Cgroup struct{ _ byte }

// A VMArea is a range of a process's addresses: struct vm_area_struct.
type VMArea struct{ _ byte }

// An Inode is a file, whatever its names: struct inode.
type Inode struct{ _ byte }

// A File is an open file: struct file.
type File struct{ _ byte }

// A Path is the name of a file: struct path.
type Path struct{ _ byte }

// A Socket is a socket as a file: struct socket.
type Socket struct{ _ byte }

// A KernelSock is a socket of the type that was asked for, such as struct tcp_sock.
type KernelSock struct{ _ byte }

// A KernelSKB is a packet in the network stack: struct sk_buff.
type KernelSKB struct{ _ byte }

// A KernelXDP is a packet before the network stack: struct xdp_buff.
type KernelXDP struct{ _ byte }

// A SeqFile is what an iterator program prints to: struct seq_file.
type SeqFile struct{ _ byte }

// A LinuxBinprm is a program that is about to be run: struct linux_binprm.
type LinuxBinprm struct{ _ byte }

// A BTFPtr is an object of the kernel with its type: struct btf_ptr of linux/bpf.h.
type BTFPtr struct {
	Ptr    uintptr
	TypeID uint32 // number of the type in the kernel's BTF
	Flags  uint32 // 0
}

// A PidNsInfo is a task in a PID namespace: struct bpf_pidns_info of linux/bpf.h.
type PidNsInfo struct {
	PID  uint32 // thread, as [CurrentTID]
	TGID uint32 // process, as [CurrentPID]
}

// A PerfEventValue is the count of a perf event: struct bpf_perf_event_value of linux/bpf.h.
type PerfEventValue struct {
	Counter uint64
	Enabled uint64 // nanoseconds that the event was to be counted
	Running uint64 // nanoseconds that it was counted
}
