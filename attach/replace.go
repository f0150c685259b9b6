package attach

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/jit"
)

// This file exchanges programs that are attached.

// Replace attaches p in the place of the program that is attached. There is no moment at which
// neither is, so that no event is missed. Both must be of the same type.
//
// Where the kernel can exchange the program of a link, as for XDP, every event is seen by one of
// the two. Elsewhere p is attached before the other is detached, so that events at that
// moment are seen by both; and a link that was pinned cannot be replaced there. If there
// is an error before that, nothing has changed.
func (l *Link) Replace(p *jit.Program) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return attachError(p, l.hook, os.ErrClosed)
	}
	if err := wantType(p, l.prog.BPF().Type()); err != nil {
		return attachError(p, l.hook, err)
	}
	switch done, err := l.update(p); {
	case err != nil:
		return attachError(p, l.hook, err)
	case done:
		return nil
	case l.pinned:
		return attachError(p, l.hook, errors.New("the link is pinned, and the kernel cannot exchange programs of this hook"))
	}
	next, err := l.again(p)
	if err != nil {
		return err
	}
	err = l.detach()
	l.prog, l.link, l.file, l.again = p, next.link, next.file, next.again
	if err != nil {
		return fmt.Errorf("detach the former program from %s: %w", l.hook, err)
	}
	return nil
}

// update makes the kernel exchange the program of the link, if it can.
func (l *Link) update(p *jit.Program) (done bool, err error) {
	if l.exchange != nil {
		if err := l.exchange(p); err != nil {
			return false, err
		}
		l.prog = p
		return true, nil
	}
	if l.link == nil {
		return false, nil
	}
	switch err := l.link.Update(p.BPF()); {
	case err == nil:
		l.prog = p
		return true, nil
	case errors.Is(err, link.ErrNotSupported), errors.Is(err, unix.EINVAL):
		// EINVAL: link_update in kernel/bpf/syscall.c, of a link that has no such operation.
		return false, nil
	default:
		return false, err
	}
}

// Recompile compiles the attached program once more, with further options, such as a
// [jit.WithConst] of another value, and puts the new program in the place of the old one, as
// [Link.Replace] does:
//
//	p, err := l.Recompile(jit.WithConst("limit", uint64(100)))
//
// The new program shares maps and variables with the old one, which the caller may close
// then; both are the caller's to close. If there is an error, the old one is still attached.
func (l *Link) Recompile(opts ...jit.Option) (*jit.Program, error) {
	p, err := l.Program().Recompile(opts...)
	if err != nil {
		return nil, err
	}
	if err := l.Replace(p); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}
