package attach

import (
	"syscall"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/undergo-ebpf/undergo/jit"
)

// Socket makes p the filter of a socket, such as a *net.UDPConn: its result is how many
// bytes of a packet the socket gets to see, 0 for none of it. A former filter is
// replaced. The link cannot be pinned, and conn must stay open until Close, which fails otherwise.
//
// p must be of type socket_filter. Needs Linux 3.19, and no privilege beyond that of loading p.
func Socket(p *jit.Program, conn syscall.Conn) (*Link, error) {
	const hook = "socket"
	if err := wantType(p, cebpf.SocketFilter); err != nil {
		return nil, attachError(p, hook, err)
	}
	if err := link.AttachSocketFilter(conn, p.BPF()); err != nil {
		return nil, attachError(p, hook, err)
	}
	f := &socketFilter{conn: conn}
	return &Link{
		hook: hook,
		again: func(p *jit.Program) (*Link, error) {
			l, err := Socket(p, conn)
			f.replaced = err == nil
			return l, err
		},
		prog: p,
		file: f,
	}, nil
}

// A socketFilter is the filter of a socket.
type socketFilter struct {
	conn     syscall.Conn
	replaced bool // the socket has another filter now
}

// Close removes the filter.
func (f *socketFilter) Close() error {
	if f.replaced {
		return nil
	}
	return link.DetachSocketFilter(f.conn)
}
