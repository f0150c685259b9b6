package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// readSize is the size by which probes recognise the reads of readZeros.
const readSize = 1234

// readZeros makes five reads of readSize bytes.
func readZeros(t *testing.T) {
	t.Helper()
	f, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 5 {
		if n, err := unix.Read(int(f.Fd()), make([]byte, readSize)); n != readSize || err != nil {
			t.Fatalf("read /dev/zero: %d, %v", n, err)
		}
	}
}

// The programs are attached to vfs_read(file, buf, count, pos).

func readEntered(ctx *ebpf.Regs) int {
	if ebpf.GetCurrentPidTgid()>>32 == self && ctx.Arg(2) == readSize && ctx.PC() != 0 && ctx.SP() != 0 {
		hits++
	}
	return 0
}

func readReturned(ctx *ebpf.Regs) int {
	if ebpf.GetCurrentPidTgid()>>32 == self && ctx.Ret() == readSize {
		hits++
	}
	return 0
}

func readTraced(ctx *ebpf.Tracing) int {
	if ebpf.GetCurrentPidTgid()>>32 == self && ctx.Arg(2) == readSize && ctx.Arg(0) != 0 {
		hits++
	}
	return 0
}

func readTracedExit(ctx *ebpf.Tracing) int {
	if ebpf.GetCurrentPidTgid()>>32 == self && ctx.Arg(2) == readSize && ctx.Ret() == readSize {
		hits++
	}
	return 0
}

func TestKprobe(t *testing.T) {
	kprobes.test(t)
	for _, tt := range []struct {
		name, hook string
		fn         any
		attach     func(*jit.Program) (*attach.Link, error)
	}{
		{"entry", "kprobe/vfs_read", readEntered, func(p *jit.Program) (*attach.Link, error) { return attach.Kprobe(p, "vfs_read") }},
		{"exit", "kretprobe/vfs_read", readReturned, func(p *jit.Program) (*attach.Link, error) { return attach.Kretprobe(p, "vfs_read") }},
		{"auto entry", "kprobe/vfs_read", readEntered, attach.Auto},
		{"auto exit", "kretprobe/vfs_read", readReturned, attach.Auto},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := kprobes.compile(t, tt.fn, thisProcess(), jit.As(tt.hook))
			l, err := tt.attach(p)
			kprobes.require(t, err)
			if l.String() != tt.hook {
				t.Errorf("attached to %s, want %s", l, tt.hook)
			}
			wantHits(t, p, l, 5, func() { readZeros(t) })
		})
	}
	t.Run("system call", func(t *testing.T) {
		p := kprobes.compileSource(t, `
			var self, hits uint64
			//ebpf:section kprobe/sys_getppid
			func probe(ctx *ebpf.Regs) int {
				if ebpf.GetCurrentPidTgid()>>32 == self {
					hits++
				}
				return 0
			}`, thisProcess())
		l, err := attach.Auto(p)
		kprobes.require(t, err)
		wantHits(t, p, l, 5, getppid)
	})
	t.Run("errors", func(t *testing.T) {
		p := kprobes.compile(t, readEntered, thisProcess())
		l, err := attach.Kprobe(p, "vfs_read")
		kprobes.require(t, err)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = attach.Kprobe(p, "vfs_raed")
		wantError(t, err, "kprobe/vfs_raed", "did you mean", "vfs_read")
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v does not wrap os.ErrNotExist", err)
		}
		_, err = attach.Auto(p)
		wantError(t, err, `section "kprobe" does not say where`)
		_, err = attach.Kprobe(tracepoints.compile(t, countGetppid, thisProcess(), jit.As("tp/syscalls/sys_enter_getppid")), "vfs_read")
		wantError(t, err, "program type is TracePoint, want Kprobe")
	})
}

func TestFentry(t *testing.T) {
	trampolines.test(t)
	for _, tt := range []struct {
		name, hook string
		fn         any
		attach     func(*jit.Program) (*attach.Link, error)
	}{
		{"entry", "fentry/vfs_read", readTraced, func(p *jit.Program) (*attach.Link, error) { return attach.Fentry(p) }},
		{"exit", "fexit/vfs_read", readTracedExit, func(p *jit.Program) (*attach.Link, error) { return attach.Fexit(p) }},
		{"auto entry", "fentry/vfs_read", readTraced, attach.Auto},
		{"auto exit", "fexit/vfs_read", readTracedExit, attach.Auto},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := trampolines.compile(t, tt.fn, thisProcess(), jit.As(tt.hook))
			l, err := tt.attach(p)
			trampolines.require(t, err)
			wantHits(t, p, l, 5, func() { readZeros(t) })
			_, err = attach.LSM(p)
			wantError(t, err, "//ebpf:section lsm/NAME")
		})
	}
}

// denyMkdir is attached to inode_mkdir(dir, dentry, mode).
func denyMkdir(ctx *ebpf.Tracing) int {
	if ctx.Ret() != 0 {
		return int(ctx.Ret()) // an earlier program denied it
	}
	if ebpf.GetCurrentPidTgid()>>32 == self && ctx.Arg(2)&0o777 == 0o500 {
		hits++
		return -1 // EPERM
	}
	return 0
}

func TestLSM(t *testing.T) {
	lsm.test(t)
	p := lsm.compile(t, denyMkdir, thisProcess(), jit.As("lsm/inode_mkdir"))
	l, err := attach.Auto(p)
	lsm.require(t, err)
	defer l.Close()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "denied"), 0o500); !errors.Is(err, unix.EPERM) {
		t.Errorf("mkdir with mode 500: %v, want EPERM from the program", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "allowed"), 0o700); err != nil {
		t.Errorf("mkdir with mode 700: %v", err)
	}
	if n := words(t, p)[0]; n != 1 {
		t.Errorf("the program denied %d times, want 1", n)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "denied"), 0o500); err != nil {
		t.Errorf("mkdir with mode 500 after Close: %v", err)
	}
	_, err = jit.Compile(denyMkdir, thisProcess(), jit.As("lsm/inode_mkdri"))
	wantError(t, err, "this kernel has no hook inode_mkdri")
}

// TestRegsErrors compiles for given machines, which needs no kernel.
func TestRegsErrors(t *testing.T) {
	for _, tt := range []struct{ name, stmt, want string }{
		{"too many", "return int(ctx.Arg(6))", "argument 6 of the probed function: 6 are in registers on amd64"},
		{"negative", "const n = -1; return int(ctx.Arg(n))", "argument -1 of the probed function"},
		{"variable", "n := int(ebpf.GetSmpProcessorId()); return int(ctx.Arg(n))", "number of an argument that is not constant"},
		{"copy", "r := *ctx; return int(r.Ret())", "copy of the context"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := jit.CompileSource("p.go", "package p\nimport \"github.com/undergo-ebpf/undergo/ebpf\"\n"+
				"//ebpf:section kprobe/vfs_read\nfunc f(ctx *ebpf.Regs) int { "+tt.stmt+" }", jit.WithTarget(amd64))
			wantError(t, err, "p.go:4:", tt.want)
		})
	}
	native := ebpf.NewRegs(7, 1, 2, 3)
	if native.Arg(2) != 3 || native.Ret() != 7 {
		t.Errorf("native registers: argument 2 is %d, result %d", native.Arg(2), native.Ret())
	}
}

// amd64 is a target for tests that load nothing.
var amd64 = lower.TargetFor(lower.Version{Major: 6, Minor: 12}, "amd64")
