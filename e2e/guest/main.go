// Guest is the first program of a test machine: it makes the file systems that
// eBPF needs, loads modules, runs the programs one after the other, prints the worst
// exit status and ends the machine. Package e2e/qemu puts it into the machine.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// exitMarker is what package qemu looks for.
const exitMarker = "UNDERGO-GUEST-EXIT "

func main() {
	status, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		status = 125
	}
	// On a line of its own, whatever was printed before.
	fmt.Printf("\n%s%d\n", exitMarker, status)
	drain()
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	select {} // init must not return
}

func run() (int, error) {
	for _, m := range mounts {
		if err := os.MkdirAll(m.dir, 0o755); err != nil && !m.optional {
			return 0, err
		}
		if err := unix.Mount(m.fstype, m.dir, m.fstype, 0, ""); err != nil && !m.optional {
			return 0, fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	if err := openConsole(); err != nil {
		return 0, err
	}
	if err := loopbackUp(); err != nil {
		return 0, err
	}
	// Before Linux 5.11 maps count against this limit.
	unlimited := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unlimited); err != nil {
		return 0, err
	}
	if err := loadModules(); err != nil {
		return 0, err
	}
	return runPrograms()
}

// mounts are what programs expect to find. The root is a file system in memory
// already, so that /tmp, in which the tests' source may be, needs none.
var mounts = []struct {
	dir, fstype string
	optional    bool
}{
	{"/proc", "proc", false},
	{"/sys", "sysfs", false},
	{"/dev", "devtmpfs", false},
	{"/dev/pts", "devpts", true},
	{"/dev/shm", "tmpfs", false},
	{"/run", "tmpfs", false},
	{"/sys/kernel/debug", "debugfs", true},
	{"/sys/kernel/tracing", "tracefs", true},
	{"/sys/kernel/security", "securityfs", true},
	{"/sys/fs/bpf", "bpf", true},
	{"/sys/fs/cgroup", "cgroup2", true},
}

// openConsole makes the console this process's input and output, without the
// translation of newlines that would break the lines of go test -json.
func openConsole() error {
	f, err := os.OpenFile("/dev/console", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Oflag &^= unix.OPOST
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t); err != nil {
		return err
	}
	for fd := range 3 {
		if err := unix.Dup3(int(f.Fd()), fd, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return err
		}
	}
	return nil
}

// loopbackUp brings the interface lo up.
func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr)
}

func loadModules() error {
	order, err := os.ReadFile("/modules.order")
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(string(order)) {
		data, err := os.ReadFile("/modules/" + name)
		if err != nil {
			return err
		}
		if err := unix.InitModule(data, ""); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("module %s: %w", name, err)
		}
	}
	return nil
}

// runPrograms runs the programs, which are in numbered directories, and returns the
// worst exit status.
func runPrograms() (worst int, err error) {
	dirs, err := filepath.Glob("/programs/*")
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		name, err := os.ReadFile(filepath.Join(dir, "name"))
		if err != nil {
			return 0, err
		}
		start := time.Now()
		status, err := runProgram(dir)
		if err != nil {
			return 0, err
		}
		if len(dirs) > 1 {
			verdict := "ok  "
			if status != 0 {
				verdict = "FAIL"
			}
			fmt.Printf("%s\t%s\t%.1fs\n", verdict, name, time.Since(start).Seconds())
		}
		worst = max(worst, status)
	}
	return worst, nil
}

// runProgram runs the program in dir and returns its exit status.
func runProgram(dir string) (int, error) {
	args, err := readList(filepath.Join(dir, "args"))
	if err != nil {
		return 0, err
	}
	env, err := readList(filepath.Join(dir, "env"))
	if err != nil {
		return 0, err
	}
	cwd, err := os.ReadFile(filepath.Join(dir, "dir"))
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(filepath.Join(dir, "main"), args...)
	cmd.Dir = string(cwd)
	cmd.Env = append([]string{"PATH=/bin", "HOME=/tmp", "TMPDIR=/tmp"}, env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, os.Stdout, os.Stderr
	cmd.WaitDelay = 2 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode() & 0xff, nil
	}
	return 0, err
}

// readList reads a file of NUL-separated strings.
func readList(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil || len(data) == 0 {
		return nil, err
	}
	var out []string
	for s := range bytes.SplitSeq(data, []byte{0}) {
		out = append(out, string(s))
	}
	return out, nil
}

// drain waits until the console has sent everything.
func drain() {
	// TCSBRK with a nonzero argument is tcdrain(3).
	unix.IoctlSetInt(int(os.Stdout.Fd()), unix.TCSBRK, 1)
}
