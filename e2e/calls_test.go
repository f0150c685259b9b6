package e2e

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file tests maps whose values stand for something else: programs, stacks, cgroups.

var (
	callees  = ebpf.NewProgArray[*ebpf.XDP](4)
	callee   = ebpf.NewVar[uint32](0)
	runs     = ebpf.NewVar[uint64](0)
	stacks   = ebpf.NewStackTrace(64)
	stackIDs = ebpf.NewQueue[int64](64)
	cgroups  = ebpf.NewCgroupArray(2)
	inCgroup = ebpf.NewVar[[3]uint64]([3]uint64{})
)

func callOther(ctx *ebpf.XDP) ebpf.XDPAction {
	runs.Add(1)
	callees.TailCall(ctx, callee.Load())
	return ebpf.XDPAborted
}

func calleeTX(*ebpf.XDP) ebpf.XDPAction   { return ebpf.XDPTX }
func calleeDrop(*ebpf.XDP) ebpf.XDPAction { return ebpf.XDPDrop }

func TestTailCalls(t *testing.T) {
	tailCalls.test(t)
	caller := tailCalls.compile(t, callOther)
	tx, drop := tailCalls.compile(t, calleeTX), tailCalls.compile(t, calleeDrop)
	result := func(i uint32) ebpf.XDPAction {
		t.Helper()
		callee.Store(i)
		ret, _, err := caller.BPF().Test(make([]byte, 64))
		if err != nil {
			t.Fatal(err)
		}
		return ebpf.XDPAction(ret)
	}
	check := func(want ...ebpf.XDPAction) {
		t.Helper()
		for i, w := range want {
			if got := result(uint32(i)); got != w {
				t.Errorf("program %d: result %d, want %d", i, got, w)
			}
		}
	}
	check(ebpf.XDPAborted, ebpf.XDPAborted)
	for i, p := range []*jit.Program{tx, drop} {
		if err := callees.Set(uint32(i), p); err != nil {
			t.Fatal(err)
		}
	}
	check(ebpf.XDPTX, ebpf.XDPDrop, ebpf.XDPAborted, ebpf.XDPAborted, ebpf.XDPAborted)
	if err := callees.Delete(0); err != nil {
		t.Error(err)
	}
	check(ebpf.XDPAborted, ebpf.XDPDrop)
	if got := slices.Collect(callees.Keys()); !slices.Equal(got, []uint32{1}) {
		t.Errorf("there are programs %v, want 1", got)
	}
	// A program that goes on with itself does so up to a limit.
	if err := callees.Set(2, caller); err != nil {
		t.Fatal(err)
	}
	runs.Store(0)
	if got := result(2); got != ebpf.XDPAborted || runs.Load() < 33 || runs.Load() > 34 {
		t.Errorf("result %d after %d runs, want 33 or 34", got, runs.Load())
	}
	other := tracepoints.compile(t, nothing, jit.As("tracepoint/syscalls/sys_enter_getppid"))
	if err := callees.Set(0, other); err == nil {
		t.Error("a program of another type is accepted")
	}
}

func takeStack(ctx ebpf.Context) int {
	if ebpf.CurrentPID() != uint32(self) {
		return 0
	}
	for _, flags := range [...]uint64{ebpf.FlagUserStack, 0} {
		id, err := stacks.ID(ctx, flags)
		if err != nil {
			stackIDs.Push(-1)
		} else {
			stackIDs.Push(int64(id))
		}
	}
	return 0
}

// aFrameWithAName leads to the system call whose stack is taken. The function that makes it has no
// frame.
//
//go:noinline
func aFrameWithAName() { callGetppid() }

//go:noinline
func callGetppid() { unix.Getppid() }

func TestStackTrace(t *testing.T) {
	stackTraces.test(t)
	p := stackTraces.compile(t, takeStack, thisProcess(), jit.As("tracepoint/syscalls/sys_enter_getppid"))
	l, err := attach.Auto(p)
	stackTraces.require(t, err)
	aFrameWithAName()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	user, _ := stackIDs.Pop()
	kernel, ok := stackIDs.Pop()
	if !ok || user < 0 {
		t.Fatalf("stacks %d and %d, %t", user, kernel, ok)
	}
	pcs, ok := stacks.Get(uint32(user))
	if !ok || len(pcs) == 0 {
		t.Fatalf("there is no stack %d", user)
	}
	callers := make([]uintptr, len(pcs))
	for i, pc := range pcs {
		callers[i] = uintptr(pc)
	}
	var names []string
	for frames := runtime.CallersFrames(callers); ; {
		f, more := frames.Next()
		names = append(names, f.Function)
		if !more {
			break
		}
	}
	if !slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, "aFrameWithAName") }) {
		t.Errorf("the stack is %q", names)
	}
	if !slices.Contains(slices.Collect(stacks.Keys()), uint32(user)) {
		t.Error("Keys does not have the stack")
	}
	if err := stacks.Delete(uint32(user)); err != nil {
		t.Error(err)
	}
	if _, ok := stacks.Get(uint32(user)); ok {
		t.Error("the stack is still there")
	}
}

func askCgroups(ctx ebpf.Context) int {
	if ebpf.CurrentPID() != uint32(self) {
		return 0
	}
	in := inCgroup.Pointer()
	for i := range uint32(2) {
		if cgroups.ContainsCurrent(i) {
			in[i]++
		}
	}
	in[2]++
	return 0
}

// cgroup2 mounts the hierarchy of cgroups in a new directory. The test must be in a mount
// namespace of its own.
func cgroup2(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("nodev", dir, "cgroup2", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestCgroupArray(t *testing.T) {
	cgroupArrays.test(t)
	if !inChild(t, unix.CLONE_NEWNS) {
		return
	}
	root := openDir(t, cgroup2(t))
	p := cgroupArrays.compile(t, askCgroups, thisProcess(), jit.As("tracepoint/syscalls/sys_enter_getppid"))
	l, err := attach.Auto(p)
	cgroupArrays.require(t, err)
	defer l.Close()
	getppid()
	if in := inCgroup.Load(); in != [3]uint64{0, 0, 5} {
		t.Errorf("in cgroups %v of an empty array", in)
	}
	cgroupArrays.require(t, cgroups.Set(1, root))
	getppid()
	if in := inCgroup.Load(); in != [3]uint64{0, 5, 10} {
		t.Errorf("in cgroups %v, want the root 5 times", in)
	}
	if err := cgroups.Delete(1); err != nil {
		t.Error(err)
	}
	getppid()
	if in := inCgroup.Load(); in != [3]uint64{0, 5, 15} {
		t.Errorf("in cgroups %v after Delete", in)
	}
}

// openDir returns a descriptor of a directory, which is closed at the end of the test.
func openDir(t *testing.T, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}
