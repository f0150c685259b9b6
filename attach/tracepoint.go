package attach

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/jit"
)

// Tracepoint attaches p to the trace event group/name of tracefs, such as
// "syscalls", "sys_enter_write". It fires on every CPU and for every process.
//
// p must be of type tracepoint. tracefs need not be mounted.
func Tracepoint(p *jit.Program, group, name string) (*Link, error) {
	hook := "tracepoint/" + group + "/" + name
	if err := wantType(p, cebpf.TracePoint); err != nil {
		return nil, attachError(p, hook, err)
	}
	tfs, err := openTracefs()
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	id, err := tfs.eventID(group, name)
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	l, err := attachPerfEvent(p.BPF(), &unix.PerfEventAttr{
		Type:        unix.PERF_TYPE_TRACEPOINT,
		Config:      id,
		Sample_type: unix.PERF_SAMPLE_RAW,
		Sample:      1,
		Wakeup:      1,
	})
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	l.hook, l.prog = hook, p
	l.again = func(p *jit.Program) (*Link, error) { return Tracepoint(p, group, name) }
	return l, nil
}

// eventID returns the number by which perf_event_open knows a trace event. An
// unknown event is an error that names the nearest ones.
func (t *tracefs) eventID(group, name string) (uint64, error) {
	for _, s := range []string{group, name} {
		if s == "" || strings.ContainsAny(s, "/.") {
			return 0, fmt.Errorf("%q is no name of a trace event or group", s)
		}
	}
	text, err := t.readFile("events/" + group + "/" + name + "/id")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, t.unknownEvent(group, name)
	}
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("trace event %s/%s: %w", group, name, err)
	}
	return id, nil
}

func (t *tracefs) unknownEvent(group, name string) error {
	names, err := t.list("events/" + group)
	if err != nil {
		groups, err := t.list("events")
		if err != nil {
			return err
		}
		return unknownName("group of trace events", group, groups)
	}
	return unknownName("trace event in "+group, name, names)
}

func unknownName(what, name string, names []string) error {
	if near := nearest(name, names, 3); len(near) > 0 {
		return fmt.Errorf("no %s is called %q: did you mean %s? %w", what, name, strings.Join(near, ", "), os.ErrNotExist)
	}
	return fmt.Errorf("no %s is called %q: %w", what, name, os.ErrNotExist)
}

// attachPerfEvent opens a perf event on all processes and attaches prog to it:
// by a BPF link (Linux 5.15), else by the ioctl of older kernels.
//
// An event with CPU 0 and no process is how tracepoints are told to BPF: the
// program runs for the event on every CPU, see perf_trace_run_bpf_submit in
// kernel/events/core.c.
func attachPerfEvent(prog *cebpf.Program, attr *unix.PerfEventAttr) (*Link, error) {
	const anyProcess, firstCPU, noGroup = -1, 0, -1
	fd, err := unix.PerfEventOpen(attr, anyProcess, firstCPU, noGroup, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("perf_event_open: %w", err)
	}
	event := os.NewFile(uintptr(fd), "perf_event")
	raw, err := link.AttachRawLink(link.RawLinkOptions{Target: fd, Program: prog, Attach: cebpf.AttachPerfEvent})
	if err == nil {
		// The link holds a reference to the event.
		if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
			return nil, errors.Join(fmt.Errorf("enable perf event: %w", err), raw.Close(), event.Close())
		}
		return &Link{link: raw}, event.Close()
	}
	if !errors.Is(err, link.ErrNotSupported) && !errors.Is(err, unix.EINVAL) {
		return nil, errors.Join(fmt.Errorf("link perf event: %w", err), event.Close())
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, prog.FD()); err != nil {
		return nil, errors.Join(fmt.Errorf("set program of perf event: %w", err), event.Close())
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("enable perf event: %w", err), event.Close())
	}
	return &Link{file: event}, nil
}
