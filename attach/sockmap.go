package attach

import (
	"errors"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/jit"
)

// SockMap attaches p to the sockets that are put into m, an ebpf.SockMap or ebpf.SockHash, from now on:
// what they receive goes through it if its section is one of sk_skb, what processes send on them if
// it is sk_msg. Sockets that are in m already stay with the programs that were attached when they
// were put in, and so do sockets when the link is closed or its program replaced, until
// they are deleted from the map. A map has one program of each section: one that another has
// left there is an error. The map is put into the kernel if it is not there yet.
//
// Before Linux 6.10 the kernel knows no links for it: the program stays attached until Close or
// the end of the map, another takes the place of one that is there already, and the link cannot be pinned.
//
// p must be of type sk_skb or sk_msg. Needs Linux 4.14, for sk_msg 4.17. Linux 5.10 hangs when programs
// put sockets (ebpf.SockMap.Update) into a map that has one of sk_skb/stream_parser.
func SockMap(p *jit.Program, m bind.Holder) (*Link, error) {
	hook := p.Section() + " on a map of sockets"
	if err := wantType(p, cebpf.SkSKB, cebpf.SkMsg); err != nil {
		return nil, attachError(p, hook, err)
	}
	if k := m.Binding().Spec().Kind; k != bind.SockMap && k != bind.SockHash {
		return nil, attachError(p, hook, errors.New("the map is a "+k.String()+", want an ebpf.SockMap or ebpf.SockHash"))
	}
	if err := jit.LoadMaps(m); err != nil {
		return nil, attachError(p, hook, err)
	}
	info, err := m.Binding().Backend().Info()
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	hook = p.Section() + " on " + info.Spec.Name
	again := func(p *jit.Program) (*Link, error) { return SockMap(p, m) }
	l, err := link.AttachRawLink(link.RawLinkOptions{Target: info.FD, Program: p.BPF(), Attach: p.AttachType()})
	switch {
	case err == nil:
		return newLink(p, hook, l, again), nil
	case !errors.Is(err, link.ErrNotSupported) && !errors.Is(err, unix.EINVAL):
		return nil, attachError(p, hook, err)
	}
	// EINVAL: 699c23f02c65 "bpf: Add bpf_link support for sk_msg and sk_skb progs" is of Linux 6.10.
	target, err := cebpf.NewMapFromID(cebpf.MapID(info.ID))
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	s := &socketProgram{target: target, kind: p.AttachType()}
	if err := s.attach(p); err != nil {
		return nil, attachError(p, hook, errors.Join(err, target.Close()))
	}
	return &Link{hook: hook, again: again, exchange: s.attach, prog: p, file: s}, nil
}

// A socketProgram is a program that is attached to a map of sockets without a link.
type socketProgram struct {
	target *cebpf.Map // which may outlive the variable's
	kind   cebpf.AttachType
	prog   *cebpf.Program // which may be closed before the link
}

// attach attaches p, in the place of what is attached.
func (s *socketProgram) attach(p *jit.Program) error {
	next, err := p.BPF().Clone()
	if err != nil {
		return err
	}
	if err := link.RawAttachProgram(link.RawAttachProgramOptions{Target: s.target.FD(), Program: next, Attach: s.kind}); err != nil {
		return errors.Join(err, next.Close())
	}
	last := s.prog
	s.prog = next
	return last.Close()
}

// Close detaches the program, unless another has taken its place.
func (s *socketProgram) Close() error {
	err := link.RawDetachProgram(link.RawDetachProgramOptions{Target: s.target.FD(), Program: s.prog, Attach: s.kind})
	if errors.Is(err, unix.ENOENT) {
		err = nil
	}
	return errors.Join(err, s.prog.Close(), s.target.Close())
}
