package ebpf

// A StackTrace collects call stacks, each once: BPF_MAP_TYPE_STACK_TRACE, Linux 4.6.
// A program gets a number for the stack that it was called with, and the host asks
// for the stack with that number.
//
//ebpf:map stack_trace key=4 value=1016
type StackTrace struct{ handle }

// MaxStackDepth is the number of return addresses that a [StackTrace] keeps of a stack:
// PERF_MAX_STACK_DEPTH, the default of kernel.perf_event_max_stack.
const MaxStackDepth = 127

// NewStackTrace returns a map with room for maxEntries stacks.
//
//ebpf:intrinsic newmap
//go:noinline
func NewStackTrace(maxEntries int, opts ...MapOption) *StackTrace {
	m := new(StackTrace)
	m.p = newMap[uint32, [MaxStackDepth]uint64]("stack_trace", maxEntries, opts)
	return m
}

// ID returns the number of the kernel's stack, or, with [FlagUserStack], of the process's.
// Other flags are the number of frames to skip, up to 255, [FlagFastStackCmp] and
// [FlagReuseStackid]. The error is syscall.EEXIST if another stack has the place
// that this one should have, and EFAULT if there is no such stack.
//
// Natively the stack is that of the goroutine.
func (m *StackTrace) ID(ctx Context, flags uint64) (id uint32, err error) {
	r := GetStackid(ctx, m.ref(), flags)
	if r < 0 {
		return 0, errnoError(r)
	}
	return uint32(r), nil
}

// A CgroupArray is an array of cgroups, to ask whether something is in
// one: BPF_MAP_TYPE_CGROUP_ARRAY, Linux 4.8.
//
//ebpf:map cgroup_array key=4 value=4
type CgroupArray struct{ handle }

// NewCgroupArray returns an array for length cgroups, empty at first.
//
//ebpf:intrinsic newmap
//go:noinline
func NewCgroupArray(length int, opts ...MapOption) *CgroupArray {
	m := new(CgroupArray)
	m.p = newReferences[uint32]("cgroup_array", length, 4, opts)
	return m
}

// ContainsCurrent reports whether the current task is in cgroup i or one below it. If
// there is no cgroup i it is not. Linux 4.9.
func (m *CgroupArray) ContainsCurrent(i uint32) bool {
	return CurrentTaskUnderCgroup(m.ref(), i) == 1
}

// ContainsSKB reports whether the socket of a packet is in cgroup i or one below it. If
// there is no cgroup i it is not.
func (m *CgroupArray) ContainsSKB(skb Context, i uint32) bool {
	return SkbUnderCgroup(skb, m.ref(), i) == 1
}
