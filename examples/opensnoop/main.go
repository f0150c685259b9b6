// Opensnoop prints the files that processes open, and those that they fail to open.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// The side of the kernel.

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

// The side of the host.

// options is what is asked for on the command line.
type options struct {
	pid    uint
	failed bool
	name   string
	limit  int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("opensnoop: ")
	var o options
	flag.UintVar(&o.pid, "pid", 0, "only the process with this number; 0 for all")
	flag.BoolVar(&o.failed, "failed", false, "only files that could not be opened")
	flag.StringVar(&o.name, "name", "", "only processes whose name contains this")
	flag.IntVar(&o.limit, "n", 0, "stop after this many lines; 0 is no limit")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		log.Fatal(err)
	}
}

// run prints opened files to w until ctx ends.
func run(ctx context.Context, w io.Writer, o options) error {
	detach, err := start(o)
	if err != nil {
		return err
	}
	defer detach()

	fmt.Fprintf(w, "%-7s %-6s %-16s %4s %3s %s\n", "PID", "UID", "COMM", "FD", "ERR", "PATH")
	lines := 0
	for ev, err := range events.Read(ctx) {
		var lost *ebpf.LostError
		switch {
		case errors.As(err, &lost):
			log.Print(err)
			continue
		case err != nil:
			return err
		case !strings.Contains(ev.Comm.String(), o.name):
			continue
		}
		fd, errno := ev.Ret, syscall.Errno(0)
		if ev.Ret < 0 {
			fd, errno = -1, syscall.Errno(-ev.Ret)
		}
		if _, err := fmt.Fprintf(w, "%-7d %-6d %-16s %4d %3d %s\n", ev.PID, ev.UID, ev.Comm, fd, errno, ebpf.GoString(ev.Path[:])); err != nil {
			return err
		}
		if lines++; lines == o.limit {
			break
		}
	}
	return nil
}

// start compiles the kernel side and attaches it.
func start(o options) (detach func(), err error) {
	var progs []*jit.Program
	var links []*attach.Link
	detach = func() {
		for _, l := range links {
			l.Close()
		}
		for _, p := range progs {
			p.Close()
		}
	}
	defer func() {
		if err != nil {
			detach()
		}
	}()
	pid, failed := jit.WithConst("onlyPID", uint32(o.pid)), jit.WithConst("onlyFailed", o.failed)
	for _, p := range []struct {
		fn     any
		event  string
		filter jit.Option
	}{
		{enterOpen, "sys_enter_open", pid}, {exit, "sys_exit_open", failed},
		{enterOpenat, "sys_enter_openat", pid}, {exit, "sys_exit_openat", failed},
		{enterOpenat2, "sys_enter_openat2", pid}, {exit, "sys_exit_openat2", failed},
	} {
		prog, err := jit.Compile(p.fn, jit.As("tracepoint/syscalls/"+p.event), p.filter)
		if err != nil {
			return nil, err
		}
		progs = append(progs, prog)
	}
	// Not before all are compiled, which opens files.
	for _, p := range progs {
		link, err := attach.Auto(p)
		if errors.Is(err, fs.ErrNotExist) && !strings.HasSuffix(p.Section(), "openat") {
			continue // new architectures have no open, old kernels no openat2
		}
		if err != nil {
			return nil, err
		}
		links = append(links, link)
	}
	return detach, nil
}
