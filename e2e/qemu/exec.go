package qemu

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/undergo-ebpf/undergo/e2e/kernels"
)

// DefaultTimeout is the time a guest gets unless told otherwise, boot included.
const DefaultTimeout = 5 * time.Minute

// Options are the options of [Exec].
type Options struct {
	Kernel  string
	Modules []string
	Timeout time.Duration
	KVM     bool
	// Data is a directory that is copied into the guest under its own name, if
	// it exists.
	Data string
	// Source is a directory whose Go source is copied to the same path in the
	// guest, for programs that read their own; Files are files that are.
	Source string
	Files  []string
	// Output receives what the guest prints; standard output if nil.
	Output io.Writer
}

// DefaultStore returns the kernels in the user's cache, pinned by the lock file
// of this repository.
func DefaultStore(progress io.Writer) (*kernels.Store, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "undergo")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return &kernels.Store{Dir: dir, Lock: filepath.Join(sourceDir(), "../kernels/kernels.lock"), Log: progress}, nil
}

// sourceDir is the directory of this file.
func sourceDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// Exec runs static programs of one architecture in a guest and returns the worst exit
// status. A guest that dies before a program prints anything is started once more.
func Exec(ctx context.Context, store *kernels.Store, o Options, programs ...Program) (int, error) {
	var arch string
	for _, p := range programs {
		a, err := architecture(p.Path)
		switch {
		case err != nil:
			return 0, err
		case arch != "" && a != arch:
			return 0, fmt.Errorf("%s is for %s, and %s for %s: a guest has one architecture", p.Name, a, programs[0].Name, arch)
		}
		arch = a
	}
	kernel, err := store.Get(ctx, o.Kernel, arch)
	if err != nil {
		return 0, err
	}
	emulator, err := store.Emulator(ctx, arch)
	if err != nil {
		return 0, err
	}
	dir, err := kernels.TempDir("")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	guest := filepath.Join(dir, "guest")
	if err := buildGuest(ctx, guest, arch); err != nil {
		return 0, err
	}
	counted := &countingWriter{w: o.Output}
	if o.Output == nil {
		counted.w = os.Stdout
	}
	m := &Machine{
		Kernel: kernel, Emulator: emulator, Init: guest,
		Programs: programs, Modules: o.Modules,
		Source: o.Source, Files: o.Files,
		Memory: 512, KVM: o.KVM, Output: counted,
	}
	if info, err := os.Stat(o.Data); err == nil && info.IsDir() {
		m.Data = map[string]string{filepath.Base(o.Data): o.Data}
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	status, err := m.Run(ctx)
	if errors.Is(err, ErrNoResult) && counted.n == 0 {
		status, err = m.Run(ctx)
	}
	return status, err
}

type countingWriter struct {
	w io.Writer
	n int
}

func (c *countingWriter) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.w.Write(p)
}

// architecture returns the architecture of a program, which must be static.
func architecture(binary string) (string, error) {
	f, err := elf.Open(binary)
	if err != nil {
		return "", err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is linked dynamically and the guest has no libraries: build it with CGO_ENABLED=0", binary)
		}
	}
	switch f.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	}
	return "", fmt.Errorf("%s is for %s: guests are amd64 or arm64", binary, f.Machine)
}

// buildGuest builds the guest's first program as the file out.
func buildGuest(ctx context.Context, out, arch string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./e2e/guest")
	cmd.Dir = filepath.Join(sourceDir(), "../..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the guest's init: %w: %s", err, text)
	}
	return nil
}
