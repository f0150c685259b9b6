package qemu

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/undergo-ebpf/undergo/e2e/kernels"
)

// A Machine describes a guest and what it runs.
type Machine struct {
	Kernel   *kernels.Kernel
	Emulator *kernels.Emulator
	// Init is the path of the guest's first program, a build of e2e/guest.
	Init string
	// Programs are run one after the other.
	Programs []Program
	// Data is copied to /test: the path below it for each file or directory of the
	// host.
	Data map[string]string
	// Source is a directory whose Go source is copied to the same path in the
	// guest, Files are files that are.
	Source string
	Files  []string
	// Modules are loaded before the programs run.
	Modules []string
	// Memory is the guest's memory in MiB.
	Memory int
	// KVM uses hardware virtualisation instead of emulation.
	KVM bool
	// Output receives what the program and the kernel print.
	Output io.Writer
}

// A Program is a static program to run in a guest.
type Program struct {
	Path string // on the host
	Name string // for messages
	Args []string
	Env  []string // besides PATH and HOME
	// Dir is the directory that it runs in, which must be in the machine's Source. If
	// empty, it is /test.
	Dir string
}

// ErrNoResult is returned when the guest ended before the program did: it
// crashed or could not boot.
var ErrNoResult = errors.New("the guest ended without a result")

// Run boots the guest and returns the programs' worst exit status. The guest does
// not outlive ctx, nor this process.
func (m *Machine) Run(ctx context.Context) (int, error) {
	dir, err := kernels.TempDir("")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	initrd := filepath.Join(dir, "initrd")
	if err := m.writeInitrd(initrd); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, m.Emulator.Path, m.args(initrd)...)
	cmd.Env = append(os.Environ(), m.Emulator.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	console, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	status, found := m.stream(console)
	err = cmd.Wait()
	switch {
	case found:
		return status, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return 0, fmt.Errorf("the guest with Linux %s was ended because its programs were not done in time: %w", m.Kernel.Release, ctx.Err())
	case ctx.Err() != nil:
		return 0, fmt.Errorf("guest with Linux %s: %w", m.Kernel.Release, ctx.Err())
	case err != nil:
		return 0, fmt.Errorf("%s: %w: %s", filepath.Base(m.Emulator.Path), err, strings.TrimSpace(stderr.String()))
	}
	return 0, fmt.Errorf("guest with Linux %s: %w", m.Kernel.Release, ErrNoResult)
}

// exitMarker precedes the exit status on the last line that the guest prints.
const exitMarker = "UNDERGO-GUEST-EXIT "

// stream copies the console to the output up to the line with the exit status.
func (m *Machine) stream(console io.Reader) (status int, found bool) {
	lines := bufio.NewReader(console)
	for {
		line, err := lines.ReadString('\n')
		line = strings.ReplaceAll(line, "\r\n", "\n")
		if i := strings.Index(line, exitMarker); i >= 0 {
			if n, convErr := strconv.Atoi(strings.TrimSpace(line[i+len(exitMarker):])); convErr == nil {
				status, found = n, true
				line = line[:i]
			}
		}
		io.WriteString(m.Output, line)
		if err != nil {
			return status, found
		}
	}
}

// args returns QEMU's command line.
func (m *Machine) args(initrd string) []string {
	args := append([]string{}, m.Emulator.Args...)
	console := "ttyS0"
	if m.Kernel.Arch == "arm64" {
		console = "ttyAMA0"
		// impdef is an algorithm for pointer authentication that is cheap to emulate.
		args = append(args, "-machine", "virt,gic-version=3", "-cpu", "max,pauth-impdef=on")
	} else {
		args = append(args, "-machine", "q35", "-cpu", "max")
	}
	if m.KVM {
		args = append(args, "-accel", "kvm")
	} else {
		// One thread for both processors: faster here than two, and safer.
		args = append(args, "-accel", "tcg,thread=single")
	}
	cmdline := []string{
		"console=" + console,
		"panic=-1", "oops=panic", // any oops ends the guest
		"random.trust_cpu=on",
		"rcupdate.rcu_expedited=1", // programs and maps are released sooner
		"lsm=lockdown,yama,bpf",
		"net.ifnames=0",
		"quiet", "loglevel=2",
	}
	return append(args,
		"-m", strconv.Itoa(m.Memory), "-smp", "2",
		"-nodefaults", "-display", "none", "-no-reboot",
		"-kernel", m.Kernel.Image, "-initrd", initrd,
		"-serial", "stdio",
		"-append", strings.Join(cmdline, " "))
}

// writeInitrd writes the guest's root file system.
func (m *Machine) writeInitrd(file string) error {
	var c cpio
	if err := c.addFile("init", m.Init, 0o755); err != nil {
		return err
	}
	c.mkdir("test")
	for i, p := range m.Programs {
		dir := fmt.Sprintf("programs/%03d", i)
		if err := c.addFile(path.Join(dir, "main"), p.Path, 0o755); err != nil {
			return err
		}
		c.add(path.Join(dir, "name"), 0o100644, []byte(p.Name))
		c.add(path.Join(dir, "dir"), 0o100644, []byte(cmp.Or(p.Dir, "/test")))
		c.add(path.Join(dir, "args"), 0o100644, []byte(strings.Join(p.Args, "\x00")))
		c.add(path.Join(dir, "env"), 0o100644, []byte(strings.Join(p.Env, "\x00")))
	}
	mods, err := loadModules(m.Kernel.Modules, m.Modules)
	if err != nil {
		return err
	}
	var order strings.Builder
	for _, mod := range mods {
		c.add("modules/"+mod.name, 0o100644, mod.data)
		fmt.Fprintln(&order, mod.name)
	}
	c.add("modules.order", 0o100644, []byte(order.String()))
	for guest, host := range m.Data {
		if err := c.addTree(path.Join("test", guest), host); err != nil {
			return err
		}
	}
	if m.Source != "" {
		if err := c.addSource(m.Source); err != nil {
			return err
		}
	}
	for _, file := range m.Files {
		if err := c.addFile(strings.TrimPrefix(filepath.ToSlash(file), "/"), file, 0o644); err != nil {
			return err
		}
	}
	for _, d := range []string{"proc", "sys", "dev", "tmp", "run"} {
		c.mkdir(d)
	}
	c.add("dev/console", 0o020600, nil)
	return os.WriteFile(file, c.finish(), 0o600)
}
