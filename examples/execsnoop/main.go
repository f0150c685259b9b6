// Execsnoop prints the programs that processes run, with their arguments, and how long
// they ran.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// The side of the kernel.

// What an event is about.
const (
	execDone   = iota // a process runs a program
	execFailed        // a process tried to
	exited            // a process that ran a program has ended
)

// So many arguments are kept at most, so many bytes of each, and so many in all.
const (
	maxArgs = 20
	maxArg  = 128
	allArgs = 512
)

// An event is what the kernel side tells.
type event struct {
	Kind     uint32
	PID, UID uint32
	Err      int32  // negative errno of an exec that failed
	Nanos    uint64 // how long the program ran, at its end
	Comm     ebpf.Comm
	Len      uint32        // of Args
	Args     [allArgs]byte // each ends with a zero
}

var (
	calls  = ebpf.NewLRUHash[uint32, event](1024)   // execs that have not returned, by process
	starts = ebpf.NewLRUHash[uint32, uint64](10240) // when processes began to run a program
	events = ebpf.NewRingBuf[event](1 << 20)
)

// Constants of the programs, which the command line gives their values.
var (
	onlyUID = int64(-1) // -1 for all
	failed  bool
)

//ebpf:section tracepoint/syscalls/sys_enter_execve
func enterExecve(ctx *ebpf.SysEnter) int { return enter(uintptr(ctx.Args[1])) }

//ebpf:section tracepoint/syscalls/sys_enter_execveat
func enterExecveat(ctx *ebpf.SysEnter) int { return enter(uintptr(ctx.Args[2])) }

// enter keeps the arguments at argv, in the process's memory, which soon is no more.
func enter(argv uintptr) int {
	if onlyUID >= 0 && onlyUID != int64(ebpf.CurrentUID()) {
		return 0
	}
	ev := calls.LookupOrInit(ebpf.CurrentPID(), event{})
	if ev == nil {
		return 0
	}
	ev.Len = 0
	for range maxArgs {
		arg, err := ebpf.ReadUser[uintptr](argv)
		at := int(ev.Len)
		if err != nil || arg == 0 || at > allArgs-maxArg {
			break
		}
		n, err := ebpf.ReadUserString(ev.Args[at:at+maxArg], arg)
		if err != nil {
			break
		}
		ev.Len += uint32(n) + 1
		argv += unsafe.Sizeof(argv)
	}
	return 0
}

//ebpf:section tracepoint/syscalls/sys_exit_execve
func exitExecve(ctx *ebpf.SysExit) int { return leave(ctx) }

//ebpf:section tracepoint/syscalls/sys_exit_execveat
func exitExecveat(ctx *ebpf.SysExit) int { return leave(ctx) }

func leave(ctx *ebpf.SysExit) int {
	pid := ebpf.CurrentPID()
	ev := calls.Lookup(pid)
	if ev == nil {
		return 0
	}
	ev.PID, ev.UID, ev.Comm = pid, ebpf.CurrentUID(), ebpf.CurrentComm()
	if ctx.Ret == 0 {
		ev.Kind = execDone
		starts.Set(pid, ebpf.KtimeGetNs())
		events.Output(*ev)
	} else if failed {
		ev.Kind, ev.Err = execFailed, int32(ctx.Ret)
		events.Output(*ev)
	}
	calls.Delete(pid)
	return 0
}

//ebpf:section tracepoint/sched/sched_process_exit
func exit(ctx ebpf.Context) int {
	pid := ebpf.CurrentPID()
	if pid != ebpf.CurrentTID() {
		return 0 // another thread than the first
	}
	start, ok := starts.Get(pid)
	if !ok {
		return 0
	}
	starts.Delete(pid)
	if ev := events.Reserve(); ev != nil {
		ev.Kind, ev.PID, ev.UID, ev.Comm = exited, pid, ebpf.CurrentUID(), ebpf.CurrentComm()
		ev.Nanos = ebpf.KtimeGetNs() - start
		events.Submit(ev)
	}
	return 0
}

// The side of the host.

// options is what is asked for on the command line.
type options struct {
	uid    int
	failed bool
	name   string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("execsnoop: ")
	var o options
	flag.IntVar(&o.uid, "uid", -1, "only processes of the user with this number; -1 for all")
	flag.BoolVar(&o.failed, "failed", false, "also programs that could not be run")
	flag.StringVar(&o.name, "name", "", "only programs whose name contains this")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		log.Fatal(err)
	}
}

// run prints programs to w until ctx ends.
func run(ctx context.Context, w io.Writer, o options) error {
	uid, failed := jit.WithConst("onlyUID", int64(o.uid)), jit.WithConst("failed", o.failed)
	for _, p := range []struct {
		fn   any
		opts []jit.Option
	}{
		{enterExecve, []jit.Option{uid}}, {exitExecve, []jit.Option{failed}},
		{enterExecveat, []jit.Option{uid}}, {exitExecveat, []jit.Option{failed}},
		{exit, nil},
	} {
		prog, err := jit.Compile(p.fn, p.opts...)
		if err != nil {
			return err
		}
		defer prog.Close()
		link, err := attach.Auto(prog)
		if err != nil {
			return err
		}
		defer link.Close()
	}

	fmt.Fprintf(w, "%-5s %-16s %-7s %-6s %-12s %s\n", "EVENT", "COMM", "PID", "UID", "RESULT", "ARGS")
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
		what, result := "exec", "ok"
		switch ev.Kind {
		case execFailed:
			result = syscall.Errno(-ev.Err).Error()
		case exited:
			what, result = "exit", time.Duration(ev.Nanos).Round(time.Microsecond).String()
		}
		if _, err := fmt.Fprintf(w, "%-5s %-16s %-7d %-6d %-12s %s\n", what, ev.Comm, ev.PID, ev.UID, result, arguments(&ev)); err != nil {
			return err
		}
	}
	return nil
}

// arguments returns the arguments of an exec as a shell would take them.
func arguments(ev *event) string {
	var b strings.Builder
	for arg := range bytes.SplitAfterSeq(ev.Args[:min(ev.Len, allArgs)], []byte{0}) {
		if len(arg) == 0 {
			continue
		}
		s := ebpf.GoString(arg)
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`"'$&|;<>()*?\`, r) }) {
			s = strconv.Quote(s)
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	return b.String()
}
