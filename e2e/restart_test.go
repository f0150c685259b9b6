package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// restartEnv is, in the processes that TestRestart starts, the directory of pins.
const restartEnv = "UNDERGO_TEST_RESTART"

// calls counts system calls of a process, in a map that outlasts whoever loads it.
var calls = ebpf.NewHash[uint32, uint64](16)

func countCalls(ctx *ebpf.RawTracepoint) int {
	if pid := ebpf.CurrentPID(); ctx.Arg(1) == getppidNumber && pid == uint32(self) {
		calls.Add(pid, 1)
	}
	return 0
}

// observeCalls is what the processes do that TestRestart starts: they attach the program in place
// of that of the process before, say what has been counted whenever they read a line, and
// leave the program attached.
func observeCalls(t *testing.T, dir string) {
	var pid uint32
	fmt.Sscan(os.Getenv("UNDERGO_TEST_PID"), &pid)
	p, err := jit.Compile(countCalls, jit.WithConst("self", uint64(pid)), jit.WithConst("getppidNumber", uint64(unix.SYS_GETPPID)), jit.PinMaps(dir))
	if err != nil {
		t.Fatal(err)
	}
	l, err := attach.RawTracepoint(p, "sys_enter")
	if err != nil {
		t.Fatal(err)
	}
	detachPinned(t, dir+"/link")
	if err := l.Pin(dir + "/link"); err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		n, _ := calls.Get(pid)
		info, err := calls.Info()
		fmt.Println("counted", n, info.ID, err)
	}
}

// detachPinned removes the link pinned at path, if there is one, and waits until the kernel has
// released it, which it does soon, but not at once.
func detachPinned(t *testing.T, path string) {
	t.Helper()
	l, err := link.LoadPinnedLink(path, nil)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	info, err := l.Info()
	if err := errors.Join(err, l.Unpin(), l.Close()); err != nil {
		t.Fatal(err)
	}
	waitGone(t, "link", func() error {
		l, err := link.NewFromID(info.ID)
		if err == nil {
			l.Close()
		}
		return err
	})
}

// waitGone waits until open, which opens an object of the kernel, fails because there is none.
func waitGone(t *testing.T, what string, open func() error) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := open()
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there: %v", what, err)
		}
	}
}

// TestRestart kills a process that counts, and starts another: the program counts on all the
// while, and nothing is left in the end.
func TestRestart(t *testing.T) {
	if os.Getenv(restartEnv) != "" {
		observeCalls(t, os.Getenv(restartEnv))
		return
	}
	rawTracepoints.test(t)
	if !inChild(t, unix.CLONE_NEWNS) {
		return
	}
	dir := t.TempDir()
	if err := unix.Mount("nodev", dir, "bpf", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	var id cebpf.MapID
	for round := range uint64(3) {
		o := startObserver(t, dir)
		getppid() // counted by the new process's program
		var n uint64
		if _, err := fmt.Sscan(o.ask(t), &n, &id); err != nil {
			t.Fatal(err)
		}
		if want := 10*round + 5; n != want {
			t.Errorf("process %d has counted %d, want %d", round, n, want)
		}
		if err := o.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		o.cmd.Wait()
		getppid() // by the program that it has left behind
	}
	for _, name := range []string{"link", "calls"} {
		if err := os.Remove(dir + "/" + name); err != nil {
			t.Error(err)
		}
	}
	waitGone(t, "map", func() error {
		m, err := cebpf.NewMapFromID(id)
		if err == nil {
			m.Close()
		}
		return err
	})
}

// A restarted is a process that runs observeCalls.
type restarted struct {
	cmd   *exec.Cmd
	in    *os.File
	lines *bufio.Scanner
}

func startObserver(t *testing.T, dir string) *restarted {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := exec.Command(exe, "-test.run=^TestRestart$")
	cmd.Env = append(os.Environ(), restartEnv+"="+dir, fmt.Sprintf("UNDERGO_TEST_PID=%d", os.Getpid()))
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); write.Close() })
	o := &restarted{cmd, write, bufio.NewScanner(out)}
	o.ask(t) // until it has attached its program
	return o
}

// ask returns what the process has counted, and the number of its map.
func (o *restarted) ask(t *testing.T) string {
	t.Helper()
	if _, err := o.in.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	var said []string
	for o.lines.Scan() {
		if rest, ok := strings.CutPrefix(o.lines.Text(), "counted "); ok {
			return rest
		}
		said = append(said, o.lines.Text())
	}
	t.Fatalf("the process has ended: %q", said)
	return ""
}
