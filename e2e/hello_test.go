package e2e

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// helloLine is what the example prints: the line of the kernel's trace.
var helloLine = regexp.MustCompile(`^ *\S+-\d+ .*bpf_trace_printk: BPF triggered sys_enter_write from PID \d+\.$`)

// patience is how long tests wait for what must happen: an emulated machine that shares its
// processors needs ten times as long as others.
const patience = 2 * time.Minute

// TestHello runs the example for a number of lines.
func TestHello(t *testing.T) {
	printk.test(t)
	printk.require(t, traceReadable())
	stop := writeAlways(t)
	defer stop()
	cmd := exec.Command(program(t, "examples/hello"), "-lines", "3")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	timeout := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timeout.Stop()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.Bytes())
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != 3 {
		t.Errorf("%d lines, want 3", len(lines))
	}
	for _, l := range lines {
		if !helloLine.MatchString(l) {
			t.Errorf("line %q is not like %v", l, helloLine)
		}
	}
}

// TestHelloInterrupt presses Ctrl-C after the first line.
func TestHelloInterrupt(t *testing.T) {
	printk.test(t)
	printk.require(t, traceReadable())
	stop := writeAlways(t)
	defer stop()
	cmd := exec.Command(program(t, "examples/hello"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timeout := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timeout.Stop()
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || !helloLine.MatchString(lines.Text()) {
		t.Errorf("first line %q is not like %v", lines.Text(), helloLine)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, stdout) // what came before the signal
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v: %s", err, stderr.Bytes())
	}
	if stderr.Len() > 0 {
		t.Errorf("it says %q", stderr.Bytes())
	}
}

// traceReadable returns why the trace pipe cannot be opened, if so.
func traceReadable() error {
	pipe, err := attach.OpenTracePipe()
	if err != nil {
		return err
	}
	return pipe.Close()
}

// writeAlways calls write(2) all the time until the function that it returns is called.
func writeAlways(t *testing.T) (stop func()) {
	t.Helper()
	null, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer null.Close()
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				null.Write([]byte{0})
			}
		}
	}()
	return func() { close(done); <-ended }
}

// TestTracefs attaches to a tracepoint where tracefs is not mounted, and leaves
// it so.
func TestTracefs(t *testing.T) {
	tracepoints.test(t)
	if !inChild(t, unix.CLONE_NEWNS) {
		return
	}
	unmountTracefs(t)
	checkTracefs(t)
	if left := tracefsMounts(t); len(left) > 0 {
		t.Errorf("tracefs is mounted at %v now", left)
	}
}

// TestTracefsElsewhere attaches where tracefs is mounted in an unusual place.
// It is a test of its own because a process looks for tracefs once.
func TestTracefsElsewhere(t *testing.T) {
	tracepoints.test(t)
	if !inChild(t, unix.CLONE_NEWNS) {
		return
	}
	unmountTracefs(t)
	dir := t.TempDir() + "/with space"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("nodev", dir, "tracefs", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	checkTracefs(t)
}

func checkTracefs(t *testing.T) {
	t.Helper()
	p := tracepoints.compile(t, Syscalls_SysEnterGetppid, thisProcess())
	l, err := attach.Auto(p)
	tracepoints.require(t, err)
	wantHits(t, p, l, 5, getppid)
	printk.require(t, traceReadable())
}

func unmountTracefs(t *testing.T) {
	t.Helper()
	for _, dir := range tracefsMounts(t) {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
	}
}

// tracefsMounts returns where tracefs is mounted, innermost last.
func tracefsMounts(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); f[2] == "tracefs" {
			dirs = append(dirs, f[1])
		}
	}
	return dirs
}

var written uint64

// tellWrites prints four values, one more than bpf_trace_printk can.
func tellWrites(ctx ebpf.Context) int {
	if ebpf.GetCurrentPidTgid()>>32 == self {
		written++
		ebpf.Printk("undergo test: %d %x %d %d", written, written+9, -int8(written), written*2)
	}
	return 0
}

// TestPrintkAny prints more arguments than bpf_trace_printk takes.
func TestPrintkAny(t *testing.T) {
	printkAny.test(t)
	pipe, err := attach.OpenTracePipe()
	printkAny.require(t, err)
	defer pipe.Close()
	p := printkAny.compile(t, tellWrites, thisProcess(), jit.As("tp/syscalls/sys_enter_getppid"))
	l, err := attach.Auto(p)
	printkAny.require(t, err)
	defer l.Close()
	unix.Getppid()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const want = "undergo test: 1 a -1 2"
	for {
		line, err := pipe.ReadLine(ctx)
		if err != nil {
			t.Fatalf("%v: no line %q", err, want)
		}
		if strings.HasSuffix(line, want) {
			return
		}
	}
}

// TestPin pins a link, which then holds the program attached.
func TestPin(t *testing.T) {
	perfLinks.test(t)
	if !inChild(t, unix.CLONE_NEWNS) {
		return
	}
	dir := t.TempDir()
	if err := unix.Mount("nodev", dir, "bpf", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	p := perfLinks.compile(t, Syscalls_SysEnterGetppid, thisProcess())
	l, err := attach.Auto(p)
	perfLinks.require(t, err)
	pinned := dir + "/link"
	err = l.Pin(pinned)
	perfLinks.require(t, err)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	before := words(t, p)[0]
	getppid()
	if n := words(t, p)[0] - before; n != 5 {
		t.Errorf("ran %d times after Close, want 5: it is pinned", n)
	}
	if err := os.Remove(pinned); err != nil {
		t.Fatal(err)
	}
	// The kernel releases the link soon, but not at once.
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		before = words(t, p)[0]
		getppid()
		n := words(t, p)[0] - before
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still runs %v after the pin was removed", patience)
		}
	}
}
