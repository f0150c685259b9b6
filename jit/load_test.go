package jit_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// Syscalls_SysEnterWrite is the hello world of the package documentation.
func Syscalls_SysEnterWrite(ctx ebpf.Context) int {
	pid := ebpf.GetCurrentPidTgid() >> 32
	if pid != 0 {
		ebpf.Printk("BPF triggered sys_enter_write from PID %d.\n", pid)
	}
	return 0
}

// needPrivilege skips the test if err is a missing privilege, except on CI.
func needPrivilege(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, unix.EPERM) && os.Getenv("CI") != "true" {
		t.Skipf("skipped for want of privileges: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestHello(t *testing.T) {
	p, err := jit.Compile(Syscalls_SysEnterWrite, jit.WithDumps())
	needPrivilege(t, err)
	defer p.Close()
	if p.Name() != "Syscalls_SysEnterWrite" || p.Section() != "tracepoint/syscalls/sys_enter_write" || p.BPF() == nil {
		t.Errorf("program %s of section %s", p.Name(), p.Section())
	}
	for _, stage := range p.Stages() {
		if text, err := p.Dump(stage); err != nil || strings.TrimSpace(text) == "" {
			t.Errorf("dump %s: %q, %v", stage, text, err)
		}
	}
	s := p.Stats()
	if s.Insns == 0 || s.Verified == 0 || s.Total() == 0 {
		t.Errorf("stats: %+v", s)
	}
	asm, _ := p.Dump("asm")
	t.Log(asm)
	t.Logf("%+v", s)
}
