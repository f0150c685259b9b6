package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// This file runs the examples that observe the system, and makes what they observe happen.

// An observer is a running example.
type observer struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.Writer
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

// observe starts a program and waits until it prints a line that contains ready, from which on
// it observes.
func observe(t *testing.T, program, ready string, args ...string) *observer {
	t.Helper()
	o := &observer{t: t, cmd: exec.Command(program, args...)}
	o.cmd.Stderr = &o.stderr
	stdout, err := o.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	o.lines = bufio.NewScanner(stdout)
	if o.stdin, err = o.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timeout := time.AfterFunc(patience, func() { o.cmd.Process.Kill() })
	t.Cleanup(func() {
		timeout.Stop()
		o.cmd.Process.Kill()
		io.Copy(io.Discard, stdout)
		o.cmd.Wait()
	})
	o.find(regexp.MustCompile(regexp.QuoteMeta(ready)))
	return o
}

// find returns the next line that matches, and fails the test if there is none.
func (o *observer) find(line *regexp.Regexp) string {
	o.t.Helper()
	for o.lines.Scan() {
		if line.MatchString(o.lines.Text()) {
			return o.lines.Text()
		}
	}
	o.t.Fatalf("no line like %v; it says %q", line, o.stderr.Bytes())
	return ""
}

// interrupt presses Ctrl-C.
func (o *observer) interrupt() {
	o.t.Helper()
	if err := o.cmd.Process.Signal(os.Interrupt); err != nil {
		o.t.Fatal(err)
	}
}

// rest returns all further lines of an example that has been interrupted, which must end well.
func (o *observer) rest() string {
	o.t.Helper()
	var b strings.Builder
	for o.lines.Scan() {
		b.WriteString(o.lines.Text() + "\n")
	}
	if err := o.cmd.Wait(); err != nil || o.stderr.Len() > 0 {
		o.t.Errorf("it ends with %v and says %q", err, o.stderr.Bytes())
	}
	return b.String()
}

func nothing(ebpf.Context) int { return 0 }

// requireSnoopers skips the test if tracepoints cannot be used at all.
func requireSnoopers(t *testing.T) {
	t.Helper()
	snoopers.test(t)
	p := snoopers.compile(t, nothing, jit.As("tracepoint/syscalls/sys_enter_getppid"))
	l, err := attach.Auto(p)
	snoopers.require(t, err)
	l.Close()
}

func TestOpensnoop(t *testing.T) {
	requireSnoopers(t)
	dir := t.TempDir()
	there, missing := filepath.Join(dir, "there"), filepath.Join(dir, "missing")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opensnoop := program(t, "examples/opensnoop")
	for _, tt := range []struct {
		args []string
		want []string // in this order
	}{
		{nil, []string{`0 ` + there, fmt.Sprintf("-1 +%d %s", unix.ENOENT, missing)}},
		{[]string{"-failed"}, []string{fmt.Sprintf("-1 +%d %s", unix.ENOENT, missing)}},
	} {
		args := append(tt.args, "-pid", fmt.Sprint(os.Getpid()))
		o := observe(t, opensnoop, "PATH", args...)
		// Its path is in the kernel's memory when the test opens it, and in the test's.
		for range 2 {
			f, err := os.Open(there)
			if err != nil {
				t.Fatal(err)
			}
			f.Close()
			if _, err := os.Open(missing); err == nil {
				t.Fatal("it exists")
			}
		}
		for _, want := range tt.want {
			line := o.find(regexp.MustCompile(dir))
			if !regexp.MustCompile(fmt.Sprintf(`^%d +%d +\S.* %s$`, os.Getpid(), os.Getuid(), want)).MatchString(line) {
				t.Errorf("%v: line %q, want one with %s", args, line, want)
			}
		}
		o.interrupt()
		o.rest()
	}
}

func TestExecsnoop(t *testing.T) {
	requireSnoopers(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := observe(t, program(t, "examples/execsnoop"), "ARGS", "-failed")
	cmd := exec.Command(self, "-test.run=^$", "an argument", "another")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	missing := exec.Command(self)
	missing.Path = filepath.Join(t.TempDir(), "missing")
	if err := missing.Run(); err == nil {
		t.Fatal("it exists")
	}
	pid := cmd.Process.Pid
	comm := filepath.Base(self)
	comm = regexp.QuoteMeta(comm[:min(len(comm), 15)])
	o.find(regexp.MustCompile(fmt.Sprintf(`^exec +%s +%d +%d +ok +%s$`, comm, pid, os.Getuid(),
		regexp.QuoteMeta(self+` "-test.run=^$" "an argument" another`))))
	line := o.find(regexp.MustCompile(fmt.Sprintf(`^exit +%s +%d `, comm, pid)))
	ran, err := time.ParseDuration(strings.Fields(line)[4])
	if err != nil || ran <= 0 || ran > patience {
		t.Errorf("it ran %v, %v: %q", ran, err, line)
	}
	o.find(regexp.MustCompile(`no such file or directory ` + regexp.QuoteMeta(self) + `$`))
	o.interrupt()
	o.rest()
}

// histogramLine is a row of what runqlat prints.
var histogramLine = regexp.MustCompile(`^ *(\d+) -> (\d+) +: (\d+) +\|\** *\|$`)

func TestRunqlat(t *testing.T) {
	requireSnoopers(t)
	o := observe(t, program(t, "examples/runqlat"), "Measuring")
	// Two goroutines on threads of their own wake each other up.
	ping, pong := make([]int, 2), make([]int, 2)
	if err := unix.Pipe(ping); err != nil {
		t.Fatal(err)
	}
	if err := unix.Pipe(pong); err != nil {
		t.Fatal(err)
	}
	const rounds = 500
	go func() {
		buf := []byte{0}
		for range rounds {
			unix.Read(ping[0], buf)
			unix.Write(pong[1], buf)
		}
	}()
	buf := []byte{0}
	for range rounds {
		unix.Write(ping[1], buf)
		unix.Read(pong[0], buf)
	}
	for _, fd := range append(ping, pong...) {
		unix.Close(fd)
	}
	o.interrupt()
	var total, rows, end uint64
	for line := range strings.Lines(o.rest()) {
		m := histogramLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		var from, to, n uint64
		fmt.Sscan(m[1]+" "+m[2]+" "+m[3], &from, &to, &n)
		if rows > 0 && from != end+1 || from > to {
			t.Errorf("row of %d to %d follows one up to %d", from, to, end)
		}
		total += n
		rows++
		end = to
	}
	if rows == 0 || total < rounds {
		t.Errorf("%d waits in %d rows, want at least the %d of the test", total, rows, rounds)
	}
}
