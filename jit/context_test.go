package jit_test

import (
	"testing"

	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// The type of the context says what kind of program a function is: those of package ebpf, and
// those that a package declares for itself.
func TestContexts(t *testing.T) {
	c, err := jit.CompileSource("p.go", `package p

import "github.com/undergo-ebpf/undergo/ebpf"

//ebpf:context tracepoint
type wakeup struct {
	_   [8]byte
	_   [16]byte
	PID int32
}

func Sched_SchedWakeup(ctx ebpf.Context) int { return 0 }

func Syscalls_SysEnterOpenat(ctx *ebpf.SysEnter) int { return int(ctx.Number) + int(ctx.Args[1]) }

func Syscalls_SysExitOpenat(ctx *ebpf.SysExit) int { return int(ctx.Number) + int(ctx.Ret) }

//ebpf:section tp/sched/sched_wakeup_new
func own(ctx *wakeup) int { return int(ctx.PID) }
`, jit.WithTarget(lower.TargetFor(lower.Version{Major: 6, Minor: 12}, "amd64")))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Sched_SchedWakeup":       "tracepoint/sched/sched_wakeup",
		"Syscalls_SysEnterOpenat": "tracepoint/syscalls/sys_enter_openat",
		"Syscalls_SysExitOpenat":  "tracepoint/syscalls/sys_exit_openat",
		"own":                     "tp/sched/sched_wakeup_new",
	} {
		if p := c.Programs[name]; p == nil || p.Section() != want {
			t.Errorf("%s is %v, want %s", name, p, want)
		}
	}
}
