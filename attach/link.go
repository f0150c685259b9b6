package attach

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/jit"
)

// A Link is a program attached to a hook. Its methods may be called
// concurrently.
type Link struct {
	hook  string
	again func(*jit.Program) (*Link, error) // attaches another program to the same hook
	// exchange puts another program in the place of the one that is attached; nil where
	// that is for link to do, or not possible.
	exchange func(*jit.Program) error

	mu     sync.Mutex
	prog   *jit.Program
	link   link.Link // nil where the kernel knows no links for the hook
	file   io.Closer // what keeps the program attached if link is nil
	pinned bool
	closed bool
}

// newLink returns the Link for p, which l attaches. Again is to do the same for another program.
func newLink(p *jit.Program, hook string, l link.Link, again func(*jit.Program) (*Link, error)) *Link {
	return &Link{hook: hook, again: again, prog: p, link: l}
}

// String describes the hook, such as tracepoint/syscalls/sys_enter_write.
func (l *Link) String() string { return l.hook }

// Raw returns cilium's link, for what it offers beyond this type. It is nil
// where the kernel has no link object for the hook (perf events before
// Linux 5.15).
func (l *Link) Raw() link.Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.link
}

// Program returns the program that is attached.
func (l *Link) Program() *jit.Program {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.prog
}

// Pin keeps the program attached, by a file at path, which must be in a BPF
// file system, until the file is removed: also after Close and the end of the
// process. It fails with an error that wraps cilium's ErrNotSupported where the
// kernel has no link object for the hook.
func (l *Link) Pin(path string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := fmt.Errorf("%w: the kernel has no link object for it (for perf events it has from Linux 5.15 on)", link.ErrNotSupported)
	if l.link != nil {
		err = l.link.Pin(path)
	}
	if err != nil {
		return fmt.Errorf("pin %s: %w", l.hook, err)
	}
	l.pinned = true
	return nil
}

// Close detaches the program, unless the link was pinned, and releases the
// link.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return l.detach()
}

func (l *Link) detach() error {
	if l.link != nil {
		return l.link.Close()
	}
	return l.file.Close()
}

// wantType returns an error unless p is of one of the given types.
func wantType(p *jit.Program, types ...cebpf.ProgramType) error {
	if t := p.BPF().Type(); !slices.Contains(types, t) {
		return fmt.Errorf("program type is %s, want %s", t, types[0])
	}
	return nil
}

// attachError puts the hook before err and, where the cause is known, what to
// do about it after it.
func attachError(p *jit.Program, hook string, err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, os.ErrPermission):
		return fmt.Errorf("attach %s to %s: %w: run as root or with CAP_BPF and CAP_PERFMON (CAP_NET_ADMIN for network hooks)", p.Name(), hook, err)
	case errors.Is(err, link.ErrNotSupported):
		return fmt.Errorf("attach %s to %s: the running kernel lacks this hook: %w", p.Name(), hook, err)
	}
	return fmt.Errorf("attach %s to %s: %w", p.Name(), hook, err)
}
