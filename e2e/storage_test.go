package e2e

import (
	"net"
	"os"
	"testing"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file tests maps whose entries belong to objects of the kernel.

// A visits is what is kept for an object.
type visits struct {
	Count uint64
	Last  [3]uint16
}

var (
	taskVisits   = ebpf.NewTaskStorage[visits]()
	socketVisits = ebpf.NewSockStorage[visits]()
	cgroupVisits = ebpf.NewCgroupStorage[visits]()
	inodeVisits  = ebpf.NewInodeStorage[visits]()
	forgotten    = ebpf.NewVar[uint64](0)
)

func (v *visits) count() {
	if v != nil {
		v.Count++
		v.Last[v.Count%3] = uint16(v.Count)
	}
}

func visitTask(ctx *ebpf.Tracing) int {
	if ctx.Arg(1) != getppidNumber || ebpf.CurrentPID() != uint32(self) {
		return 0
	}
	task := ebpf.CurrentTask()
	taskVisits.GetOrCreate(task).count()
	if v := taskVisits.Get(task); v != nil && v.Count == 4 {
		if taskVisits.Delete(task) == nil && taskVisits.Get(task) == nil {
			forgotten.Add(1)
		}
	}
	return 0
}

func visitSocket(ctx *ebpf.Tracing) int {
	socketVisits.GetOrCreate((*ebpf.Sock)(ctx.Pointer(0))).count()
	return 0
}

func visitCgroup(ctx *ebpf.Tracing) int {
	cgroupVisits.GetOrCreate((*ebpf.Cgroup)(ctx.Pointer(0))).count()
	return 0
}

func visitInode(ctx *ebpf.Tracing) int {
	if ebpf.CurrentPID() == uint32(self) {
		inodeVisits.GetOrCreate((*ebpf.Inode)(ctx.Pointer(0))).count()
	}
	return int(ctx.Ret())
}

// attachTracing attaches a program of a tracepoint with types.
func attachTracing(t *testing.T, f *feature, p *jit.Program) {
	t.Helper()
	l, err := link.AttachTracing(link.TracingOptions{Program: p.BPF(), AttachType: cebpf.AttachTraceRawTp})
	f.require(t, err)
	t.Cleanup(func() { l.Close() })
}

func TestTaskStorage(t *testing.T) {
	taskStorages.test(t)
	p := taskStorages.compile(t, visitTask, jit.As("tp_btf/sys_enter"), thisProcess(), jit.WithConst("getppidNumber", uint64(unix.SYS_GETPPID)))
	attachTracing(t, taskStorages, p)
	stayOnCPU(t) // and thread
	for range 6 {
		unix.Getppid()
	}
	// 4 and the value was deleted, and 2 from the beginning.
	if forgotten.Load() != 1 {
		t.Errorf("forgotten %d times, want once", forgotten.Load())
	}
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	// The host sees the values of processes' first threads.
	if err := taskVisits.SetFD(fd, visits{Count: 100}); err != nil {
		t.Fatal(err)
	}
	if v, ok := taskVisits.GetFD(fd); !ok || v.Count != 100 {
		t.Errorf("the first thread has %+v, %t", v, ok)
	}
	if err := taskVisits.DeleteFD(fd); err != nil {
		t.Error(err)
	}
	if _, ok := taskVisits.GetFD(fd); ok {
		t.Error("the value is still there")
	}
}

func TestSockStorage(t *testing.T) {
	sockStorages.test(t)
	attachTracing(t, sockStorages, sockStorages.compile(t, visitSocket, jit.As("tp_btf/inet_sock_set_state")))
	near, far, fd := connection(t)
	v, ok := socketVisits.GetFD(fd)
	if !ok || v.Count == 0 || v.Last[v.Count%3] != uint16(v.Count) {
		t.Errorf("the socket has %+v, %t", v, ok)
	}
	before, _ := socketVisits.GetFD(descriptor(t, near))
	if err := near.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if after, _ := socketVisits.GetFD(descriptor(t, near)); after.Count <= before.Count {
		t.Errorf("%d changes of state after closing, %d before", after.Count, before.Count)
	}
	if err := socketVisits.DeleteFD(fd); err != nil {
		t.Error(err)
	}
	_ = far
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if _, ok := socketVisits.GetFD(descriptor(t, udp.(*net.UDPConn))); ok {
		t.Error("a socket that was never seen has a value")
	}
}

func TestCgroupStorage(t *testing.T) {
	cgroupStorages.test(t)
	if !inChild(t, unix.CLONE_NEWNS) {
		return
	}
	root := cgroup2(t)
	attachTracing(t, cgroupStorages, cgroupStorages.compile(t, visitCgroup, jit.As("tp_btf/cgroup_mkdir")))
	dir := root + "/undergo-test"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(dir)
	fd := openDir(t, dir)
	if v, ok := cgroupVisits.GetFD(fd); !ok || v.Count != 1 {
		t.Errorf("the cgroup has %+v, %t", v, ok)
	}
	if _, ok := cgroupVisits.GetFD(openDir(t, root)); ok {
		t.Error("the root has a value")
	}
}

func TestInodeStorage(t *testing.T) {
	inodeStorages.test(t)
	p := inodeStorages.compile(t, visitInode, thisProcess(), jit.As("lsm/inode_mkdir"))
	l, err := attach.Auto(p)
	inodeStorages.require(t, err)
	defer l.Close()
	dir := t.TempDir()
	for _, name := range []string{"/a", "/b"} {
		if err := os.Mkdir(dir+name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if v, ok := inodeVisits.GetFD(openDir(t, dir)); !ok || v.Count != 2 {
		t.Errorf("the directory has %+v, %t", v, ok)
	}
	if _, ok := inodeVisits.GetFD(openDir(t, dir+"/a")); ok {
		t.Error("a directory in which nothing was made has a value")
	}
}
